import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';

/** A cell of a table with what its column's header says. */
export interface Cell {
  readonly start: number;
  readonly end: number;
  readonly rule: FieldRule;
}

const SEPARATORS = ['|', '\t', ',', ';'];
const MAX_HEADER = 2_000;
const MAX_CELL = 60;

/** Whether two lines in a row have a separator equally often: a cheap look that spares most prose a closer one. */
export function mayHoldTable(text: string): boolean {
  let header = 0;
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf('\n', start);
    const end = next < 0 ? text.length : next;
    // Only what may be a header, or stands below one, is looked at to its end.
    const counts = countSeparators(text, [start, end], header === 0);
    if (counts > 0 && counts === header) return true;
    header = header === 0 || counts === 0 ? counts : countSeparators(text, [start, end], true);
    start = end + 1;
  }
  return false;
}

/** @returns how often a line holds each separator, as one number; 0 for a line of sentences where a header is asked for */
function countSeparators(text: string, [start, end]: readonly [number, number], isHeader: boolean): number {
  let counts = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    // Letters, and the space, are most of a text.
    if (code === 32 || (code > 63 && code < 124)) continue;
    if (code === 44) counts += 1e3;
    else if (code === 124) counts += 1e9;
    else if (code === 9) counts += 1e6;
    else if (code === 59) counts += 1;
    // Sentences have commas too, but a header has no full stop.
    else if (isHeader && (code === 46 || code === 33)) return 0;
  }
  return counts;
}

/**
 * Reads a Markdown, CSV or TSV table whose header line begins at an offset (RFC 4180 §2, GFM §4.10).
 * @param lines offsets of the lines `[start, end)` without their ends
 * @returns the number of lines that belong to the table, 0 when the line is no header that says anything
 */
export function readTable(
  text: string,
  lines: readonly (readonly [number, number])[],
  at: number,
  take: (cell: Cell) => void,
): number {
  const [start, end] = lines[at] ?? [0, 0];
  if (end - start > MAX_HEADER || end - start < 3) return 0;
  const header = text.slice(start, end);
  const separator = SEPARATORS.find((mark) => header.includes(mark));
  // A line of sentences is no header.
  if (/[.?!](?: |$)/.test(header)) return 0;
  const next = lines[at + 1];
  if (separator === undefined || next === undefined) return 0;
  if (count(header, separator) !== count(text.slice(next[0], Math.min(next[1], next[0] + MAX_HEADER)), separator))
    return 0;
  const cells = splitRow(text, [start, end], separator);
  if (cells.length < 2 || cells.some(([from, to]) => to - from > MAX_CELL)) return 0;
  const rules = cells.map(([from, to]) => fieldRule(text.slice(from, to)));
  if (!rules.some((rule) => rule !== PROSE)) return 0;
  let row = at + 1;
  for (; row < lines.length; row++) {
    const [from, to] = lines[row] ?? [0, 0];
    const values = splitRow(text, [from, to], separator);
    if (values.length < 2 || values.length > cells.length + 1 || !text.slice(from, to).includes(separator)) break;
    values.forEach(([cellStart, cellEnd], column) => {
      if (cellEnd > cellStart && !/^:?-+:?$/.test(text.slice(cellStart, cellEnd)))
        take({ start: cellStart, end: cellEnd, rule: rules[column] ?? PROSE });
    });
  }
  return row - at > 1 ? row - at : 0;
}

function count(line: string, separator: string): number {
  const code = separator.charCodeAt(0);
  let marks = 0;
  for (let i = 0; i < line.length; i++) if (line.charCodeAt(i) === code) marks++;
  return marks;
}

/** Cells without their surrounding spaces and quotes; a quoted cell may hold the separator. */
function splitRow(text: string, [start, end]: readonly [number, number], separator: string): [number, number][] {
  const cells: [number, number][] = [];
  let from = start;
  let quoted = false;
  for (let i = start; i <= end; i++) {
    const char = i < end ? text.charAt(i) : separator;
    if (char === '"' && separator !== '|') quoted = !quoted;
    if (char !== separator || (quoted && i < end)) continue;
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

function trim(text: string, start: number, end: number): [number, number] {
  let [from, to] = [start, end];
  while (from < to && /[\s"*]/.test(text.charAt(from))) from++;
  while (to > from && /[\s"*]/.test(text.charAt(to - 1))) to--;
  return [from, to];
}
