import { LIMIT } from '#contract/limit.ts';
import type { Segment } from './segment.ts';

/**
 * Puts segments into batches that are examined one after the other, so that what is known of every word of a text of megabytes is never
 * in memory together. A long text is cut where no identifier and hardly any context can stand across: at a blank line, else at a
 * sentence's end (in wrapped prose a line may end inside a name), else at a line's end; where there is none it stays whole. The cuts depend on the segment alone, so that the same text is always
 * examined in the same way.
 * @returns batches in order, each of about `LIMIT.examinedChars`; one batch for all that is smaller
 */
export function batchSegments(segments: readonly Segment[]): readonly (readonly Segment[])[] {
  const size = segments.reduce((sum, segment) => sum + segment.text.length, 0);
  if (size <= LIMIT.examinedChars) return [segments];
  const batches: Segment[][] = [];
  let batch: Segment[] = [];
  let left: number = LIMIT.examinedChars;
  for (const piece of segments.flatMap(cutSegment)) {
    if (piece.text.length > left && batch.length > 0) {
      batches.push(batch);
      batch = [];
      left = LIMIT.examinedChars;
    }
    batch.push(piece);
    left -= piece.text.length;
  }
  return [...batches, batch];
}

function cutSegment(segment: Segment): readonly Segment[] {
  const { text, map, offset, quote, field } = segment;
  if (text.length <= LIMIT.examinedChars || quote !== undefined || field.whole !== undefined) return [segment];
  const pieces: Segment[] = [];
  for (let from = 0; from < text.length; ) {
    const to = text.length - from <= LIMIT.examinedChars ? text.length : cutBefore(text, from);
    const place = map === undefined ? { offset: offset + from } : { offset, map: map.subarray(from, to + 1) };
    pieces.push({ ...segment, ...place, text: text.slice(from, to) });
    from = to;
  }
  return pieces;
}

/** A line that ends so announces what the next one holds. */
const ANNOUNCES = /[:,;([=-][ \t]*$/;
/** The end of a sentence: what stands before its mark is no abbreviation of a title, a month or a name. */
const SENTENCE = /[a-z]{4}[.!?]["')\]]?\s+(?=[A-Z])/g;
/** A cut is looked for in the last part of a piece, and in the rest of the text where there is none. */
const SEARCHED = 16 * 1024;

/** @returns where the next piece begins; the text's end when it cannot be cut */
function cutBefore(text: string, from: number): number {
  for (let end = from + LIMIT.examinedChars; end < text.length; end += SEARCHED) {
    const start = end - SEARCHED;
    const window = text.slice(start, end);
    const cut = blankLine(window) ?? sentenceEnd(window) ?? lineEnd(window);
    if (cut !== null) return start + cut;
  }
  return text.length;
}

function blankLine(window: string): number | null {
  const at = window.lastIndexOf('\n\n');
  return at < 0 ? null : at + 2;
}

function lineEnd(window: string): number | null {
  for (let at = window.lastIndexOf('\n'); at > 0; at = window.lastIndexOf('\n', at - 1))
    if (!ANNOUNCES.test(window.slice(Math.max(0, at - 80), at))) return at + 1;
  return null;
}

function sentenceEnd(window: string): number | null {
  let end: number | null = null;
  for (const match of window.matchAll(SENTENCE)) end = match.index + match[0].length;
  return end;
}
