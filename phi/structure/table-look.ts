import { MAX_CELL, MAX_HEADER, SEPARATORS } from './table.ts';

const QUESTION = 63;
const LONE_RETURN = /\r(?!\n)/;

/** How often each separator stands in a line, and a quote. */
type Counts = readonly [pipe: number, tab: number, semicolon: number, comma: number, quote: number];

/**
 * Whether a line of headers stands above a line that has the same separator as often: a cheap look that spares most prose a closer one. Lines end
 * as `linesOf` ends them, and a line that `readTable` would refuse as a header is none here.
 */
export function mayHoldTable(text: string): boolean {
  // Rare, and worth a copy; before a feed a return is only the last unit of its line.
  if (text.includes('\r') && LONE_RETURN.test(text))
    return mayHoldTable(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'));
  const next = SEPARATORS.map((separator) => ({ mark: separator, at: indexOrEnd(text, separator, 0) }));
  let header: Counts | undefined;
  // Each mark is searched once over the text.
  let [above, period, mark] = [-1, -1, -1];
  for (let from = 0; ; ) {
    let first = text.length;
    for (const each of next) {
      if (each.at < from) each.at = indexOrEnd(text, each.mark, from);
      if (each.at < first) first = each.at;
    }
    if (first === text.length) return false;
    const start = text.lastIndexOf('\n', first) + 1;
    const end = indexOrEnd(text, '\n', first);
    if (start > above + 1) header = undefined;
    if (period < start) period = indexOrEnd(text, '.', start);
    if (mark < start) mark = indexOrEnd(text, '!', start);
    // Sentences have commas too, but a header has no full stop: most lines of prose are not looked at.
    const isHeader = period >= end && mark >= end && hasShortCells(text, start, end);
    if (header !== undefined || isHeader) {
      const counts = countSeparators(text, start, end);
      if (header !== undefined && mayFollow(header, counts)) return true;
      header = isHeader ? counts : undefined;
    }
    above = end;
    from = end + 1;
  }
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at;
}

/** Whether no piece of a line between two separators, of whatever kind, is longer than a cell of headers: a line of prose mostly has such a piece. */
function hasShortCells(text: string, start: number, end: number): boolean {
  if (end - start <= MAX_CELL) return true;
  if (end - start > MAX_HEADER || text.charCodeAt(end - 1) === QUESTION) return false;
  // Without spaces: those around a cell are no part of it.
  let length = 0;
  for (let i = start; i < end && length <= MAX_CELL; i++) {
    const code = text.charCodeAt(i);
    if ((code > 63 && code < 124) || (code > 44 && code < 59)) length++;
    else if (code === 44 || code === 124 || code === 9 || code === 59) length = 0;
  }
  return length <= MAX_CELL;
}

/**
 * By how many separators a row may differ from its header: `readTable` takes one cell more or less, and Markdown may leave the marks at both
 * ends away. Commas stand in lists of prose, too, so their number must agree.
 */
const SLACK = [3, 1, 1, 0];

/** Whether a row may stand below a header. */
function mayFollow(header: Counts, row: Counts): boolean {
  for (let i = 0; i < SEPARATORS.length; i++) {
    const [above, below] = [header[i] as number, row[i] as number];
    if (above === 0) continue;
    // A quoted cell may hold the separator, and the line end.
    if (row[4] + header[4] > 0 && (below > 0 || above > 1)) return true;
    if (below > 0 && Math.abs(above - below) <= (SLACK[i] as number)) return true;
  }
  return false;
}

function countSeparators(text: string, start: number, end: number): Counts {
  let [pipe, tab, semicolon, comma, quote] = [0, 0, 0, 0, 0];
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    // Letters, and the space, are most of a text.
    if (code === 32 || (code > 63 && code < 124)) continue;
    if (code === 44) comma++;
    else if (code === 124) pipe++;
    else if (code === 9) tab++;
    else if (code === 59) semicolon++;
    else if (code === 34) quote++;
  }
  return [pipe, tab, semicolon, comma, quote];
}
