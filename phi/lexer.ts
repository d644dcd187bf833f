import { CLASS_OF, GAP, LETTER, learn, UNIT, UNIT_OF } from './character.ts';
import { kindOf, type Lexicon, loadLexicon } from './lexicon.ts';
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
  /** Kind, shape and more in one byte ({@link FORM}). */
  form: Uint8Array;
  hash: Int32Array;
  /** Lexicon bits (lexicon.ts). */
  flags: Int32Array;
  /** Label code of the word (lexicon.ts), 0 for none. */
  label: Uint8Array;
  /** Gap bits of what stands between this token and the one before (character.ts). */
  gap: Uint16Array;
}

/** How a byte of {@link Tokens.form} is made. */
export const FORM = {
  /** WORD, NUMBER or MIXED, in the lowest bits. */
  KIND: 3,
  /** Place and bits of LOWER and its kin. */
  SHAPE: 2,
  SHAPES: 7,
  /** All ASCII letters and digits, so that folding it is at most a change of case. */
  PLAIN: 32,
  /** A recognizer may begin here. */
  ANCHOR: 64,
  /** A word of two letters or more that begins with an upper-case letter. */
  CAPITAL: 128,
} as const;

/** @param size tokens expected; it grows when more come */
export function createTokens(size: number): Tokens {
  return {
    count: 0,
    start: new Int32Array(size),
    end: new Int32Array(size),
    form: new Uint8Array(size),
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
  wider.form.set(tokens.form);
  wider.hash.set(tokens.hash);
  wider.flags.set(tokens.flags);
  wider.label.set(tokens.label);
  wider.gap.set(tokens.gap);
  Object.assign(tokens, { ...wider, count: tokens.count });
}

const TOKEN = UNIT.LETTER | UNIT.DIGIT;
/** What makes a token worth a look whatever it is: `user@host`, `//host`, `.org`. */
const MARKS = GAP.AT | GAP.SLASH;

/**
 * Appends the words and numbers of a text. Linear in its length; one look at each code unit.
 * @returns the gap bits after the last token
 */
export function lex(text: string, tokens: Tokens): number {
  const { length } = text;
  const units = readUnits(text);
  const lexicon = loadLexicon();
  let gap = 0;
  let i = 0;
  while (i < length) {
    const code = units[i] as number;
    let unit = UNIT_OF[code] as number;
    if (unit === 0) {
      learn(code);
      unit = UNIT_OF[code] as number;
    }
    if ((unit & TOKEN) !== 0) {
      if (tokens.count === tokens.start.length) grow(tokens);
      tokens.gap[tokens.count] = gap;
      i = lexToken(units, i, tokens, lexicon);
      gap = 0;
    } else {
      if ((unit & UNIT.SILENT) === 0) gap |= unit & UNIT.VALUE;
      i++;
    }
  }
  units.fill(0, 0, length);
  return gap;
}

/** Adds the token that begins at `from`. The unit behind a text is 0, which ends every token. @returns its end */
function lexToken(units: Uint16Array, from: number, tokens: Tokens, lexicon: Lexicon): number {
  let hash = HASH_SEED;
  let all = 0;
  let upper = 0;
  let skipped = 0;
  let i = from;
  for (;;) {
    let unit = UNIT_OF[units[i] as number] as number;
    while ((unit & TOKEN) !== 0) {
      all |= unit;
      upper += (unit >>> UNIT.UPPER) & 1;
      hash = Math.imul(hash ^ (unit & UNIT.VALUE), HASH_PRIME);
      unit = UNIT_OF[units[++i] as number] as number;
    }
    if (unit === 0) learn(units[i] as number);
    else if (goesOn(units, i, unit, all)) {
      skipped++;
      i++;
    } else break;
  }
  const at = tokens.count++;
  tokens.start[at] = from;
  tokens.end[at] = i;
  tokens.hash[at] = hash === 0 ? 1 : hash;
  const plain = (all & UNIT.WIDE) === 0 && skipped === 0 ? FORM.PLAIN : 0;
  const word = (all & UNIT.LETTER) !== 0;
  if (!word) tokens.label[at] = tokens.flags[at] = 0;
  const anchor = word ? lookUp(tokens, at, lexicon) : FORM.ANCHOR;
  const kind = !word ? NUMBER : (all & UNIT.DIGIT) === 0 ? WORD : MIXED;
  tokens.form[at] =
    upper > 0
      ? plain | upperForm(units, [from, i], upper, kind)
      : plain | kind | (kind === WORD ? anchor : FORM.ANCHOR);
  return i;
}

/** Writes what the lexicon knows of a word. @returns whether a recognizer may begin at it in lower case, as a bit of its form */
function lookUp(tokens: Tokens, at: number, lexicon: Lexicon): number {
  const kind = kindOf(lexicon, tokens.hash[at] as number);
  tokens.flags[at] = lexicon.flags[kind] as number;
  tokens.label[at] = lexicon.labels[kind] as number;
  const gap = tokens.gap[at] as number;
  return lexicon.anchors[kind] === 1 || (gap & MARKS) !== 0 || gap === GAP.PERIOD ? FORM.ANCHOR : 0;
}

/** Whether a token goes on behind a unit that is no letter and no digit: silent ones, and an apostrophe inside a word. */
function goesOn(units: Uint16Array, at: number, unit: number, all: number): boolean {
  if ((unit & UNIT.SILENT) !== 0) return true;
  return (
    (unit & GAP.APOSTROPHE) !== 0 &&
    isApostrophe(units[at] as number) &&
    (all & TOKEN) === UNIT.LETTER &&
    joinsWord(units, at)
  );
}

function isApostrophe(code: number): boolean {
  return code === 39 || code === 0x2019;
}

/** The form of a token with an upper-case letter. */
function upperForm(units: Uint16Array, [from, to]: readonly [number, number], upper: number, kind: number): number {
  let letters = 0;
  for (let i = from; i < to; i++) if (CLASS_OF[units[i] as number] === LETTER) letters++;
  const shape = shapeOf(letters, upper, isUpper(units[from] as number));
  const capital = kind === WORD && shape !== INITIAL && shape !== INNER_CAPS ? FORM.CAPITAL : 0;
  return kind | (shape << FORM.SHAPE) | FORM.ANCHOR | capital;
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
function joinsWord(units: Uint16Array, at: number): boolean {
  for (let i = at + 1; i <= at + 3; i++) {
    const code = units[i] as number;
    if (UNIT_OF[code] === 0) learn(code);
    if (CLASS_OF[code] !== LETTER) return false;
  }
  return true;
}
