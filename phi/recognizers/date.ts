import { wordSet } from '../word-hash.ts';
import { GAP as GAPS } from '../character.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  hashAt,
  distance,
  flagsAt,
  gapBefore,
  isMixed,
  isNumber,
  kindAt,
  labelAt,
  lengthAt,
  numberAt,
  separator,
  startOf,
  endOf,
  type View,
  wordAt,
} from '../view.ts';
import { BIT as BITS } from '../bit.ts';

// Bound here: view.ts says why.
const [GAP, LABEL, BIT] = [GAPS, LABELS, BITS];

const SCORES = wordSet(
  'pain scale score grade graded murmur strength level rated rates power motor reflexes pulses intensity apgar severity',
);

/** Dates in digits (45 CFR 164.514(b)(2)(i)(C)): m/d/y, y-m-d, ISO 8601, HL7 TS, m/d in context. */

/** Words before a month and day without a year, without which `3/4` is a fraction or a score. */
const DATE_WORDS = wordSet(
  'on seen admitted admit discharged discharge dob born visit surgery since until by dated date dates through thru between from appointment appt scheduled started labs drawn performed collected received due expires before after around',
);

interface DateParts {
  readonly first: number;
  readonly last: number;
  /** Token that holds the year, -1 for none. */
  readonly year: number;
  readonly key: string;
  readonly score: number;
}

/** Emits a date; with `keep-year` the year at its beginning or end stays as text. */
export function emitDate(view: View, parts: DateParts): void {
  let start = startOf(view, parts.first);
  let end = endOf(view, parts.last);
  if (view.dates === 'keep-year' && parts.year >= 0) {
    if (parts.year === parts.first) start = startOf(view, parts.first + 1);
    else if (parts.year === parts.last) end = endOf(view, parts.last - 1);
  }
  if (end > start) view.found.push({ entity: 'date', start, end, score: parts.score, key: parts.key });
}

export function recognizeNumericDate(view: View, at: number): number {
  if (!isNumber(view, at)) return at;
  const length = lengthAt(view, at);
  if (length === 8 || length === 12 || length === 14) return compactDate(view, at);
  if (length > 4) return at;
  const mark = separator(view, at + 1);
  if (mark !== 47 && mark !== 45 && mark !== 46 && mark !== 0x2013) return at;
  // Part of a longer run of numbers (an OID, a phone, a version) is no date.
  if (separator(view, at) === mark && (isNumber(view, at - 1) || isMixed(view, at - 1))) return at;
  return separator(view, at + 2) === mark ? threeParts(view, at, mark) : monthDay(view, at, mark);
}

function threeParts(view: View, at: number, mark: number): number {
  // `01/l2/1980`: a scan's letters for digits.
  if (mark === 47 && isMixed(view, at + 1)) return recognizeBlurredDate(view, at);
  const third = leadingNumber(view, at + 2);
  const a = numberAt(view, at);
  const b = numberAt(view, at + 1);
  if (third < 0 || b < 0 || a < 0) return at;
  if (separator(view, at + 3) === mark && kindAt(view, at + 3) === 2) return at;
  const yearFirst = lengthAt(view, at) === 4;
  const yearLength = yearFirst ? 4 : lengthAt(view, at + 2);
  const y = yearFirst ? a : third;
  const [m, d] = yearFirst ? [b, third] : isMonthDay(a, b) ? [a, b] : [b, a];
  const known = isMonthDay(m, d) && (yearLength === 4 ? isYear(y) : mark !== 46 || isDated(view, at));
  if (!known && !(isDated(view, at) && (yearLength === 4 || mark === 47))) return at;
  if (yearLength !== 4 && yearLength !== 2 && !isMixed(view, at + 2)) return at;
  // "2-3-1", "1-2-23": without a two-digit part it is a dose or a score.
  if (mark !== 47 && yearLength !== 4 && lengthAt(view, at) < 2 && lengthAt(view, at + 1) < 2) return at;
  const last = timeEnd(view, at + 2);
  const year = yearFirst ? at : last === at + 2 ? last : -1;
  emitDate(view, { first: at, last, year, key: dateKey(y, m, d), score: known ? 0.9 : 0.6 });
  return last;
}

/** What a scan reads for 0 and 1. */
const BLURRED = /^(?=.*\d)[\doil]{1,4}$/;

