import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { LOWER } from '../lexer.ts';
import { monthOf } from '../words/calendar.ts';
import {
  hashAt,
  distance,
  flagsAt,
  gapBefore,
  isMixed,
  isNumber,
  lengthAt,
  numberAt,
  separator,
  shapeAt,
  type View,
  wordAt,
} from '../view.ts';
import { dateKey, emitDate, isYear } from './date.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const OF = hashWord('of');
const RANGE_WORDS = wordSet('to and through');
const HOLIDAY_ENDS = wordSet('day eve');
const IN = hashWord('in');

/** Dates with a month's name: `April 12th, 2023`, `12-Apr-23`, `the 3rd of May`, `March 3–7`, `last July`; and holidays. */

const BEFORE_MONTH = wordSet(
  'in since last this next early late mid until by during of on before after from through every until end beginning around',
);
const AMBIGUOUS = wordSet('may march mar jun jan dec sep oct nov august april june');

/** A month's name at the token: extends to the day and year around it. */
export function recognizeMonth(view: View, at: number): number {
  const month = monthOf(wordAt(view, at));
  if (month === 0) return holiday(view, at);
  const before = dayBefore(view, at);
  const after = before < at ? at : dayAfter(view, at);
  const year = yearAfter(view, after);
  if (before === at && after === at && year === after) return loneMonth(view, at, month);
  const day = before < at ? leadingDay(view, before) : after > at ? leadingDay(view, at + 1) : 0;
  const y = year > after ? Number(wordAt(view, year)) : 0;
  emitDate(view, {
    first: before,
    last: year,
    year: year > after ? year : -1,
    key: dateKey(y, month, day),
    score: 0.9,
  });
  return year;
}

/** `12 April`, `12th of April`, `12-Apr`, `3–7 May`. @returns the first token of the day, or the month's own */
function dayBefore(view: View, at: number): number {
  let day = at - 1;
  if (hashAt(view, day) === OF && gapBefore(view, day) === GAP.SPACE) day--;
  const gap = gapBefore(view, day + 1);
  if (leadingDay(view, day) === 0 || (gap & ~(GAP.SPACE | GAP.HYPHEN | GAP.SLASH)) !== 0 || distance(view, day + 1) > 2)
    return at;
  if (day === at - 1 && gap === GAP.SPACE && leadingDay(view, at + 1) > 0 && !isYear(numberAt(view, at + 1))) return at;
  const range = (gapBefore(view, day) & GAP.HYPHEN) !== 0 && leadingDay(view, day - 1) > 0;
  return range ? day - 1 : day;
}

/** `April 12`, `April 12th`, `March 3-7`, `March 3 and 5`. @returns the last token of the day, or the month's own */
function dayAfter(view: View, at: number): number {
  const gap = gapBefore(view, at + 1);
  if (
    gap < 0 ||
    (gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.COMMA | GAP.SLASH)) !== 0 ||
    leadingDay(view, at + 1) === 0
  )
    return at;
  if (distance(view, at + 1) > 2 || (lengthAt(view, at + 1) > 2 && isNumber(view, at + 1))) return at;
  let last = at + 1;
  while (last - at < 6) {
    const word = hashAt(view, last + 1);
    const joined = (gapBefore(view, last + 1) & GAP.HYPHEN) !== 0 && distance(view, last + 1) <= 3;
    const next = joined ? last + 1 : RANGE_WORDS.has(word) ? last + 2 : -1;
    if (
      next < 0 ||
      leadingDay(view, next) === 0 ||
      lengthAt(view, next) > 4 ||
      (isNumber(view, next) && lengthAt(view, next) > 2)
    )
      return last;
    if (next === last + 2 && (flagsAt(view, next + 1) & (BIT.MONTH | BIT.UNIT)) !== 0) return last;
    last = next;
  }
  return last;
}

/** `, 2023`, ` 2023`, `-23`, ` '23`, ` of 2023`. @returns the year's token, or the given one */
function yearAfter(view: View, at: number): number {
  const next = hashAt(view, at + 1) === OF || hashAt(view, at + 1) === IN ? at + 2 : at + 1;
  const gap = gapBefore(view, next);
  if (gap < 0 || (gap & (GAP.NEWLINE | GAP.OPEN | GAP.END | GAP.COLON)) !== 0 || distance(view, next) > 3) return at;
  const value = numberAt(view, next);
  if (lengthAt(view, next) === 4 && isYear(value) && gapBefore(view, next + 1) !== GAP.HASH) return next;
  const short =
    lengthAt(view, next) === 2 &&
    value >= 0 &&
    ((gap & GAP.APOSTROPHE) !== 0 || (separator(view, next) === 45 && separator(view, at) === 45));
  return short ? next : at;
}

/** The day a token names (`5`, `05`, `5th`), or 0. */
function leadingDay(view: View, at: number): number {
  if (isNumber(view, at)) {
    const value = lengthAt(view, at) <= 2 ? numberAt(view, at) : 0;
    return value >= 1 && value <= 31 ? value : 0;
  }
  if (!isMixed(view, at)) return 0;
  const match = /^(\d{1,2})(?:st|nd|rd|th)$/.exec(wordAt(view, at));
  const value = match === null ? 0 : Number(match[1]);
  return value <= 31 ? value : 0;
}

/** A month without day and year: only where the words before speak of time. */
function loneMonth(view: View, at: number, month: number): number {
  if (shapeAt(view, at) === LOWER && AMBIGUOUS.has(hashAt(view, at))) return at;
  if (!BEFORE_MONTH.has(hashAt(view, at - 1)) || gapBefore(view, at) !== GAP.SPACE) return at;
  emitDate(view, { first: at, last: at, year: -1, key: dateKey(0, month, 0), score: 0.7 });
  return at;
}

function holiday(view: View, at: number): number {
  if ((flagsAt(view, at) & BIT.HOLIDAY) === 0) return at;
  const tail = hashAt(view, at + 1);
  const last = HOLIDAY_ENDS.has(tail) ? at + 1 : at;
  const year = yearAfter(view, last);
  if (year === last && !BEFORE_MONTH.has(hashAt(view, at - 1))) return at;
  emitDate(view, {
    first: at,
    last: year,
    year: year > last ? year : -1,
    key: `${wordAt(view, at)} ${year > last ? wordAt(view, year) : ''}`,
    score: 0.7,
  });
  return year;
}
