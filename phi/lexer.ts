import { CLASS_OF, DIGIT, LETTER, learn, SILENT, UNIT, UNIT_OF } from './character.ts';
import { lookUp } from './lexicon.ts';
import { readUnits } from './units.ts';
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
  /** 1 where the token is all ASCII letters and digits, so that folding it is at most a change of case. */
  plain: Uint8Array;
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
    plain: new Uint8Array(size),
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
  wider.plain.set(tokens.plain);
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
  const { length } = text;
  const units = readUnits(text);
  let gap = 0;
  let i = 0;
  while (i < length) {
    const code = units[i] as number;
    if (UNIT_OF[code] === 0) learn(code);
    const unit = UNIT_OF[code] as number;
    const type = unit & UNIT.CLASS;
    if (type === LETTER || type === DIGIT) {
      if (tokens.count === tokens.start.length) grow(tokens);
      tokens.gap[tokens.count] = gap;
      i = lexToken(units, i, length, tokens);
      gap = 0;
    } else {
      if (type !== SILENT) gap |= unit >>> UNIT.SHIFT;
      i++;
    }
  }
  units.fill(0, 0, length);
  return gap;
}

/** Adds the token that begins at `from`. @returns its end */
function lexToken(units: Uint16Array, from: number, length: number, tokens: Tokens): number {
  let hash = HASH_SEED;
  let letters = 0;
  let upper = 0;
  let digits = 0;
  let seen = 0;
  let i = from;
  for (; i < length; i++) {
    const code = units[i] as number;
    if (UNIT_OF[code] === 0) learn(code);
    const unit = UNIT_OF[code] as number;
    const type = unit & UNIT.CLASS;
    if (type === LETTER) {
      letters++;
      upper += (unit >>> UNIT.UPPER) & 1;
    } else if (type === DIGIT) digits++;
    else if (type === SILENT) continue;
    else if ((code !== 39 && code !== 0x2019) || letters === 0 || digits > 0 || !joinsWord(units, i, length)) break;
    else continue;
    seen |= code;
    hash = Math.imul(hash ^ (unit >>> UNIT.SHIFT), HASH_PRIME);
  }
  const at = tokens.count++;
  tokens.start[at] = from;
  tokens.end[at] = i;
  tokens.hash[at] = hash === 0 ? 1 : hash;
  tokens.kind[at] = letters === 0 ? NUMBER : digits === 0 ? WORD : MIXED;
  tokens.shape[at] = upper === 0 ? LOWER : shapeOf(letters, upper, isUpper(units[from] as number));
  tokens.plain[at] = seen < 128 && letters + digits === i - from ? 1 : 0;
  if (letters > 0) lookUp(hash === 0 ? 1 : hash, at, tokens);
  else {
    tokens.flags[at] = 0;
    tokens.label[at] = 0;
  }
  return i;
}

function isUpper(code: number): boolean {
  return (((UNIT_OF[code] as number) >>> UNIT.UPPER) & 1) === 1;
}

/** @param upper at least one */
function shapeOf(letters: number, upper: number, firstUpper: boolean): number {
  if (!firstUpper) return INNER_CAPS;
  if (upper === 1) return letters === 1 ? INITIAL : CAPITALISED;
  return upper === letters ? ALL_CAPS : CAMEL;
}

/** Whether an apostrophe is inside a word (`O'Brien`), not before a clitic (`Nguyen's`, `don't`, `we'll`). */
function joinsWord(units: Uint16Array, at: number, length: number): boolean {
  if (at + 3 >= length) return false;
  for (let i = at + 1; i <= at + 3; i++) if (CLASS_OF[units[i] as number] !== LETTER) return false;
  return true;
}
