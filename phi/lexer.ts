import { CLASS_OF, GAP, isApostrophe, LETTER, learn, UNIT, UNIT_OF } from './character.ts';
import { FORM } from './form.ts';
import { lookUpWords } from './lexicon.ts';
import { CELL, growTokens, roomOf, type Tokens } from './tokens.ts';
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
export const INNER_CAPS = 5;

// Bound here: what a module imports is looked up at every use.
const { BITS, START, END, HASH, FORM: FORMS, GAP: GAPS } = CELL;
const { VALUE, UPPER, ENDS, DIGIT: DIGITS, WIDE } = UNIT;
const { ANCHOR, CAPITAL, SHAPE } = FORM;
const [SEED, PRIME, UNITS] = [HASH_SEED, HASH_PRIME, UNIT_OF];
const TOKEN = UNIT.LETTER | UNIT.DIGIT;
/** What makes a token worth a look whatever it is: `user@host`, `//host`, `.org`. */
const MARKS = GAP.AT | GAP.SLASH;
const { PERIOD } = GAP;

/** Appends the words and numbers of a text. Linear in its length; one look at each code unit. */
export function lex(text: string, tokens: Tokens): void {
  const { length } = text;
  const first = tokens.count;
  const units = readUnits(text);
  tokens.after = 0;
  for (let i = 0; i < length; ) {
    if (tokens.count === roomOf(tokens)) growTokens(tokens);
    i = lexUnits(units, i, length, tokens);
  }
  units.fill(0, 0, length);
  lookUpWords(tokens, first);
}

/** Adds the tokens from a unit on, as many as there is room for. The unit behind a text is 0, which ends every token. @returns the unit it came to */
function lexUnits(units: Uint16Array, from: number, length: number, tokens: Tokens): number {
  const { cells } = tokens;
  const room = cells.length;
  let [at, gap, i, unit] = [tokens.count << BITS, tokens.after, from, unitAt(units, from)];
  while (at < room) {
    while ((unit & TOKEN) === 0 && i < length) {
      gap |= unit;
      unit = UNITS[units[++i] as number] as number;
      if (unit === 0) unit = unitAt(units, i);
    }
    if (i >= length) break;
    const [start, first] = [i, unit];
    let hash = SEED;
    let all = 0;
    let upper = 0;
    do {
      all |= unit;
      upper += unit & UPPER;
      hash = Math.imul(hash ^ (unit & VALUE), PRIME);
      unit = UNITS[units[++i] as number] as number;
    } while ((unit & TOKEN) !== 0);
    gap &= VALUE;
    cells[at + START] = start;
    cells[at + END] = i;
    cells[at + HASH] = hash === 0 ? 1 : hash;
    cells[at + GAPS] = gap;
    let own = PLAIN_FORMS[(all >> UNIT_BITS) & UNIT_SET] as number;
    if (upper !== 0) own |= isOdd(all, i - start) ? oddForm(units, start, i, all) : wordForm(first, upper, i - start);
    cells[at + FORMS] = (gap & MARKS) !== 0 || gap === PERIOD ? own | ANCHOR : own;
    if ((unit & ENDS) === 0) {
      i = lexOn(units, cells, at);
      unit = unitAt(units, i);
    }
    at += 1 << BITS;
    gap = 0;
  }
  tokens.count = at >> BITS;
  tokens.after = gap & VALUE;
  return i;
}

/**
 * Goes on with a token behind an apostrophe and what is silent. Apart from the loop over all units, because nearly all tokens end where they seem to.
 * @param at the token's first cell. @returns the unit where it ends
 */
