import { BIT } from '../bit.ts';
import { GAP } from '../character.ts';
import {
  beginsSentence,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isWord,
  lengthAt,
  startOf,
  type View,
  wordAt,
} from '../view.ts';

/** Names of persons (A): by list, by the company they keep, by title, role and shape. */

const MAX_WORDS = 6;
const NEVER = BIT.STOP | BIT.CLINICAL | BIT.MONTH | BIT.COUNTRY | BIT.STATE | BIT.HOLIDAY | BIT.CREDENTIAL;
const ANY_NAME = BIT.GIVEN | BIT.SURNAME;

/** A run of capitalised words and initials that may be a name. */
export function recognizeName(view: View, at: number): number {
  const last = runEnd(view, at);
  const score = scoreRun(view, at, last);
  if (score === 0) return at;
  emit(view, 'name', [startOf(view, at), endWithPeriod(view, last)], score);
  return last;
}

/** The last token of the run: one space, hyphen or initial's period between words; particles inside. */
function runEnd(view: View, at: number): number {
  let last = at;
  while (last - at < MAX_WORDS) {
    const next = last + 1;
    if (joins(view, next) && canFollow(view, next)) last = next;
    else if (
      (flagsAt(view, next) & BIT.PARTICLE) !== 0 &&
      gapBefore(view, next) === GAP.SPACE &&
      endsInName(view, next)
    )
      last = endsInName(view, next);
    else break;
  }
  return last;
}

/** `van der Berg`: particles up to a capitalised word. @returns its token, or 0 */
function endsInName(view: View, at: number): number {
  for (let i = at + 1; i <= at + 2; i++) {
    if (!joins(view, i)) return 0;
    if (isCapitalised(view, i) && canBeName(view, i)) return i;
    if ((flagsAt(view, i) & BIT.PARTICLE) === 0) return 0;
  }
  return 0;
}

function joins(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (gap === GAP.SPACE || gap === GAP.HYPHEN) return true;
  return gap === (GAP.SPACE | GAP.PERIOD) && isInitial(view, at - 1);
}

function canBeName(view: View, at: number): boolean {
  if (isInitial(view, at)) return wordAt(view, at) !== 'i';
  return isCapitalised(view, at) && (flagsAt(view, at) & NEVER) === 0;
}

/** Behind another name word an eponym is a name: `Sarah Johnson`, not `Stevens-Johnson syndrome`. */
function canFollow(view: View, at: number): boolean {
  if (canBeName(view, at)) return true;
  const flags = flagsAt(view, at);
  return (
    isCapitalised(view, at) &&
    (flags & ANY_NAME) !== 0 &&
    (flags & NEVER) === BIT.CLINICAL &&
    (flagsAt(view, at + 1) & BIT.EPONYM_HEAD) === 0
  );
}

function isListed(view: View, at: number): boolean {
  return (flagsAt(view, at) & ANY_NAME) !== 0;
}

/** How sure the run is a name; 0 for none. */
function scoreRun(view: View, first: number, last: number): number {
  const flags = flagsAt(view, first);
  if (!canBeName(view, first)) return 0;
  if (first === last) return scoreSingle(view, first);
  const next = flagsAt(view, first + 1);
  const common = (flags & BIT.COMMON) !== 0;
  if (isInitial(view, first))
    return (flagsAt(view, last) & BIT.SURNAME) !== 0 && (flagsAt(view, last) & BIT.COMMON) === 0 ? 0.8 : 0;
  if (isInitial(view, last) && last === first + 1)
    return (flags & BIT.GIVEN) !== 0 && !(common && beginsSentence(view, first)) ? 0.9 : 0;
  if ((flags & BIT.GIVEN) !== 0) {
    if (!common) return (next & BIT.COMMON) !== 0 && (next & ANY_NAME) === 0 ? 0.5 : 0.9;
    if ((flags & BIT.GIVEN_TOP) !== 0 && (next & BIT.SURNAME_TOP) !== 0) return 0.8;
    return (next & ANY_NAME) !== 0 && (next & BIT.COMMON) === 0 ? 0.8 : 0;
  }
  const lastFlags = flagsAt(view, last);
  if ((flags & BIT.SURNAME) !== 0 && (lastFlags & BIT.GIVEN) !== 0 && ((flags | lastFlags) & BIT.COMMON) === 0)
    return 0.7;
  if (
    (flags & (BIT.COMMON | BIT.PROPER)) === 0 &&
    (lastFlags & BIT.SURNAME_TOP) !== 0 &&
    (lastFlags & BIT.COMMON) === 0
  )
    return 0.6;
  return 0;
}

