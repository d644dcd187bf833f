import { BIT as BITS } from './bit.ts';
import { GAP as GAPS } from './character.ts';
import { isContinued, joinsRun } from './digits.ts';
import { FORM as FORMS } from './form.ts';
import { INITIAL, INNER_CAPS, LOWER } from './lexer.ts';
import {
  beginsSentence,
  distance,
  flagsAt,
  formAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isInitial,
  isNumber,
  isWord,
  labelAt,
  lengthAt,
  separator,
  shapeAt,
  type View,
} from './view.ts';
import { isIntroduced } from './recognizers/name-context.ts';
import { isDegree } from './recognizers/name-shape.ts';
import { isAfterPreposition } from './recognizers/place.ts';
import { isAnnounced } from './recognizers/town.ts';
import { wordSet } from './word-hash.ts';
import { LABEL as LABELS } from './words/labels.ts';

/**
 * Numbers and words that begin nothing, told by a few looks at what stands beside them. Most of those in a note are like these, so that the
 * recognizers need not be asked. Each rule says why no recognizer would take the token; one that says nothing costs only time.
 */

// Bound here: what a module imports is looked up at every use.
const [BIT, GAP, FORM, LABEL] = [BITS, GAPS, FORMS, LABELS];

const PERIOD = 46;

/** Joins a number to another one in a date, a time, an address of a network. */
const INSIDE = GAP.COLON | GAP.HYPHEN | GAP.SLASH | GAP.PERIOD;
/** What a word in a street's address may be, whatever else it is. */
const OF_STREET = BIT.PARTICLE | BIT.STREET | BIT.DIRECTION | BIT.COUNTRY | BIT.STATE | BIT.CITY;
/** An ordinary word of the language. */
const ORDINARY = BIT.COMMON | BIT.STOP | BIT.UNIT | BIT.CLINICAL;
const NAMES = BIT.GIVEN_TOP | BIT.GIVEN | BIT.SURNAME_TOP | BIT.SURNAME;

/**
 * `80 mg`, `98% on`, `7 of`, `in 2017,`: a number that is in no date, no longer number and no address; longer numbers may be codes. It may still be
 * an age.
 */
export function isQuietNumber(view: View, at: number): boolean {
  if (lengthAt(view, at) > 4 || isZip(view, at)) return false;
  const gap = gapBefore(view, at + 1);
  if (gap < 0) return false;
  if (gap === GAP.PERIOD && isDecimal(view, at)) return true;
  if (gap === GAP.HYPHEN && lengthAt(view, at) < 4 && TIMES.has(hashAt(view, at + 1))) return true;
  if (gap === GAP.SLASH && isRatio(view, at)) return true;
  // Any of these may join groups of an address of a network, two of them with nothing between.
  if ((gap & INSIDE) !== 0 && ((gap & (GAP.COLON | GAP.HYPHEN)) !== 0 || distance(view, at + 1) === 1)) return false;
  if (!isWord(view, at + 1)) return !joinsRun(view, at + 1) && (gap & ~(GAP.SPACE | GAP.NEWLINE)) !== 0;
  return (gap & ~(GAP.SPACE | GAP.NEWLINE)) !== 0 || isContinued(view, at) || !mayBeStreet(view, at + 1);
}

/** Whether a number of four digits stands behind a word for a postal code. */
function isZip(view: View, at: number): boolean {
  if (lengthAt(view, at) < 4) return false;
  for (let i = at - 1; i >= at - 3; i--) if (labelAt(view, i) === LABEL.ZIP) return true;
  return false;
}

/** `1.2 L`: two short numbers and nothing that goes on with them. */
function isDecimal(view: View, at: number): boolean {
  const next = at + 1;
  if (!isNumber(view, next) || distance(view, next) !== 1 || lengthAt(view, at) + lengthAt(view, next) > 4)
    return false;
  return separator(view, at + 2) !== PERIOD && (isWord(view, at + 2) || !joinsRun(view, at + 2));
}

/** `58-year-old`, `3-day` */
const TIMES = wordSet('year years month months week weeks day days hour hours minute minutes');

/** `128/92 mmHg`: no month has three digits, and five of them are no telephone number. */
function isRatio(view: View, at: number): boolean {
  const next = at + 1;
  if (lengthAt(view, at) !== 3 || !isNumber(view, next) || lengthAt(view, next) !== 2 || distance(view, next) !== 1)
    return false;
  return isWord(view, at + 2) || !joinsRun(view, at + 2);
}

