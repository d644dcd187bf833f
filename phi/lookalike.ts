import { findLookalikes } from './surrogate.ts';

interface Range {
  /** `[start, end)` in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/**
 * Finds what looks like a surrogate in a raw text and is not redacted yet.
 * @param text as it is written, escapes unresolved
 * @param taken what is redacted, in any order
 * @returns what has to be redacted too, left to right
 */
export function uncoveredLookalikes(text: string, taken: readonly Range[]): readonly Range[] {
  const isCovered = coverOf(taken);
  const found: Range[] = [];
  findLookalikes(text, (start, end) => {
    if (isCovered(start, end)) return;
    // `\nAME_1a53` in JSON: the escape's backslash goes with it, or the rest would be another escape.
    let from = start;
    while (text.charCodeAt(from - 1) === 92) from--;
    found.push({ start: (start - from) % 2 === 1 ? start - 1 : start, end });
  });
  return found;
}

/** Answers whether one range covers a stretch; asked left to right, so that one pass over the ranges does for all. */
function coverOf(ranges: readonly Range[]): (start: number, end: number) => boolean {
  let sorted: readonly Range[] | undefined;
  let next = 0;
  let reach = 0;
  return (start, end) => {
    sorted ??= ranges.toSorted((a, b) => a.start - b.start);
    for (; next < sorted.length && (sorted[next] as Range).start <= start; next++)
      reach = Math.max(reach, (sorted[next] as Range).end);
    return reach >= end;
  };
}
