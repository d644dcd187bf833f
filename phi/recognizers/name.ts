import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, CAMEL } from '../lexer.ts';
import {
  hashAt,
  beginsSentence,
  emit,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { isIntroduced } from './name-context.ts';
import { isInList, isPersonHere, scoreSpoken, scoreUnlisted } from './name-company.ts';
import {
  ANY_NAME,
  canFollow,
  endsClinically,
  endWithPeriod,
  HARD,
  isDegree,
  isStrange,
  joins,
  nameFlagsAt,
  NEVER,
  particleEnd,
  suffixEnd,
} from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const S = hashWord('s');
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
  emit(view, 'name', [startOf(view, particleBefore(view, at)), endWithPeriod(view, last)], score);
  return last;
}

const BOX = hashWord('box');
const PARTICLES = wordSet('van von der den de di del da ter ten');

/** `the van Gijn report`: lower-case particles before a name. @returns the first token */
function particleBefore(view: View, at: number): number {
  let first = at;
  while (at - first < 2 && gapBefore(view, first) === GAP.SPACE && PARTICLES.has(hashAt(view, first - 1))) first--;
  return first;
}

function canBegin(view: View, at: number): boolean {
  if (isInitial(view, at)) return true;
  if (!isCapitalised(view, at)) return false;
  const flags = nameFlagsAt(view, at);
  if ((flags & NEVER) === 0) return true;
  if ((flags & ANY_NAME) !== 0 && (flags & HARD) === 0 && scoreSpoken(view, at, flags) > 0) return true;
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
    if (joins(view, next) && (canFollow(view, next) || isLowerPart(view, next))) last = next;
    else {
      const end =
        (flagsAt(view, next) & BIT.PARTICLE) !== 0 && gapBefore(view, next) === GAP.SPACE ? particleEnd(view, next) : 0;
      if (end === 0) break;
      last = end;
    }
  }
  return last;
}

/** `Amy-leigh` */
function isLowerPart(view: View, at: number): boolean {
  return gapBefore(view, at) === GAP.HYPHEN && (flagsAt(view, at) & BIT.GIVEN) !== 0 && isCapitalised(view, at - 1);
}

/** How sure the run is a name; 0 for none. */
function scoreRun(view: View, first: number, last: number): number {
  const flags = nameFlagsAt(view, first);
  if (first === last) return scoreSingle(view, first);
  if (isInitial(view, first)) return scoreInitialFirst(view, first, last);
  // `Helen Loom DDS`
  if ((flags & NEVER) === 0 && isDegree(view, last + 1)) return 0.85;
  const common = (flags & BIT.COMMON) !== 0;
  if ((flags & BIT.GIVEN) !== 0) return scoreGivenFirst(view, first, last);
  const end = nameFlagsAt(view, last);
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
  if (isInitial(view, last) || (end & BIT.SURNAME) === 0 || hashAt(view, last) === BOX) return 0;
  if ((gapBefore(view, first + 1) & GAP.PERIOD) !== 0)
    return (end & BIT.COMMON) === 0 || (end & BIT.SURNAME_TOP) !== 0 ? 0.75 : 0;
  return (end & (BIT.COMMON | BIT.PROPER)) === 0 &&
    gapBefore(view, first + 1) === GAP.SPACE &&
    (end & BIT.SURNAME_TOP) !== 0
    ? 0.5
    : 0;
}

function scoreGivenFirst(view: View, first: number, last: number): number {
  const flags = nameFlagsAt(view, first);
  const next = nameFlagsAt(view, first + 1);
  const common = (flags & BIT.COMMON) !== 0;
  const top = (flags & BIT.GIVEN_TOP) !== 0;
  if (isInitial(view, first + 1)) return common && !top && beginsSentence(view, first) ? 0 : 0.9;
  const ordinary = (next & (BIT.COMMON | BIT.STOP)) !== 0;
  if (common) {
    if (ordinary) return top && (next & BIT.SURNAME_TOP) !== 0 ? 0.8 : 0;
    return (next & ANY_NAME) !== 0 || top || isStrange(view, first + 1) ? 0.8 : 0;
  }
  if (!ordinary || (next & BIT.SURNAME_TOP) !== 0) return 0.9;
  const several = (next & ANY_NAME) !== 0 && last > first + 1;
  return several || ((next & BIT.SURNAME) !== 0 && (next & BIT.STOP) === 0) ? 0.6 : 0;
}

function scoreSingle(view: View, at: number): number {
  const flags = nameFlagsAt(view, at);
  if (isInitial(view, at) || isEponym(view, at)) return 0;
  const spoken = scoreSpoken(view, at, flags);
  if (spoken > 0) return spoken;
  if ((flags & NEVER & ~BIT.CLINICAL) !== 0) return 0;
  const caps = shapeAt(view, at) === ALL_CAPS;
  if (shapeAt(view, at) === CAMEL && lengthAt(view, at) < 5) return 0;
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

/** `Wilson's disease`, `Hill sign`. */
function isEponym(view: View, at: number): boolean {
  const possessive = hashAt(view, at + 1) === S && (gapBefore(view, at + 1) & GAP.APOSTROPHE) !== 0;
  return (flagsAt(view, possessive ? at + 2 : at + 1) & BIT.EPONYM_HEAD) !== 0;
}
