import type { Entity } from '#contract/entity.ts';
import { fieldRule } from '#phi/field.ts';
import type { ListedValue } from '#phi/list-entry.ts';

/** One entry of a list file. */
export interface InputEntry {
  readonly line: number;
  readonly entity: Entity;
  readonly value: ListedValue;
}

/** What stands wrong in a line, in words that hold nothing of it. */
export interface InputFault {
  readonly line: number;
  readonly problem: string;
}

/** Kinds of column that tell of a person, a facility or a number; dates and addresses are left to the engine. */
const USED: ReadonlySet<Entity> = new Set<Entity>([
  'name',
  'facility',
  'mrn',
  'ssn',
  'health_plan',
  'account',
  'license',
  'vehicle',
  'device',
  'phone',
  'fax',
  'other',
]);
const GIVEN = /^(?:given|first|given_?name|first_?name|fname|forename|patient_?first_?name)$/;
const FAMILY = /^(?:family|last|surname|family_?name|last_?name|lname|patient_?last_?name)$/;
const MIDDLE = /^(?:middle|middle_?name|mname|middle_?initial|mi|suffix|prefix|title)$/;

/** What the header says of each column. */
type Column = Entity | 'given' | 'family' | null;

/**
 * Reads a list: a table with a header that names a known column (RFC 4180; comma, semicolon or tab), or an entry a line, where empty
 * lines and those that begin with `#` do not count.
 * @param entity what each line is; null: a facility's word makes a facility, four digits a number, anything else a person
 */
export function* readList(text: string, entity: Entity | null): Iterable<InputEntry | InputFault> {
  const body = text.charCodeAt(0) === 0xfe_ff ? text.slice(1) : text;
  const end = body.indexOf('\n');
  const header = (end < 0 ? body : body.slice(0, end)).trim();
  const separator = [',', ';', '\t'].find((mark) => header.includes(mark)) ?? ',';
  const columns = header.split(separator).map(columnOf);
  if (entity === null && columns.some((column) => column !== null)) yield* readTable(body, columns, separator);
  else yield* readLines(body, entity);
}

function columnOf(cell: string): Column {
  const name = cell
    .replaceAll('"', '')
    .trim()
    .toLowerCase()
    .replaceAll(/[\s.-]+/g, '_');
  if (GIVEN.test(name)) return 'given';
  if (FAMILY.test(name)) return 'family';
  if (MIDDLE.test(name)) return null;
  const { whole } = fieldRule(name);
  return whole !== undefined && USED.has(whole) ? whole : null;
}

function* readLines(text: string, entity: Entity | null): Iterable<InputEntry> {
  let line = 0;
  for (let from = 0; from < text.length; ) {
    const next = text.indexOf('\n', from);
    const end = next < 0 ? text.length : next;
    const value = text.slice(from, end).trim();
    line++;
    from = end + 1;
    if (value !== '' && !value.startsWith('#')) yield { line, entity: entity ?? guess(value), value };
  }
}

const FACILITY =
  /\b(?:hospital|clinic|clinics|medical|center|centre|infirmary|hospice|health|healthcare|pharmacy|institute|practice|associates|rehab|nursing|memorial|university|school)\b/i;

function guess(value: string): Entity {
  if (value.replaceAll(/\D/g, '').length >= 4) return 'mrn';
  return FACILITY.test(value) ? 'facility' : 'name';
}

function* readTable(text: string, columns: readonly Column[], separator: string): Iterable<InputEntry | InputFault> {
  let first = true;
  for (const { line, cells } of readRows(text, separator)) {
    if (cells === null) yield { line, problem: 'has a quote that is never closed' };
    else if (first) first = false;
    else if (cells.length > columns.length) yield { line, problem: 'has more cells than the header' };
    else yield* entriesOf(line, cells, columns);
  }
}

function* entriesOf(line: number, cells: readonly string[], columns: readonly Column[]): Iterable<InputEntry> {
  const cellOf = (wanted: Column): string => cells[columns.indexOf(wanted)]?.trim() ?? '';
  const [given, family] = [cellOf('given'), cellOf('family')];
  if (given !== '' || family !== '') yield { line, entity: 'name', value: { given, family } };
  for (const [at, column] of columns.entries()) {
    const value = cells[at]?.trim() ?? '';
    if (value !== '' && column !== null && column !== 'given' && column !== 'family')
      yield { line, entity: column, value };
  }
}

interface Row {
  /** The line that the row begins in. */
  readonly line: number;
  /** null where a quote is never closed. */
  readonly cells: readonly string[] | null;
}

/** RFC 4180 §2: a quoted cell may hold separators, line ends and doubled quotes. */
function* readRows(text: string, separator: string): Iterable<Row> {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const begin = line;
    const cells: string[] = [];
    for (let more = true; more; ) {
      const cell = readCell(text, at, separator);
      if (cell === null) return yield { line: begin, cells: null };
      cells.push(cell.value);
      line += cell.lines;
      more = text.charAt(cell.end) === separator;
      at = cell.end + 1;
    }
    line++;
    if (cells.length > 1 || cells[0]?.trim() !== '') yield { line: begin, cells };
  }
  return undefined;
}

function readCell(
  text: string,
  from: number,
  separator: string,
): { readonly value: string; readonly end: number; readonly lines: number } | null {
  if (text.charAt(from) !== '"') {
    let end = from;
    while (end < text.length && text.charAt(end) !== separator && text.charAt(end) !== '\n') end++;
    return { value: text.slice(from, end), end, lines: 0 };
  }
  let close = text.indexOf('"', from + 1);
  while (close >= 0 && text.charAt(close + 1) === '"') close = text.indexOf('"', close + 2);
  if (close < 0) return null;
  const value = text.slice(from + 1, close).replaceAll('""', '"');
  let end = close + 1;
  while (end < text.length && text.charAt(end) !== separator && text.charAt(end) !== '\n') end++;
  return { value, end, lines: value.split('\n').length - 1 };
}