/** `O1/l2/1980`: three parts of digits, some of which a scan read as letters, and a year of four or a word that speaks of a date. */
export function recognizeBlurredDate(view: View, at: number): number {
  if (separator(view, at + 1) !== 47 || separator(view, at + 2) !== 47 || separator(view, at + 3) === 47) return at;
  const parts = [at, at + 1, at + 2].map((part) => wordAt(view, part));
  const [first = '', second = '', year = ''] = parts;
  if (!parts.every((part) => BLURRED.test(part)) || first.length > 2 || second.length > 2) return at;
  if (!(year.length === 4 || (year.length === 2 && isDated(view, at)))) return at;
  const [a, b, y] = parts.map((part) => Number(part.replaceAll('o', '0').replaceAll(/[il]/g, '1')));
  emitDate(view, { first: at, last: at + 2, year: at + 2, key: dateKey(y ?? 0, a ?? 0, b ?? 0), score: 0.8 });
  return at + 2;
}

/** The number a token begins with (`12T10`), or -1. */
function leadingNumber(view: View, at: number): number {
  if (isNumber(view, at)) return numberAt(view, at);
  if (!isMixed(view, at)) return -1;
  const text = wordAt(view, at);
  const t = text.indexOf('t');
  return t === 2 && text.length <= 8 ? Number(text.slice(0, 2)) : -1;
}

/** ISO 8601 time behind `T`: the tokens joined by colons, dots, plus and hyphen. */
function timeEnd(view: View, at: number): number {
  if (!isMixed(view, at)) return clockEnd(view, at);
  let last = at;
  while (
    last - at < 5 &&
    distance(view, last + 1) === 1 &&
    (gapBefore(view, last + 1) & (GAP.COLON | GAP.PERIOD | GAP.PLUS | GAP.HYPHEN)) !== 0
  )
    last++;
  return last;
}

/** `2023-04-12 08:11:32`: a time of day that is attached to the date. */
function clockEnd(view: View, at: number): number {
  const hours = gapBefore(view, at + 1) === GAP.SPACE && isNumber(view, at + 1) && lengthAt(view, at + 1) <= 2;
  if (!hours || gapBefore(view, at + 2) !== GAP.COLON || lengthAt(view, at + 2) !== 2 || !isNumber(view, at + 2))
    return at;
  return gapBefore(view, at + 3) === GAP.COLON && lengthAt(view, at + 3) === 2 ? at + 3 : at + 2;
}

function monthDay(view: View, at: number, mark: number): number {
  const m = numberAt(view, at);
  const d = numberAt(view, at + 1);
  if (mark === 46 || m < 0 || d < 0 || separator(view, at) === mark) return at;
  if (mark === 47 && lengthAt(view, at + 1) === 4 && m >= 1 && m <= 12 && isYear(d)) {
    emitDate(view, { first: at, last: at + 1, year: at + 1, key: dateKey(d, m, 0), score: 0.8 });
    return at + 1;
  }
  if (lengthAt(view, at) > 2 || lengthAt(view, at + 1) > 2 || !isMonthDay(m, d) || mark !== 47 || !isDated(view, at))
    return at;
  if ((flagsAt(view, at + 2) & BIT.UNIT) !== 0 || isScore(view, at)) return at;
  emitDate(view, { first: at, last: at + 1, year: -1, key: dateKey(0, m, d), score: 0.7 });
  return at + 1;
}

/** `pain 9/10`, `murmur grade 2/6`, `strength 5/5`. */
function isScore(view: View, at: number): boolean {
  for (let i = at - 1; i >= at - 5 && i >= view.from; i--) {
    if (SCORES.has(hashAt(view, i))) return true;
  }
  return false;
}

/** YYYYMMDD[HHMM[SS]] of HL7 v2 (2.A.22) and of file names. */
function compactDate(view: View, at: number): number {
  const text = wordAt(view, at);
  const [y, m, d] = [Number(text.slice(0, 4)), Number(text.slice(4, 6)), Number(text.slice(6, 8))];
  if (!isYear(y) || !isMonthDay(m, d) || m > 12) return at;
  const start = startOf(view, at) + (view.dates === 'keep-year' ? 4 : 0);
  view.found.push({ entity: 'date', start, end: endOf(view, at), score: 0.6, key: dateKey(y, m, d) });
  return at;
}

/** Whether a word close before says that a date follows. */
function isDated(view: View, at: number): boolean {
  if (view.expects === 'date') return true;
  for (let i = at - 1; i >= at - 3 && i >= view.from; i--) {
    if (labelAt(view, i) === LABEL.BIRTH || DATE_WORDS.has(hashAt(view, i))) return true;
  }
  return false;
}

function isMonthDay(m: number, d: number): boolean {
  return m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

export function isYear(y: number): boolean {
  return y >= 1800 && y <= 2199;
}

/** 0 for what is not known. Letters between the parts, because keys are compared by letters and digits alone: 1-21 is not 12-1. */
export function dateKey(y: number, m: number, d: number): string {
  const year = y > 0 && y < 100 ? (y > 40 ? 1900 + y : 2000 + y) : y;
  return `${year}y${m}m${d}`;
}