function lexOn(units: Uint16Array, cells: Int32Array, at: number): number {
  const start = cells[at + START] as number;
  let i = start;
  let hash = SEED;
  let all = 0;
  for (let unit = unitAt(units, i); (unit & TOKEN) !== 0; unit = unitAt(units, i)) {
    all |= unit;
    hash = Math.imul(hash ^ (unit & VALUE), PRIME);
    if ((unitAt(units, ++i) & TOKEN) !== 0) continue;
    const next = skipInner(units, i, all);
    if (next > i) all |= UNIT.WIDE;
    i = next;
  }
  if (i === cells[at + END]) return i;
  cells[at + END] = i;
  cells[at + HASH] = hash === 0 ? 1 : hash;
  const marked = (cells[at + FORMS] as number) & ANCHOR;
  const upper = (all & UPPER) === 0 ? 0 : oddForm(units, start, i, all);
  cells[at + FORMS] = (PLAIN_FORMS[(all >> UNIT_BITS) & UNIT_SET] as number) | upper | marked;
  return i;
}

function unitAt(units: Uint16Array, at: number): number {
  const code = units[at] as number;
  const unit = UNITS[code] as number;
  return unit === 0 ? learn(code) : unit;
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

/** What {@link PLAIN_FORMS} is asked with: the bits LETTER to WIDE of a token's units. */
const UNIT_BITS = 16;
const UNIT_SET = 31;
/** The form of a token, as far as it does not depend on its upper-case letters. */
const PLAIN_FORMS = Uint8Array.from({ length: UNIT_SET + 1 }, (_, set) => plainForm(set << UNIT_BITS));

/** @param all bits of a token's units, WIDE where it skips some */
function plainForm(all: number): number {
  const plain = (all & UNIT.WIDE) === 0 ? FORM.PLAIN : 0;
  if ((all & UNIT.LETTER) === 0) return plain | ANCHOR | NUMBER;
  return (all & UNIT.DIGIT) === 0 ? plain | WORD : plain | ANCHOR | MIXED;
}

/** Upper-case letters of a longer word are counted one by one. */
const MAX_COUNTED = 64;

/** Whether a token is anything but a word of some ASCII letters. */
function isOdd(all: number, length: number): boolean {
  return (all & (DIGITS | WIDE)) !== 0 || length > MAX_COUNTED;
}

/** What upper-case letters add to the form of a word of ASCII letters. @param upper UPPER as often as it has them, once at least */
function wordForm(first: number, upper: number, length: number): number {
  return capitalForm(shapeOf(length * UPPER, upper, (first & UPPER) !== 0), true);
}

/** What upper-case letters add to the form of any token that has some. */
function oddForm(units: Uint16Array, from: number, to: number, all: number): number {
  let letters = 0;
  let upper = 0;
  for (let i = from; i < to; i++) {
    const unit = UNITS[units[i] as number] as number;
    if ((unit & UNIT.LETTER) !== 0) letters += UPPER;
    if ((unit & UPPER) !== 0) upper += UPPER;
  }
  const isFirst = ((UNITS[units[from] as number] as number) & UPPER) !== 0;
  return capitalForm(shapeOf(letters, upper, isFirst), (all & UNIT.DIGIT) === 0);
}

/** @param letters and upper-case ones, UPPER for each */
function shapeOf(letters: number, upper: number, firstUpper: boolean): number {
  if (!firstUpper) return INNER_CAPS;
  if (upper === UPPER) return letters === UPPER ? INITIAL : CAPITALISED;
  return upper === letters ? ALL_CAPS : CAMEL;
}

function capitalForm(shape: number, isWord: boolean): number {
  const capital = isWord && shape !== INITIAL && shape !== INNER_CAPS ? CAPITAL : 0;
  return (shape << SHAPE) | ANCHOR | capital;
}

/** Whether an apostrophe is inside a word (`O'Brien`), not before a clitic (`Nguyen's`, `don't`, `we'll`). */
function joinsWord(units: Uint16Array, at: number): boolean {
  for (let i = at + 1; i <= at + 3; i++) {
    const code = units[i] as number;
    if (UNITS[code] === 0) learn(code);
    if (CLASS_OF[code] !== LETTER) return false;
  }
  return true;
}
