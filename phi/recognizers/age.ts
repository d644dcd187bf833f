import { wordSet } from '../word-hash.ts';
import { GAP } from '../character.ts';
import { hashAt, emit, endOf, gapBefore, isMixed, isNumber, numberAt, startOf, type View, wordAt } from '../view.ts';

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
  if (!isMixed(view, at)) return at;
  const match = /^(\d{2,3})(yo|yof|yom|y|yr|yrs|m|f)$/.exec(wordAt(view, at));
  const age = match === null ? 0 : Number(match[1]);
  const unsure = match?.[2] === 'm' || match?.[2] === 'f' || match?.[2] === 'y';
  if (
    age > 89 &&
    age <= OLDEST &&
    (!unsure || wordAt(view, at + 1) === 'o' || !/[a-z]/.test(view.text.charAt(endOf(view, at) - 1)))
  ) {
    emit(view, 'age', [startOf(view, at), startOf(view, at) + String(age).length], 0.8);
  }
  return at;
}

const TENS = 'ninety';
const UNITS = wordSet('one two three four five six seven eight nine');

/** `ninety-two year old`, `a hundred and two years old`. */
export function recognizeAgeInWords(view: View, at: number): number {
  const word = wordAt(view, at);
  if (word !== TENS && word !== 'hundred') return at;
  let last = at;
  if (wordAt(view, last + 1) === 'and') last++;
  if (UNITS.has(hashAt(view, last + 1)) && (gapBefore(view, last + 1) & ~(GAP.SPACE | GAP.HYPHEN)) === 0) last++;
  if (wordAt(view, last) === 'and') last--;
  if (!isYearsOld(view, last + 1) && !isAged(view, at)) return at;
  emit(view, 'age', [startOf(view, at), endOf(view, last)], 0.8);
  return last;
}

/** `year old`, `yo`, `y/o`, `-year-old`, `years of age`. */
function isYearsOld(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (gap < 0 || (gap & ~(GAP.SPACE | GAP.HYPHEN)) !== 0) return false;
  const word = wordAt(view, at);
  if (word === 'yo' || word === 'yof' || word === 'yom') return true;
  if (word === 'y' || word === 'yr' || word === 'yrs' || word === 'year' || word === 'years') {
    const next = wordAt(view, at + 1);
    return next === 'o' || next === 'old' || (next === 'of' && wordAt(view, at + 2) === 'age');
  }
  return false;
}

/** `aged 94`, `age: 94`, `turned 94`, `at the age of 94`. */
function isAged(view: View, at: number): boolean {
  const word = wordAt(view, at - 1);
  if (word === 'aged' || word === 'age' || word === 'turned' || word === 'turning' || word === 'turn') return true;
  return (word === 'of' || word === 'is' || word === 'was') && wordAt(view, at - 2) === 'age';
}
