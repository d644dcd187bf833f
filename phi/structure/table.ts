import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import type { Range } from './lines.ts';

/** A cell of a table with what its column's header says. */
export interface Cell {
  readonly start: number;
  readonly end: number;
  readonly rule: FieldRule;
}

export const SEPARATORS = ['|', '\t', ';', ','] as const;
/** Units of a line of headers, and of one of them. */
export const MAX_HEADER = 2_000;
export const MAX_CELL = 60;
/** Lines that one quoted cell may span. */
const MAX_CELL_LINES = 64;

interface Header {
  readonly separator: string;
  readonly rules: readonly FieldRule[];
}

/**
 * Reads a Markdown, CSV or TSV table whose header line begins at an offset (RFC 4180 §2, GFM §4.10).
 * @param lines offsets of the lines `[start, end)` without their ends
 * @returns the number of lines that belong to the table, 0 when the line is no header that says anything
 */
export function readTable(text: string, lines: readonly Range[], at: number, take: (cell: Cell) => void): number {
  const header = readHeader(text, lines, at);
  if (header === undefined) return 0;
  const { separator, rules } = header;
  let row = at + 1;
  while (row < lines.length && isBelow(text, lines, row)) {
    const last = rowEnd(text, lines, row, separator);
    const [from, to] = [(lines[row] as Range)[0], (lines[last] as Range)[1]];
    const values = splitRow(text, [from, to], separator);
    if (values.length < 2 || values.length > rules.length + 1) break;
    values.forEach(([start, end], column) => {
      if (end > start && !/^:?-+:?$/.test(text.slice(start, Math.min(end, start + MAX_CELL))))
        take({ start, end, rule: rules[column] ?? PROSE });
    });
    row = last + 1;
  }
  return row - at > 1 ? row - at : 0;
}

/** An empty line ends a table. */
function isBelow(text: string, lines: readonly Range[], row: number): boolean {
  const between = text.slice(lines[row - 1]?.[1], lines[row]?.[0]);
  return between === '\n' || between === '\r\n' || between === '\r';
}

function readHeader(text: string, lines: readonly Range[], at: number): Header | undefined {
  const [start, end] = lines[at] ?? [0, 0];
  if (end - start > MAX_HEADER || end - start < 3 || lines[at + 1] === undefined) return undefined;
  const header = text.slice(start, end);
  // A line of sentences is no header.
  if (/[.?!](?: |$)/.test(header)) return undefined;
  for (const separator of SEPARATORS) {
    if (!header.includes(separator)) continue;
    const cells = splitRow(text, [start, end], separator);
    if (cells.length < 2 || cells.some(([from, to]) => to - from > MAX_CELL)) continue;
    const last = rowEnd(text, lines, at + 1, separator);
    const next = splitRow(text, [(lines[at + 1] as Range)[0], (lines[last] as Range)[1]], separator);
    if (Math.abs(next.length - cells.length) > 1 || next.length < 2) continue;
    const names = cells.map(([from, to]) => text.slice(from, to).trim());
    const rules = columnRules(names);
    if (isProseLike(header, separator) && !areColumns(names, rules)) continue;
    if (rules.some((rule) => rule !== PROSE && rule.code !== true)) return { separator, rules };
  }
  return undefined;
}

/** Columns that make a table one of drugs, tests or codes, whose `name` is nobody's. */
const THINGS =
  /^(?:drug|medication|med|dose|strength|route|frequency|unit|units|value|result|code|test|lab|analyte|reference range|quantity|qty|price|allergen|vaccine|procedure)s?$/i;
/** Half of a name where another column has the other half. */
const HALVES = /^(?:first|last|middle|given|family)$/i;

function columnRules(headers: readonly string[]): readonly FieldRule[] {
  const own = headers.map((header) => fieldRule(header));
  const telling = own.filter(({ whole }, i) => whole !== undefined && whole !== 'date' && !isName(headers[i])).length;
  const ofThings = telling === 0 && headers.some((header) => THINGS.test(header.trim()));
  const halves = headers.filter((header) => HALVES.test(header.trim())).length > 1;
  return own.map((rule, i) => {
    if (ofThings && isName(headers[i])) return PROSE;
    if (halves && HALVES.test(headers[i]?.trim() ?? '')) return { whole: 'name' };
    return PEOPLE.test(headers[i]?.trim() ?? '') ? { whole: 'name' } : rule;
  });
}

/** `yes, doctor`: separators as prose has them, too, each with a space behind it. */
function isProseLike(header: string, separator: string): boolean {
  if (separator !== ',' && separator !== ';') return false;
  const [, ...behind] = header.split(separator);
  return behind.every((cell) => cell.startsWith(' '));
}

/**
 * Whether words with such separators between are a header's. A word for people alone says little (`yes, doctor`,
 * `Patient, 45`): then all others must be what columns are called.
 */
function areColumns(names: readonly string[], rules: readonly FieldRule[]): boolean {
  const others = names.filter((name) => !PEOPLE.test(name));
  if (rules.some((rule, i) => rule !== PROSE && rule.code !== true && !PEOPLE.test(names[i] ?? ''))) return true;
  return others.every((name) => fieldRule(name) !== PROSE || THINGS.test(name) || COLUMNS.test(name));
}

/** What columns beside one of people are mostly called. */
const COLUMNS =
  /^(?:age|sex|gender|dx|diagnos[ie]s|problem|reason|status|notes?|comments?|room|bed|time|type|service|visit|acuity|plan|insurance|allerg(?:y|ies)|weight|height|bp|hr|(?:chief )?complaint|#|no\.?)$/i;

/** A column of people. */
const PEOPLE =
  /^(?:patient|pt|provider|physician|doctor|attending|surgeon|nurse|clinician|referring|guarantor|next of kin|nok)s?$/i;

function isName(header: string | undefined): boolean {
  return /^name$/i.test(header?.trim() ?? '');
}

/** The last line of a row, which goes on where a quoted cell is open at a line's end. */
function rowEnd(text: string, lines: readonly Range[], at: number, separator: string): number {
  if (separator === '|') return at;
  let quotes = 0;
  for (let i = at; i < Math.min(lines.length, at + MAX_CELL_LINES); i++) {
    const [start, end] = lines[i] as Range;
    for (let unit = start; unit < end; unit++) if (text.charCodeAt(unit) === 34) quotes++;
    if (quotes % 2 === 0) return i;
  }
  return at;
}

/** Cells without their surrounding spaces and quotes; a quoted cell may hold the separator. */
function splitRow(text: string, [start, end]: Range, separator: string): Range[] {
  const cells: Range[] = [];
  let from = start;
  let quoted = false;
  for (let i = start; i <= end; i++) {
    const char = i < end ? text.charAt(i) : separator;
    if (char === '"' && separator !== '|') quoted = !quoted;
    if (char !== separator || (quoted && i < end) || (separator === '|' && text.charAt(i - 1) === '\\' && i < end))
      continue;
    cells.push(trim(text, from, i));
    from = i + 1;
  }
  if (separator === '|') {
    // Markdown rows begin and end with the separator.
    if (cells.length > 0 && cells[0]?.[0] === cells[0]?.[1]) cells.shift();
    const last = cells.at(-1);
    if (last !== undefined && last[0] === last[1]) cells.pop();
  }
  return cells;
}

function trim(text: string, start: number, end: number): Range {
  let [from, to] = [start, end];
  while (from < to && /[\s"*]/.test(text.charAt(from))) from++;
  while (to > from && /[\s"*]/.test(text.charAt(to - 1))) to--;
  return [from, to];
}
