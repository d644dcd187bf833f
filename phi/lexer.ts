import { CLASS_OF, GAP, isApostrophe, LETTER, learn, UNIT, UNIT_OF } from './character.ts';
import { FORM } from './form.ts';
import { kindOf, loadLexicon } from './lexicon.ts';
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
  /** Kind, shape, label and more in one number (form.ts). */
  form: Uint16Array;
  hash: Int32Array;
  /** Lexicon bits (lexicon.ts). */
  flags: Int32Array;
  /** Gap bits of what stands between this token and the one before (character.ts). */
  gap: Uint16Array;
  /** Gap bits behind the last token. */
  after: number;
}

/** @param size tokens expected; it grows when more come */
export function createTokens(size: number): Tokens {
  return {
    count: 0,
    start: new Int32Array(size),
    end: new Int32Array(size),
    form: new Uint16Array(size),
    hash: new Int32Array(size),
    flags: new Int32Array(size),
    gap: new Uint16Array(size),
    after: 0,
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
  wider.gap.set(tokens.gap);
  Object.assign(tokens, { ...wider, count: tokens.count, after: tokens.after });
}

const TOKEN = UNIT.LETTER | UNIT.DIGIT;
/** What makes a token worth a look whatever it is: `user@host`, `//host`, `.org`. */
const MARKS = GAP.AT | GAP.SLASH;

/** Appends the words and numbers of a text. Linear in its length; one look at each code unit. */
export function lex(text: string, tokens: Tokens): void {
  const { length } = text;
  const first = tokens.count;
  const units = readUnits(text);
  tokens.after = 0;
  for (let i = 0; i < length; ) {
    if (tokens.count === tokens.start.length) grow(tokens);
    i = lexUnits(units, i, length, tokens);
  }
  units.fill(0, 0, length);
  lookUp(tokens, first);
}

/** Adds the tokens from a unit on, as many as there is room for. The unit behind a text is 0, which ends every token. @returns the unit it came to */
function lexUnits(units: Uint16Array, at: number, length: number, tokens: Tokens): number {
  const { start, end, form, hash: hashes, gap: gaps } = tokens;
  const room = start.length;
  let { count, after: gap } = tokens;
  let i = at;
  while (i < length && count < room) {
    let unit = unitAt(units, i);
    if ((unit & TOKEN) === 0) {
      gap |= unit & UNIT.VALUE;
      i++;
      continue;
    }
    const from = i;
    let hash = HASH_SEED;
    let all = 0;
    do {
      do {
        all |= unit;
        hash = Math.imul(hash ^ (unit & UNIT.VALUE), HASH_PRIME);
        unit = UNIT_OF[units[++i] as number] as number;
      } while ((unit & TOKEN) !== 0);
      if ((unit & UNIT.ENDS) !== 0) break;
      const next = skipInner(units, i, all);
      if (next > i) all |= UNIT.WIDE;
      i = next;
      unit = UNIT_OF[units[i] as number] as number;
    } while ((unit & TOKEN) !== 0);
    start[count] = from;
    end[count] = i;
    hashes[count] = hash === 0 ? 1 : hash;
    gaps[count] = gap;
    const own = (all & UNIT.UPPER) === 0 ? plainForm(all) : upperForm(units, from, i, all);
    form[count++] = (gap & MARKS) !== 0 || gap === GAP.PERIOD ? own | FORM.ANCHOR : own;
    gap = 0;
  }
  tokens.count = count;
  tokens.after = gap;
  return i;
}

function unitAt(units: Uint16Array, at: number): number {
  const code = units[at] as number;
  const unit = UNIT_OF[code] as number;
  return unit === 0 ? learn(code) : unit;
}

/** Writes what the lexicon knows of the words from a token on: apart, so that slow looks at a large table wait for one another and not for the text. */
function lookUp(tokens: Tokens, from: number): void {
  const lexicon = loadLexicon();
  const { flags: flagsOf, forms } = lexicon;
  const { form, hash, flags, count } = tokens;
  for (let at = from; at < count; at++) {
    const kind = kindOf(lexicon, hash[at] as number);
    const own = form[at] as number;
    if ((own & FORM.KIND) === NUMBER) flags[at] = 0;
    else {
      flags[at] = flagsOf[kind] as number;
      form[at] = own | (forms[kind] as number);
    }
  }
}

/** A token goes on behind silent units, and a word behind an apostrophe inside it. @returns the unit where it goes on or ends */
function skipInner(units: Uint16Array, at: number, all: number): number {
  for (let i = at; ; i++) {
    const code = units[i] as number;
    const inner =
      (unitAt(units, i) & UNIT.SILENT) !== 0 ||
      (isApostrophe(code) && (all & TOKEN) === UNIT.LETTER && joinsWord(units, i));
    if (!inner) return i;
  }
}

/** The form of a token without upper-case letters. @param all bits of its units, WIDE where it skips some */
function plainForm(all: number): number {
  const plain = (all & UNIT.WIDE) === 0 ? FORM.PLAIN : 0;
  if ((all & UNIT.LETTER) === 0) return plain | FORM.ANCHOR | NUMBER;
  return (all & UNIT.DIGIT) === 0 ? plain | WORD : plain | FORM.ANCHOR | MIXED;
}

/** The form of a token with an upper-case letter. */
function upperForm(units: Uint16Array, from: number, to: number, all: number): number {
  let letters = 0;
  let upper = 0;
  for (let i = from; i < to; i++) {
    const unit = UNIT_OF[units[i] as number] as number;
    if ((unit & UNIT.LETTER) !== 0) letters++;
    if ((unit & UNIT.UPPER) !== 0) upper++;
  }
  const isFirst = ((UNIT_OF[units[from] as number] as number) & UNIT.UPPER) !== 0;
  const shape = shapeOf(letters, upper, isFirst);
  const word = (all & UNIT.DIGIT) === 0;
  const capital = word && shape !== INITIAL && shape !== INNER_CAPS ? FORM.CAPITAL : 0;
  return plainForm(all) | (shape << FORM.SHAPE) | FORM.ANCHOR | capital;
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