/** Whether a word behind a number may begin the name of a street. A unit or a function word does not. */
function mayBeStreet(view: View, at: number): boolean {
  if (shapeAt(view, at) !== LOWER) return true;
  const flags = flagsAt(view, at);
  if ((flags & BIT.UNIT) !== 0) return false;
  // `12 u. Kossuth`, `12 ut 3`: words of other languages before a period or a number.
  const plain = (formAt(view, at) & FORM.PLAIN) !== 0 && (flags & BIT.STOP) !== 0 && (flags & OF_STREET) === 0;
  return !plain || isNumber(view, at + 1) || (gapBefore(view, at + 1) & GAP.PERIOD) !== 0;
}

/** `2 L over`, `mmol/L and`, `92 mmHg`: a unit behind a number. */
export function isUnit(view: View, at: number, form: number, flags: number): boolean {
  if ((form & FORM.PLAIN) === 0 || (flags & BIT.STREET) !== 0) return false;
  const shape = (form >> FORM.SHAPE) & FORM.SHAPES;
  if (shape === INNER_CAPS) return (flags & BIT.UNIT) !== 0 && isMeasured(view, at);
  return (
    shape === INITIAL && gapBefore(view, at + 1) === GAP.SPACE && isMeasured(view, at) && isQuietNext(view, at + 1)
  );
}

/** Whether a number stands before a unit, or a unit that this one divides. */
function isMeasured(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  return gap === GAP.SPACE ? isNumber(view, at - 1) : gap === GAP.SLASH && (flagsAt(view, at - 1) & BIT.UNIT) !== 0;
}

function isQuietNext(view: View, at: number): boolean {
  const form = formAt(view, at);
  if (!isWord(view, at) || ((form >> FORM.SHAPE) & FORM.SHAPES) !== LOWER || (form & FORM.PLAIN) === 0) return false;
  const flags = flagsAt(view, at);
  // `Chest radiograph`: a word of no list, but `Tavasz utca 3`.
  if (flags === 0) return !isNumber(view, at + 1) && !isNumber(view, at + 2) && !isNumber(view, at + 3);
  if ((flags & ORDINARY) === 0 || (flags & (BIT.PARTICLE | BIT.FACILITY | BIT.FACILITY_PART)) !== 0) return false;
  // `Potassium was 3.4`: no function word is a street's.
  return (flags & (BIT.STOP | BIT.CLINICAL)) === BIT.STOP || !isNumber(view, at + 1);
}

/**
 * A capitalised word of the language's grammar or of medicine: `HISTORY OF`, `Denies`, `Musculoskeletal`. It is no name (name.ts `canBegin`) and no place
 * (place.ts `isUnlisted`), whatever stands around it; only a street may begin with it. So is any other ordinary word that no name follows, where it
 * has its capital from its sentence (`. Lungs were`) or nothing introduces a name or a place.
 */
export function isNoName(view: View, at: number, form: number, flags: number): boolean {
  if ((form & FORM.PLAIN) === 0) return false;
  const initial = ((form >> FORM.SHAPE) & FORM.SHAPES) === INITIAL;
  if ((flags & BIT.STOP) !== 0) {
    // `Will Smith`, `A. Smith`
    return ((flags & BIT.GIVEN) === 0 && !initial) || !mayGoOn(view, at + 1);
  }
  // A surname that is an ordinary word too is a name only in company that its first half makes: `Will Clear`.
  if (initial || (flags & (NAMES & ~BIT.SURNAME)) !== 0) return false;
  if ((flags & BIT.CLINICAL) !== 0) return true;
  // `Reasoning: The`, `Education and`. `Brackenford, OH` and `named Hope` go on to a closer look.
  if ((flags & BIT.COMMON) === 0 || (gapBefore(view, at + 1) & GAP.COMMA) !== 0 || mayGoOn(view, at + 1)) return false;
  if (beginsSentence(view, at)) return true;
  return !isIntroduced(view, at) && !isAnnounced(view, at) && !isAfterPreposition(view, at);
}

/** Whether a word may go on with a name, or end one as a degree does. `Lungs: Clear` is no run of words. */
function mayGoOn(view: View, at: number): boolean {
  if ((gapBefore(view, at) & ~(GAP.SPACE | GAP.HYPHEN | GAP.PERIOD)) !== 0) return false;
  return (
    isCapitalised(view, at) || isInitial(view, at) || (flagsAt(view, at) & BIT.PARTICLE) !== 0 || isDegree(view, at)
  );
}
