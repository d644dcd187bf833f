import { hashWord, wordSet } from '../word-hash.ts';
import { BIT } from '../bit.ts';
import { GAP } from '../character.ts';
import { ALL_CAPS, CAMEL, CAPITALISED, LOWER } from '../lexer.ts';
import {
  hashAt,
  beginsSentence,
  emit,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isNumber,
  isWord,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { isIntroduced } from './name-context.ts';
import {
  ANY_NAME,
  canFollow,
  endsClinically,
  endWithPeriod,
  HARD,
  joins,
  NEVER,
  particleEnd,
  PERSONAL,
} from './name-shape.ts';

const AND = hashWord('and');
const S = hashWord('s');
const DEGREES = wordSet('md dds phd dvm do');
const SUFFIXES = wordSet('jr sr ii iii iv');

/** Names of persons (A) by list, shape and the company they keep. Names behind titles and roles: name-context.ts. */

const MAX_WORDS = 6;

/** A run of capitalised words and initials that may be a name. */
export function recognizeName(view: View, at: number): number {
  if (!canBegin(view, at)) return at;
  let last = runEnd(view, at);
  let score = scoreRun(view, at, last);
  while (score === 0 && last > at) {
    last--;
    if (isCapitalised(view, last) || isInitial(view, last)) score = scoreRun(view, at, last);
  }
  if (score === 0) return at;
  last = suffixEnd(view, last);
  emit(view, 'name', [startOf(view, at), endWithPeriod(view, last)], score);
  return last;
}

/** `Jr.`, `III` behind a name, and `MD` without a comma, which reads as its last word. */
function suffixEnd(view: View, last: number): number {
  const gap = gapBefore(view, last + 1);
  if (gap === GAP.SPACE && DEGREES.has(hashAt(view, last + 1)) && shapeAt(view, last + 1) === ALL_CAPS) return last + 1;
  return (gap & ~(GAP.SPACE | GAP.COMMA)) === 0 && gap > 0 && SUFFIXES.has(hashAt(view, last + 1)) ? last + 1 : last;
}

function canBegin(view: View, at: number): boolean {
  if (isInitial(view, at)) return true;
  if (!isCapitalised(view, at)) return false;
  const flags = flagsAt(view, at);
  if ((flags & NEVER) === 0) return true;
  // `Thomas R.`, `Ana Johnson`, `April Jones`: an eponym, an acronym, a month that is a given name, with a surname or initial.
  if ((flags & BIT.GIVEN) === 0 || (flags & HARD) !== 0 || shapeAt(view, at) === ALL_CAPS) return false;
  const eponym = (flags & NEVER) === BIT.CLINICAL && (flags & BIT.GIVEN_TOP) !== 0;
  if (!joins(view, at + 1)) return eponym;
  if (isInitial(view, at + 1)) return (flags & (BIT.STOP | BIT.MONTH)) === 0;
  const next = flagsAt(view, at + 1);
  if (eponym) return (next & BIT.EPONYM_HEAD) === 0;
  // `Virginia Dratchev`: a state that is a given name, with a word that is nothing but a surname.
  if ((flags & NEVER) === BIT.STATE && isCapitalised(view, at + 1))
    return next === 0 || (next & ~(BIT.SURNAME | BIT.SURNAME_TOP)) === 0;
  if (!isCapitalised(view, at + 1) || (next & BIT.SURNAME_TOP) === 0) return false;
  return (next & (BIT.EPONYM_HEAD | BIT.MONTH)) === 0 && ((flags & BIT.COMMON) === 0 || !beginsSentence(view, at));
}

/** The last token of the run: one space, hyphen or initial's period between words; particles inside. */
function runEnd(view: View, at: number): number {
  let last = at;
  while (last - at < MAX_WORDS) {
    const next = last + 1;
    if (joins(view, next) && canFollow(view, next)) last = next;
    else {
      const end =
        (flagsAt(view, next) & BIT.PARTICLE) !== 0 && gapBefore(view, next) === GAP.SPACE ? particleEnd(view, next) : 0;
      if (end === 0) break;
      last = end;
    }
  }
  return last;
}

/** How sure the run is a name; 0 for none. */
function scoreRun(view: View, first: number, last: number): number {
  const flags = flagsAt(view, first);
  if (first === last) return scoreSingle(view, first);
  if (isInitial(view, first)) return scoreInitialFirst(view, first, last);
  const common = (flags & BIT.COMMON) !== 0;
  if ((flags & BIT.GIVEN) !== 0) return scoreGivenFirst(view, first, last);
  const end = flagsAt(view, last);
  if (common || (flags & NEVER) !== 0) return 0;
  // `Pieter van der Berg`: a particle makes a name of what it stands in.
  if ((flagsAt(view, last - 1) & BIT.PARTICLE) !== 0 && !isCapitalised(view, last - 1)) return 0.6;
  if (isInitial(view, last))
    return (flags & BIT.SURNAME) !== 0 && last === first + 1 && isIntroduced(view, first) ? 0.6 : 0;
  if ((end & BIT.GIVEN) !== 0 && (end & BIT.COMMON) === 0) return 0.7;
  if ((end & BIT.SURNAME) !== 0 && (end & BIT.COMMON) === 0)
    return (flags & BIT.PROPER) === 0 || !beginsSentence(view, first) ? 0.6 : 0;
  // Two words that no list holds, written as names are: no brand (`OpenAI`), no abbreviation.
  if (shapeAt(view, first) !== shapeAt(view, last) || shapeAt(view, first) === CAMEL || lengthAt(view, last) < 3)
    return 0;
  if (shapeAt(view, first) === ALL_CAPS && (lengthAt(view, first) < 5 || lengthAt(view, last) < 5)) return 0;
  if (endsClinically(view, first) || endsClinically(view, last)) return 0;
  return (end & (BIT.COMMON | BIT.PROPER | NEVER)) === 0 && (flags & (BIT.PROPER | BIT.CITY)) === 0 ? 0.5 : 0;
}

/** `J. Okafor`, `J. R. Smith`. */
function scoreInitialFirst(view: View, first: number, last: number): number {
  const end = flagsAt(view, last);
  if (isInitial(view, last) || (end & BIT.SURNAME) === 0) return 0;
  if ((gapBefore(view, first + 1) & GAP.PERIOD) !== 0)
    return (end & BIT.COMMON) === 0 || (end & BIT.SURNAME_TOP) !== 0 ? 0.75 : 0;
  return (end & (BIT.COMMON | BIT.PROPER)) === 0 &&
    gapBefore(view, first + 1) === GAP.SPACE &&
    (end & BIT.SURNAME_TOP) !== 0
    ? 0.5
    : 0;
}

function scoreGivenFirst(view: View, first: number, last: number): number {
  const flags = flagsAt(view, first);
  const next = flagsAt(view, first + 1);
  const common = (flags & BIT.COMMON) !== 0;
  const top = (flags & BIT.GIVEN_TOP) !== 0;
  if (isInitial(view, first + 1)) return common && !top && beginsSentence(view, first) ? 0 : 0.9;
  const ordinary = (next & (BIT.COMMON | BIT.STOP)) !== 0;
  if (common) {
    if (ordinary) return top && (next & BIT.SURNAME_TOP) !== 0 ? 0.8 : 0;
    return (next & ANY_NAME) !== 0 || top ? 0.8 : 0;
  }
  if (!ordinary || (next & BIT.SURNAME_TOP) !== 0) return 0.9;
  const several = (next & ANY_NAME) !== 0 && last > first + 1;
  return several || ((next & BIT.SURNAME) !== 0 && (next & BIT.STOP) === 0) ? 0.6 : 0;
}

function scoreSingle(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (isInitial(view, at) || (flags & NEVER & ~BIT.CLINICAL) !== 0 || isEponym(view, at)) return 0;
  const caps = shapeAt(view, at) === ALL_CAPS;
  const top = (flags & BIT.GIVEN_TOP) !== 0;
  if ((flags & BIT.CLINICAL) !== 0) return top && !caps && (flags & BIT.COMMON) === 0 ? 0.6 : 0;
  if (isIntroduced(view, at) && (!caps || lengthAt(view, at) > 4)) return 0.7;
  if (
    isInList(view, at) &&
    ((flags & (BIT.GIVEN | BIT.SURNAME_TOP)) !== 0 || (flags & (BIT.COMMON | BIT.PROPER)) === 0)
  )
    return 0.6;
  if (top && isPersonHere(view, at)) return 0.5;
  if ((flags & (BIT.COMMON | BIT.CITY)) !== 0 || lengthAt(view, at) < 3) return 0;
  if (top) return 0.7;
  if (caps && lengthAt(view, at) < 5) return 0;
  if ((flags & BIT.GIVEN) !== 0) return 0.5;
  if ((flags & BIT.SURNAME_TOP) !== 0 && !beginsSentence(view, at)) return 0.5;
  return scoreUnlisted(view, at);
}

/** A given name that is a word too (`Colleen`, `Mark`): in the middle of a sentence, or before a verb that persons have. */
function isPersonHere(view: View, at: number): boolean {
  if (shapeAt(view, at) === ALL_CAPS || isCapitalised(view, at + 1)) return false;
  const verb = PERSONAL.has(hashAt(view, at + 1)) && gapBefore(view, at + 1) === GAP.SPACE;
  return (
    verb ||
    (shapeAt(view, at - 1) === LOWER && isWord(view, at - 1) && (gapBefore(view, at) & ~(GAP.SPACE | GAP.COMMA)) === 0)
  );
}

/** A capitalised word that no list holds, where a sentence speaks of somebody. */
function scoreUnlisted(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (
    (flags & (BIT.PROPER | BIT.FACILITY_NAME)) !== 0 ||
    lengthAt(view, at) < 4 ||
    shapeAt(view, at) === ALL_CAPS ||
    endsClinically(view, at)
  )
    return 0;
  // `Brandex 50 mg`, `prescribed Brandex`
  if ((isNumber(view, at + 1) && gapBefore(view, at + 1) === GAP.SPACE) || MEDICATING.has(hashAt(view, at - 1)))
    return 0;
  if (PERSONAL.has(hashAt(view, at + 1)) && gapBefore(view, at + 1) === GAP.SPACE) return 0.5;
  // `Dariusz, can I ask you`
  if (gapBefore(view, at + 1) === (GAP.COMMA | GAP.SPACE) && ADDRESSING.has(hashAt(view, at + 1))) return 0.5;
  // `founders: Kovalev`, but no heading (`Lungs: Clear`).
  const colon = shapeAt(view, at - 1) === LOWER ? GAP.COLON : 0;
  if (beginsSentence(view, at) || (gapBefore(view, at) & ~(GAP.SPACE | GAP.COMMA | colon)) !== 0) return 0;
  return (flags & BIT.SURNAME) !== 0 || shapeAt(view, at) === CAPITALISED ? 0.45 : 0;
}

/** What is said to somebody behind a name. */
const ADDRESSING = wordSet('can could may please will would i you thank thanks how');

/** Words that stand before a drug or a substance. */
const MEDICATING = wordSet(
  'prescribed prescribe taking takes take took continue continued continues start started starting on of with using uses receive received receiving given give tried stop stopped increase decrease add added via vs versus',
);

/** `Kovalev, Lee and Phillips`: beside a name, in a list. */
function isInList(view: View, at: number): boolean {
  const before = gapBefore(view, at);
  const newest = view.found.at(-1);
  if (newest?.entity === 'name' && startOf(view, at) - newest.end <= 5) {
    return /^(?:, | and | & |, and )$/.test(view.text.slice(newest.end, startOf(view, at)));
  }
  const next = hashAt(view, at + 1) === AND ? at + 2 : at + 1;
  const joined =
    next === at + 2 ? gapBefore(view, at + 1) === GAP.SPACE : gapBefore(view, next) === (GAP.COMMA | GAP.SPACE);
  if (!joined || before < 0 || !isCapitalised(view, next)) return false;
  return (
    (flagsAt(view, next) & ANY_NAME) !== 0 &&
    (flagsAt(view, next) & (NEVER | BIT.COMMON)) === 0 &&
    lengthAt(view, next) > 2
  );
}

/** `Wilson's disease`, `Hill sign`. */
function isEponym(view: View, at: number): boolean {
  const possessive = hashAt(view, at + 1) === S && (gapBefore(view, at + 1) & GAP.APOSTROPHE) !== 0;
  return (flagsAt(view, possessive ? at + 2 : at + 1) & BIT.EPONYM_HEAD) !== 0;
}
