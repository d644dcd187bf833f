import { CLASS_OF, DIGIT, FOLD_OF, GAP_OF, KNOWN, LETTER, learn, SILENT, UPPER_OF } from './character.ts';
import { lookUp } from './lexicon.ts';
import { HASH_PRIME, HASH_SEED } from './word-hash.ts';

export const WORD = 1;
export const NUMBER = 2;
/** Letters and digits in one token: `70yo`, `AB1234`. */
export const MIXED = 3;

export const LOWER = 0;
/** Only the first letter is upper case. */
export const CAPITALISED = 1;
/** Two or more letters, all upper case. */
export const ALL_CAPS = 2;
/** One upper-case letter. */
export const INITIAL = 3;
/** Begins with an upper-case letter and has another: `McDonald`. */
export const CAMEL = 4;
/** Begins with a lower-case letter and has upper-case ones: `eGFR`. */
const INNER_CAPS = 5;

/** The tokens of a conversation, one array per property; index order is text order. */
export interface Tokens {
  count: number;
  /** `[start, end)` in units of the segment's text. */
  start: Int32Array;
  end: Int32Array;
  kind: Uint8Array;
  shape: Uint8Array;
  hash: Int32Array;
  /** Lexicon bits (lexicon.ts). */
  flags: Int32Array;
  /** Label code of the word (lexicon.ts), 0 for none. */
  label: Uint8Array;
  /** Gap bits of what stands between this token and the one before (character.ts). */
  gap: Uint16Array;
}

/** @param size tokens expected; it grows when more come */
export function createTokens(size: number): Tokens {
  return {
    count: 0,
    start: new Int32Array(size),
    end: new Int32Array(size),
    kind: new Uint8Array(size),
    shape: new Uint8Array(size),
    hash: new Int32Array(size),
    flags: new Int32Array(size),
    label: new Uint8Array(size),
    gap: new Uint16Array(size),
  };
}

function grow(tokens: Tokens): void {
  const size = tokens.start.length * 2;
  const wider = createTokens(size);
  wider.start.set(tokens.start);
  wider.end.set(tokens.end);
  wider.kind.set(tokens.kind);
  wider.shape.set(tokens.shape);
  wider.hash.set(tokens.hash);
  wider.flags.set(tokens.flags);
  wider.label.set(tokens.label);
  wider.gap.set(tokens.gap);
  Object.assign(tokens, { ...wider, count: tokens.count });
}

/**
 * Appends the words and numbers of a text. Linear in its length; one look at each code unit.
 * @returns the gap bits after the last token
 */
export function lex(text: string, tokens: Tokens): number {
  const length = text.length;
  let gap = 0;
  let i = 0;
  while (i < length) {
    const code = text.charCodeAt(i);
    if (code > 127 && KNOWN[code] === 0) learn(code);
    const type = CLASS_OF[code];
    if (type === 0) {
      gap |= GAP_OF[code] as number;
      i++;
    } else if (type === SILENT) {
      i++;
    } else {
      i = lexToken(text, i, tokens, gap);
      gap = 0;
    }
  }
  return gap;
}

function lexToken(text: string, from: number, tokens: Tokens, gap: number): number {
  const length = text.length;
  let hash = HASH_SEED;
  let letters = 0;
  let upper = 0;
  let digits = 0;
  let i = from;
  for (; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 && KNOWN[code] === 0) learn(code);
    const type = CLASS_OF[code];
    if (type === LETTER) {
      letters++;
      upper += UPPER_OF[code] as number;
    } else if (type === DIGIT) {
      digits++;
    } else if (type === SILENT) {
      continue;
    } else if (letters > 0 && digits === 0 && joinsWord(text, i)) {
      continue;
    } else {
      break;
    }
    hash = Math.imul(hash ^ (FOLD_OF[code] as number), HASH_PRIME);
  }
  const firstUpper = UPPER_OF[text.charCodeAt(from)] === 1;
  add(
    tokens,
    from,
    i,
    hash === 0 ? 1 : hash,
    gap,
    letters === 0 ? NUMBER : digits === 0 ? WORD : MIXED,
    shapeOf(letters, upper, firstUpper),
  );
  return i;
}

// eslint-disable-next-line max-params -- the hottest call of the engine: an object for each token would cost more than it says
function add(tokens: Tokens, start: number, end: number, hash: number, gap: number, kind: number, shape: number): void {
  if (tokens.count === tokens.start.length) grow(tokens);
  const at = tokens.count++;
  tokens.start[at] = start;
  tokens.end[at] = end;
  tokens.hash[at] = hash;
  tokens.gap[at] = gap;
  tokens.kind[at] = kind;
  tokens.shape[at] = shape;
  if (kind !== NUMBER) lookUp(hash, at, tokens);
}

function shapeOf(letters: number, upper: number, firstUpper: boolean): number {
  if (upper === 0) return LOWER;
  if (!firstUpper) return INNER_CAPS;
  if (upper === 1) return letters === 1 ? INITIAL : CAPITALISED;
  return upper === letters ? ALL_CAPS : CAMEL;
}

/** An apostrophe inside a word (`O'Brien`), but not before a clitic (`Nguyen's`, `don't`, `we'll`). */
function joinsWord(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code !== 39 && code !== 0x2019) return false;
  let tail = 0;
  while (tail < 3 && CLASS_OF[text.charCodeAt(at + 1 + tail)] === LETTER) tail++;
  return tail === 3;
}
