import { hashWord } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, LOWER } from '../lexer.ts';
import {
  distance,
  hashAt,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isWord,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { canFollow, endWithPeriod, nameFlagsAt, particleEnd, suffixEnd } from './name-shape.ts';
import { INTRODUCTIONS, NOT_NAMES } from './name-context.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const NAME = hashWord('name');
const IS = hashWord('is');

/** Names of persons (A) behind the word for a role: patient, mother, named; and behind a question for the name. */

/** `pt john doe`, `patient Q. Rivers`, `Name: ROE, JANE`: a name behind a word that stands before names. */
export function recognizeAfterRole(view: View, at: number): number {
  const gap = gapBefore(view, at + 1);
  if (hashAt(view, at) === NAME && (gap & GAP.END) !== 0) return recognizeAnswer(view, at);
  if (gap < 0 || (gap & ~(GAP.SPACE | GAP.COLON | GAP.COMMA | GAP.OPEN)) !== 0) return at;
  // `patient is`, `mother denies`: what mostly stands behind a role.
  if (gap === GAP.SPACE && isPlainWord(view, at + 1) && hashAt(view, at) !== NAME) return at;
  let first = at + 1;
  const introduced = INTRODUCTIONS.has(hashAt(view, at)) || (hashAt(view, at) === NAME && hashAt(view, at + 1) === IS);
  if (hashAt(view, at) === NAME && hashAt(view, first) === IS) first++;
  const flags = flagsAt(view, first);
  const eponym = (flags & NOT_NAMES) === BIT.CLINICAL && (flags & BIT.SURNAME) !== 0;
  const named = isCapitalised(view, first) && ((flags & NOT_NAMES) === 0 || eponym) && labelAt(view, first) === 0;
  if ((gap & GAP.COLON) !== 0 && named) return emitWords(view, first, 0.85);
  if (isInitials(view, first) && (gap & GAP.COLON) === 0) {
    emit(view, 'name', [startOf(view, first), endWithPeriod(view, first + 1)], 0.7);
    return first + 1;
  }
  // `Pt Will Smith`: behind a role even words that are seldom names are.
  const given = gap === GAP.SPACE && isCapitalised(view, first) && (flags & BIT.GIVEN) !== 0;
  if (given && (isSurname(view, first + 1) || ((flags & NOT_NAMES) === 0 && !isCapitalised(view, first + 1))))
    return emitWords(view, first, 0.75);
  if (
    gap === GAP.SPACE &&
    isUnlisted(view, first) &&
    isUnlisted(view, first + 1) &&
    gapBefore(view, first + 1) === GAP.SPACE
  )
    return emitWords(view, first, 0.7);
  if (introduced && isCapitalised(view, first) && (flags & NOT_NAMES) === 0) return emitWords(view, first, 0.7);
  if (isCapitalised(view, first) || !isWord(view, first) || gap !== GAP.SPACE || lengthAt(view, first) < 3) return at;
  const last = lowerEnd(view, first, introduced);
  if (last < first) return at;
  emit(view, 'name', [startOf(view, first), endOf(view, last)], 0.8);
  return last;
}

/** A lower-case word that is no name in any company. */
function isPlainWord(view: View, at: number): boolean {
  return shapeAt(view, at) === LOWER && (flagsAt(view, at) & (NOT_NAMES | BIT.UNIT)) !== 0;
}

/** `What is your name? Kovalev`: one to three words that are the whole answer. */
function recognizeAnswer(view: View, at: number): number {
  let last = at;
  while (last - at < 3 && isAnswer(view, last + 1)) last++;
  const gap = gapBefore(view, last + 1);
  if (last === at || (gap >= 0 && (gap & ~GAP.SPACE) === 0)) return at;
  emit(view, 'name', [startOf(view, at + 1), endWithPeriod(view, last)], 0.75);
  return last;
}

function isAnswer(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (!isWord(view, at) || labelAt(view, at) !== 0 || (gap & ~(GAP.SPACE | GAP.END | GAP.NEWLINE | GAP.OPEN)) !== 0)
    return false;
  return (nameFlagsAt(view, at) & NOT_NAMES) === 0;
}

function isSurname(view: View, at: number): boolean {
  const flags = flagsAt(view, at);
  return (
    isCapitalised(view, at) &&
    gapBefore(view, at) === GAP.SPACE &&
    (flags & BIT.SURNAME) !== 0 &&
    (flags & NOT_NAMES) === 0
  );
}

/** A capitalised word, of four letters or more, that no list of ordinary, clinical or other proper words holds. */
function isUnlisted(view: View, at: number): boolean {
  const flags = nameFlagsAt(view, at);
  const other = NOT_NAMES | BIT.COMMON | BIT.PROPER | BIT.FACILITY | BIT.FACILITY_PART | BIT.FACILITY_NAME | BIT.STREET;
  return isCapitalised(view, at) && lengthAt(view, at) >= 4 && (flags & other) === 0 && labelAt(view, at) === 0;
}

/** `J.D.`, `J. D.` */
function isInitials(view: View, at: number): boolean {
  return isInitial(view, at) && isInitial(view, at + 1) && (gapBefore(view, at + 1) & GAP.PERIOD) !== 0;
}

/** The last word of a lower-case name of one or two words, or less than the first. */
function lowerEnd(view: View, first: number, introduced: boolean): number {
  const flags = flagsAt(view, first);
  const next = flagsAt(view, first + 1);
  const plain = (flags & (NOT_NAMES | BIT.UNIT)) === 0 && (flags & BIT.COMMON) === 0;
  const spaced = gapBefore(view, first + 1) === GAP.SPACE && isWord(view, first + 1) && lengthAt(view, first + 1) >= 2;
  const surname =
    spaced &&
    ((next & BIT.SURNAME) !== 0 || next === 0) &&
    (next & (NOT_NAMES | BIT.UNIT)) === 0 &&
    ((next & BIT.COMMON) === 0 || (next & BIT.SURNAME_TOP) !== 0);
  // `pt john smith`: a given name that is a word too, with a surname.
  if ((flags & (NOT_NAMES | BIT.UNIT | BIT.GIVEN_TOP)) === BIT.GIVEN_TOP && surname && (next & BIT.SURNAME) !== 0)
    return first + 1;
  if (plain && (flags & BIT.GIVEN) !== 0)
    return surname ? first + 1 : (flags & BIT.GIVEN_TOP) !== 0 || introduced ? first : first - 1;
  if (!introduced || !plain) return first - 1;
  return surname ? first + 1 : first;
}

/** Capitalised words from a token on, `Last, First` and particles included. */
function emitWords(view: View, first: number, score: number): number {
  let last = first;
  while (last - first < 4) {
    const gap = gapBefore(view, last + 1);
    const comma =
      (gap & GAP.COMMA) !== 0 &&
      last === first &&
      ((flagsAt(view, last + 1) & BIT.GIVEN) !== 0 || shapeAt(view, first) === ALL_CAPS);
    if (
      gap < 0 ||
      (gap & ~(GAP.SPACE | GAP.HYPHEN | GAP.PERIOD | GAP.COMMA)) !== 0 ||
      ((gap & GAP.COMMA) !== 0 && !comma)
    )
      break;
    if ((gap & GAP.PERIOD) !== 0 && !isInitial(view, last)) break;
    if (distance(view, last + 1) > 2) break;
    const end =
      (flagsAt(view, last + 1) & BIT.PARTICLE) !== 0 && !isCapitalised(view, last + 1)
        ? particleEnd(view, last + 1)
        : 0;
    if (end === 0 && !canFollow(view, last + 1)) break;
    last = end === 0 ? last + 1 : end;
  }
  last = suffixEnd(view, last);
  emit(view, 'name', [startOf(view, first), endWithPeriod(view, last)], score);
  return last;
}
