import { hashWord, wordSet } from '../word-hash.ts';
import { GAP as GAPS } from '../character.ts';
import {
  hashAt,
  emit,
  endOf,
  gapBefore,
  isMixed,
  isNumber,
  lengthAt,
  numberAt,
  startOf,
  type View,
  wordAt,
} from '../view.ts';

// Bound here: view.ts says why.
const GAP = GAPS;

const O = hashWord('o');
const AND = hashWord('and');
const OF = hashWord('of');
const YEARS_OLD = wordSet('yo yof yom');
const YEARS = wordSet('y yr yrs year years');
const OLD = wordSet('o old');
const AGED = wordSet('aged age turned turning turn');
const IS = wordSet('of is was');
const AGE = hashWord('age');

/** Ages over 89 (45 CFR 164.514(b)(2)(i)(C)); younger ages are clinical meaning and stay. */

const OLDEST = 125;

export function recognizeAge(view: View, at: number): number {
  if (isNumber(view, at)) {
    const age = numberAt(view, at);
    if (age > 89 && age <= OLDEST && (isYearsOld(view, at + 1) || isAged(view, at) || view.expects === 'age')) {
      emit(view, 'age', [startOf(view, at), endOf(view, at)], 0.8);
    }
    return at;
  }
  if (!isMixed(view, at) || lengthAt(view, at) < 3) return at;
  const match = /^(\d{2,3})(yo|yof|yom|y|yr|yrs|m|f)$/.exec(wordAt(view, at));
  const age = match === null ? 0 : Number(match[1]);
  const unsure = match?.[2] === 'm' || match?.[2] === 'f' || match?.[2] === 'y';
  if (
    age > 89 &&
    age <= OLDEST &&
    (!unsure || hashAt(view, at + 1) === O || !/[a-z]/.test(view.text.charAt(endOf(view, at) - 1)))
  ) {
    emit(view, 'age', [startOf(view, at), startOf(view, at) + String(age).length], 0.8);
  }
  return at;
}

const LARGE = wordSet('ninety hundred');
/** Ages over 89 in a word; the nineties only of a person (`in her nineties`). */
const ALONE = wordSet('nonagenarian centenarian');
const NINETIES = hashWord('nineties');
const WHOSE = wordSet('his her their my mid late early');
const UNITS = wordSet('one two three four five six seven eight nine');

/** `ninety-two year old`, `a hundred and two years old`. */
export function recognizeAgeInWords(view: View, at: number): number {
  if (ALONE.has(hashAt(view, at)) || (hashAt(view, at) === NINETIES && WHOSE.has(hashAt(view, at - 1)))) {
    emit(view, 'age', [startOf(view, at), endOf(view, at)], 0.8);
    return at;
  }
  if (!LARGE.has(hashAt(view, at))) return at;
  let last = at;
  if (hashAt(view, last + 1) === AND) last++;
  if (UNITS.has(hashAt(view, last + 1)) && (gapBefore(view, last + 1) & ~(GAP.SPACE | GAP.HYPHEN)) === 0) last++;
  if (hashAt(view, last) === AND) last--;
  if (!isYearsOld(view, last + 1) && !isAged(view, at)) return at;
  emit(view, 'age', [startOf(view, at), endOf(view, last)], 0.8);
  return last;
}

/** `year old`, `yo`, `y/o`, `-year-old`, `years of age`. */
function isYearsOld(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (gap < 0 || (gap & ~(GAP.SPACE | GAP.HYPHEN)) !== 0) return false;
  if (YEARS_OLD.has(hashAt(view, at))) return true;
  if (!YEARS.has(hashAt(view, at))) return false;
  return OLD.has(hashAt(view, at + 1)) || (hashAt(view, at + 1) === OF && hashAt(view, at + 2) === AGE);
}

/** `aged 94`, `age: 94`, `turned 94`, `at the age of 94`. */
function isAged(view: View, at: number): boolean {
  const before = hashAt(view, at - 1);
  return AGED.has(before) || (IS.has(before) && hashAt(view, at - 2) === AGE);
}
