import { applyEvidence, type Evidence } from './evidence.ts';
import { lex } from './lexer.ts';
import type { Candidate } from './span.ts';
import { decodeEncoded, encodedAt, readableIn } from './structure/base64.ts';
import { CELL, createTokens } from './tokens.ts';
import { startOf, type View } from './view.ts';

const { BITS, START, END } = CELL;

/** Examines what encoded text says. @returns since which message it is known to hold an identifier; undefined where it holds none */
export type Open = (text: string) => number | undefined;

/** Encoded text in which nothing was found yet: what is learnt later in the conversation may stand in it. */
export interface Unopened {
  readonly start: number;
  readonly end: number;
  readonly kind: 'text' | 'binary' | 'field';
}

/** A shorter value that decodes to no text is a word. */
const MIN_BINARY = 64;
/** Words of base64 are longer than most words of a language. */
const LONG_WORD = 16;

/**
 * Base64 of text that holds an identifier goes as a whole; base64 of anything else stays as it is.
 * @param unopened gets the runs that stay. @returns the view's candidates that hold, and the runs that go
 */
export function examineRuns(view: View, open: Open, unopened: Unopened[]): Candidate[] {
  const runs: Unopened[] = [];
  const opened: Candidate[] = [];
  for (let i = nextLong(view, view.from); i < view.to; i = nextLong(view, i + 1)) {
    const run = encodedAt(view.text, startOf(view, i));
    if (run.kind !== 'other') {
      const isOpened = run.kind === 'text' && open(run.text) !== undefined;
      runs.push({ start: run.start, end: run.end, kind: run.kind });
      if (isOpened) opened.push(whole(run.start, run.end));
      else unopened.push({ start: run.start, end: run.end, kind: run.kind });
    }
    while (i + 1 < view.to && startOf(view, i + 1) < run.end) i++;
  }
  return runs.length === 0 ? view.found : [...outside(view.found, runs), ...opened];
}

/** The next token that is too long for most words. All tokens are looked at, so that this does nothing else. */
function nextLong({ cells, to }: View, from: number): number {
  let at = from;
  while (at < to && (cells[(at << BITS) + END] as number) - (cells[(at << BITS) + START] as number) < LONG_WORD) at++;
  return at;
}

/** The candidates that touch no run. Both are sorted. */
function outside(found: Candidate[], runs: readonly Unopened[]): readonly Candidate[] {
  let at = 0;
  return found
    .sort((a, b) => a.start - b.start)
    .filter(({ start, end }) => {
      while (at < runs.length && (runs[at] as Unopened).end <= start) at++;
      return at >= runs.length || (runs[at] as Unopened).start >= end;
    });
}

/** A value that its field says is base64 or hexadecimal. @returns undefined where it is neither: it is then a text like others */
export function examineEncoded(text: string, open: Open, unopened: Unopened[]): Candidate[] | undefined {
  const decoded = decodeEncoded(text);
  if (decoded !== undefined && open(decoded) !== undefined) return [whole(0, text.length)];
  if (decoded === undefined && (text.length < MIN_BINARY || !/^[\w+/=\s-]*$/.test(text))) return undefined;
  unopened.push({ start: 0, end: text.length, kind: decoded === undefined ? 'binary' : 'field' });
  return [];
}

/** Looks again at encoded text, now that all of the conversation is known. */
export function openAgain(
  view: View,
  unopened: readonly Unopened[],
  { open, evidence }: { readonly open: Open; readonly evidence: Evidence },
  take: (found: Candidate, since: number) => void,
): void {
  for (const { start, end, kind } of unopened) {
    const raw = view.text.slice(start, end);
    const text = kind === 'binary' ? readableIn(raw) : (decodeEncoded(raw) ?? '');
    const since = kind === 'binary' ? namedIn(text, view, evidence) : open(text);
    if (since !== undefined) take(whole(start, end), since);
  }
}

function whole(start: number, end: number): Candidate {
  return { entity: 'other', start, end, score: 0.99 };
}

/** Shorter words stand in any bytes by chance. */
const MIN_NAMED = 5;

/** Names in the properties of a document or an image. @returns the message since which one of them is known */
function namedIn(text: string, view: View, evidence: Evidence): number | undefined {
  const tokens = createTokens(text.length >> 2);
  lex(text, tokens);
  let earliest: number | undefined;
  applyEvidence(
    { ...view, text, cells: tokens.cells, from: 0, to: tokens.count },
    evidence,
    ({ start, end }, since) => {
      if (end - start >= MIN_NAMED) earliest = Math.min(earliest ?? since, since);
    },
  );
  return earliest;
}
