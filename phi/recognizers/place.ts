import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, CAMEL, CAPITALISED, LOWER } from '../lexer.ts';
import { endsClinically, nameFlagsAt } from './name-shape.ts';
import { isAnnounced, isResiding, townEnd } from './town.ts';
import { phraseAt } from '../phrase.ts';
import {
  beginsSentence,
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

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const S = hashWord('s');
const ARTICLES = wordSet('the our downtown');
const IN = hashWord('in');
const SHORT_PARTS = wordSet('med univ gen st mem hosp');

/** Cities and other places below a state, and facilities by their short names (B). States and countries stay. */

const OF_FACILITY = BIT.FACILITY | BIT.FACILITY_PART | BIT.FACILITY_NAME;
/** Words that end a facility's name after a place: `Denver Gen`, `Chicago VA`, `Miami General`. */
const TAILS = BIT.FACILITY | BIT.FACILITY_PART;

/** Known cities and facilities of several words. Called for a word that begins a phrase. */
export function recognizePhrase(view: View, at: number): number {
  const phrase = phraseAt(view, at);
  if (phrase === undefined) return at;
  const clinical = phrase.kind === 'clinical' || isClinical(view, phrase.last);
  if (clinical) return phrase.last;
  if (!isCapitalised(view, at) && !isInitial(view, at) && !isAfterPreposition(view, at)) return at;
  if (phrase.kind === 'state') return followingFacility(view, at, phrase.last);
  return emitPlace(view, [at, phrase.last], phrase.kind === 'facility');
}

/** `Texas clinic`, `Hong Kong Sanatorium`: a state or country that is part of a facility's name. */
function followingFacility(view: View, first: number, last: number): number {
  return (flagsAt(view, last + 1) & BIT.FACILITY) !== 0 && gapBefore(view, last + 1) === GAP.SPACE
    ? emitPlace(view, [first, last], true)
    : last;
}

/** Known cities of one word, and facilities by their short names. */
export function recognizePlace(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if (isClinical(view, at)) return at;
  const capital = isCapitalised(view, at);
  const common = (flags & BIT.COMMON) !== 0;
  // `MSK: full range of motion`: a heading's short form for the system.
  if ((gapBefore(view, at + 1) & GAP.COLON) !== 0 && beginsSentence(view, at) && shapeAt(view, at) === ALL_CAPS)
    return at;
  if ((flags & BIT.FACILITY_NAME) !== 0) {
    const known = (flags & (BIT.COMMON | BIT.GIVEN | BIT.SURNAME)) === 0 || shapeAt(view, at) === ALL_CAPS;
    if (
      capital &&
      (known ||
        isAfterPreposition(view, firstPart(view, at)) ||
        (flagsAt(view, at + 1) & TAILS) !== 0 ||
        isFacilityWord(view, at - 1))
    )
      return emitPlace(view, [at, at], true);
    if ((flags & BIT.CITY) === 0) return at;
  }
  if (!capital && (common || !isAfterPreposition(view, at))) return at;
  if (capital && common && !isAfterPreposition(view, at) && !isBeforeState(view, at) && !isTail(view, at + 1))
    return at;
  return emitPlace(view, [at, at], false);
}

/** An eponym's place: `Boston brace`, `Norwalk virus`. */
function isClinical(view: View, last: number): boolean {
  return (
    (flagsAt(view, last + 1) & BIT.EPONYM_HEAD) !== 0 &&
    (flagsAt(view, last + 1) & BIT.FACILITY) === 0 &&
    gapBefore(view, last + 1) === GAP.SPACE
  );
}

function isFacilityWord(view: View, at: number): boolean {
  return (flagsAt(view, at) & OF_FACILITY) !== 0 && isCapitalised(view, at) && gapBefore(view, at + 1) === GAP.SPACE;
}

function isTail(view: View, at: number): boolean {
  const dotted = SHORT_PARTS.has(hashAt(view, at - 1)) ? GAP.PERIOD : 0;
  return (flagsAt(view, at) & TAILS) !== 0 && (gapBefore(view, at) & ~(GAP.SPACE | GAP.HYPHEN | dotted)) === 0;
}

/** Emits a place with the words of a facility's name around it, and the state behind a city. */
function emitPlace(view: View, [from, to]: readonly [number, number], facility: boolean): number {
  let first = from;
  let last = to;
  let grown = facility;
  while (
    isTail(view, last + 1) &&
    (isCapitalised(view, last + 1) || (flagsAt(view, last + 1) & BIT.FACILITY) !== 0) &&
    last - to < 5
  ) {
    last++;
    grown = true;
  }
  if (facility) first = firstPart(view, from);
  if (gapBefore(view, last + 1) === (GAP.SPACE | GAP.HYPHEN) && isTail(view, last + 2)) last += 2;
  emit(view, grown ? 'facility' : 'location', [startOf(view, first), endOf(view, last)], 0.8);
  const state = stateBehind(view, last, grown);
  if (state > last) emit(view, 'location', [startOf(view, first), endOf(view, state)], 0.7);
  return state;
}

function firstPart(view: View, from: number): number {
  let first = from;
  while (from - first < 4 && isNamePart(view, first - 1)) first--;
  return first;
}

/** A capitalised word before a facility's short name: `Memorial Sloan Kettering`, `Cedar Sinai`, `John's Hopkins`. */
function isNamePart(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  if (gap !== GAP.SPACE && gap !== GAP.HYPHEN && gap !== GAP.APOSTROPHE && gap !== (GAP.SPACE | GAP.PERIOD))
    return false;
  if (hashAt(view, at) === S) return gapBefore(view, at) === GAP.APOSTROPHE;
  const flags = flagsAt(view, at);
  return (
    isCapitalised(view, at) &&
    ((flags & OF_FACILITY) !== 0 || (flags & (BIT.STOP | BIT.CLINICAL | BIT.TITLE)) === 0) &&
    at > view.from
  );
}

/** The state behind a city: `, OH`, ` OH`, `, Ohio`. @returns its last token, or the given one */
export function stateBehind(view: View, at: number, facility = false): number {
  if (facility && hashAt(view, at + 1) === IN && isState(view, at + 2)) return at + 2;
  if (isBeforeState(view, at)) {
    const phrase = phraseAt(view, at + 1);
    return phrase?.kind === 'state' ? phrase.last : at + 1;
  }
  const next = at + 1;
  const bare =
    gapBefore(view, next) === GAP.SPACE &&
    (flagsAt(view, next) & BIT.STATE_CODE) !== 0 &&
    shapeAt(view, next) === ALL_CAPS;
  return bare ? next : at;
}

/** A capitalised word that no list knows as a city: `Brackenford, OH`, `lives in Brackenford`. */
export function recognizeUnlistedPlace(view: View, at: number): number {
  if (isBeforeState(view, at) && (flagsAt(view, at) & (BIT.STOP | BIT.CLINICAL)) === 0) {
    let first = at;
    while (
      at - first < 2 &&
      gapBefore(view, first) === GAP.SPACE &&
      isCapitalised(view, first - 1) &&
      (flagsAt(view, first - 1) & BIT.STOP) === 0
    )
      first--;
    emit(view, 'location', [startOf(view, first), endOf(view, stateBehind(view, at))], 0.75);
    return stateBehind(view, at);
  }
  const announced = isAnnounced(view, at);
  if (!announced && !isAfterPreposition(view, at)) return at;
  const last = townEnd(view, at);
  const residing = announced || isResiding(view, at - 1);
  if (!isUnlisted(view, at) && !(last > at && residing && isTownRun(view, at, last))) return at;
  if (last === at && endsClinically(view, at) && (!residing || announced)) return at;
  return emitPlace(view, [at, last], false);
}

/** A place where somebody lives or goes, before it is taken for a name. */
export function recognizeResidence(view: View, at: number): number {
  return isAnnounced(view, at) || isResiding(view, at - 1) ? recognizeUnlistedPlace(view, at) : at;
}

/** `lives in Las Toscas`, `moved here from Port Edward`: several words, and one that English does not have. */
function isTownRun(view: View, first: number, last: number): boolean {
  if ((flagsAt(view, first) & (BIT.STOP | BIT.CLINICAL | BIT.COUNTRY | BIT.TITLE)) !== 0) return false;
  for (let i = first; i <= last; i++) {
    const flags = flagsAt(view, i);
    if (isCapitalised(view, i) && ((flags & BIT.COMMON) === 0 || (flags & (BIT.TOWN | BIT.CITY_PART)) !== 0))
      return true;
  }
  return false;
}

/** A capitalised word, four letters or more, that is no English word, no clinical one, no state, no country. */
function isUnlisted(view: View, at: number): boolean {
  const shape = shapeAt(view, at);
  const caps = shape === ALL_CAPS && lengthAt(view, at) >= 6 && flagsAt(view, at) === 0;
  if (!isWord(view, at) || !(shape === CAPITALISED || shape === CAMEL || caps)) return false;
  if (lengthAt(view, at) < 4 || labelAt(view, at) !== 0) return false;
  return (
    (nameFlagsAt(view, at) &
      (BIT.COMMON | BIT.STOP | BIT.CLINICAL | BIT.COUNTRY | BIT.STATE | BIT.MONTH | BIT.HOLIDAY | BIT.EPONYM_HEAD)) ===
    0
  );
}

export function isAfterPreposition(view: View, at: number): boolean {
  const before = flagsAt(view, at - 1);
  if ((before & BIT.PREPOSITION) !== 0 && gapBefore(view, at) === GAP.SPACE) return true;
  // `at the Brackenford clinic`, `in our Chicago office`
  if ((flagsAt(view, at - 2) & BIT.PREPOSITION) === 0 || shapeAt(view, at) === LOWER) return false;
  return ARTICLES.has(hashAt(view, at - 1)) && isTail(view, at + 1);
}

/** `, OH` or `, Ohio` behind. */
function isBeforeState(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  if (
    gap < 0 ||
    (gap & GAP.COMMA) === 0 ||
    (gap & ~(GAP.COMMA | GAP.SPACE | GAP.NEWLINE)) !== 0 ||
    !isWord(view, at + 1)
  )
    return false;
  return isState(view, at + 1) || phraseAt(view, at + 1)?.kind === 'state';
}

function isState(view: View, at: number): boolean {
  const flags = flagsAt(view, at);
  return (
    ((flags & BIT.STATE_CODE) !== 0 && shapeAt(view, at) === ALL_CAPS) ||
    ((flags & BIT.STATE) !== 0 && isCapitalised(view, at))
  );
}