function scoreSingle(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (isInitial(view, at) || (flags & (BIT.COMMON | BIT.CITY)) !== 0) return 0;
  if (lengthAt(view, at) < 3) return 0;
  if ((flags & BIT.GIVEN_TOP) !== 0) return 0.7;
  if ((flags & BIT.GIVEN) !== 0 && (flags & BIT.PROPER) === 0) return 0.5;
  if ((flags & BIT.SURNAME_TOP) !== 0 && !beginsSentence(view, at)) return 0.5;
  return 0;
}

/** The period of a last initial belongs to the name. */
function endWithPeriod(view: View, last: number): number {
  const end = endOf(view, last);
  return isInitial(view, last) && view.text.charCodeAt(end) === 46 ? end + 1 : end;
}

/** `Dr. Okafor`, `Mrs. K.`, `mr smith`: what follows a title is a name, whatever else it may be. */
export function recognizeTitled(view: View, at: number): number {
  let last = at;
  let next = at + 1;
  while (next - at <= 4) {
    const gap = gapBefore(view, next);
    const afterDot = (gap & GAP.PERIOD) === 0 || next === at + 1 || isInitial(view, next - 1);
    if (gap < 0 || (gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN)) !== 0 || !afterDot) break;
    const flags = flagsAt(view, next);
    const lower =
      next === at + 1 &&
      !isCapitalised(view, at) &&
      isWord(view, next) &&
      isListed(view, next) &&
      (flags & (BIT.STOP | BIT.COMMON)) === 0;
    const particle = (flags & BIT.PARTICLE) !== 0 && isCapitalised(view, next + 1);
    if (!(isCapitalised(view, next) && (flags & BIT.STOP) === 0) && !isInitial(view, next) && !lower && !particle)
      break;
    last = next;
    next++;
  }
  if (last === at || !isWord(view, at)) return at;
  emit(view, 'name', [startOf(view, at + 1), endWithPeriod(view, last)], 0.95);
  return last;
}

/** `pt john doe`, `patient Q. Rivers`, `Name: ROE, JANE`: a name behind a word that stands before names. */
export function recognizeAfterRole(view: View, at: number): number {
  const gap = gapBefore(view, at + 1);
  if (gap < 0 || (gap & ~(GAP.SPACE | GAP.COLON | GAP.COMMA | GAP.OPEN)) !== 0) return at;
  const first = at + 1;
  const flags = flagsAt(view, first);
  if ((gap & GAP.COLON) !== 0 && isCapitalised(view, first) && (flags & (BIT.STOP | BIT.CLINICAL)) === 0) {
    return emitWords(view, first, 0.85);
  }
  if (isCapitalised(view, first) || !isWord(view, first) || gap !== GAP.SPACE) return at;
  const next = flagsAt(view, first + 1);
  const pair =
    (flags & BIT.GIVEN) !== 0 &&
    (flags & (BIT.STOP | BIT.COMMON)) === 0 &&
    gapBefore(view, first + 1) === GAP.SPACE &&
    (next & BIT.SURNAME) !== 0 &&
    (next & BIT.STOP) === 0;
  if (!pair) return at;
  emit(view, 'name', [startOf(view, first), endOf(view, first + 1)], 0.8);
  return first + 1;
}

/** Capitalised words from a token on, `Last, First` included. */
function emitWords(view: View, first: number, score: number): number {
  let last = first;
  while (last - first < 4) {
    const gap = gapBefore(view, last + 1);
    const comma = (gap & GAP.COMMA) !== 0 && last === first && (flagsAt(view, last + 1) & BIT.GIVEN) !== 0;
    if (
      gap < 0 ||
      (gap & ~(GAP.SPACE | GAP.HYPHEN | GAP.PERIOD | GAP.COMMA)) !== 0 ||
      ((gap & GAP.COMMA) !== 0 && !comma)
    )
      break;
    if ((gap & GAP.PERIOD) !== 0 && !isInitial(view, last)) break;
    if (!canBeName(view, last + 1)) break;
    last++;
  }
  emit(view, 'name', [startOf(view, first), endWithPeriod(view, last)], score);
  return last;
}

/** `Roe, Jane`, `ROE^JANE`: the family name first. Called for a capitalised word. */
export function recognizeLastFirst(view: View, at: number): number {
  const gap = gapBefore(view, at + 1);
  if (gap !== (GAP.COMMA | GAP.SPACE) && gap !== GAP.COMMA) return at;
  const flags = flagsAt(view, at);
  const next = flagsAt(view, at + 1);
  if (!isCapitalised(view, at + 1) || (next & BIT.GIVEN) === 0 || (next & (NEVER | BIT.COMMON)) !== 0) return at;
  if ((flags & BIT.SURNAME) === 0 || (flags & (NEVER | BIT.COMMON | BIT.GIVEN)) !== 0) return at;
  const initial = isInitial(view, at + 2) && gapBefore(view, at + 2) === GAP.SPACE ? at + 2 : at + 1;
  emit(view, 'name', [startOf(view, at), endWithPeriod(view, initial)], 0.8);
  return initial;
}
