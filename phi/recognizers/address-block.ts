import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, LOWER } from '../lexer.ts';
import { nameFlagsAt } from './name-shape.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  hashAt,
  distance,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isMixed,
  isNumber,
  isWord,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
  wordAt,
} from '../view.ts';

// Bound here: view.ts says why.
const [BIT, GAP, LABEL] = [BITS, GAPS, LABELS];

const AND = hashWord('and');
const OF = hashWord('of');
const UNITED = hashWord('united');
const STATES = hashWord('states');
const THE = hashWord('the');
const S = hashWord('s');
const RESIDING = wordSet('lives live resides located moved');
const TOWN_BEGINNINGS = wordSet('new south north east west united saint st san');

/** What belongs to a street address behind the street: unit, town, state, country, postal code, over lines. */

const MAX_TOKENS = 14;
const UNITS = wordSet('apt apartment unit suite ste bldg building trailer flat room rm');
const JOINTS = GAP.SPACE | GAP.COMMA | GAP.NEWLINE | GAP.HASH | GAP.HYPHEN | GAP.APOSTROPHE;

/** `Apt 4B`, `, Suite 200`, `#12`. @param at the unit's word. @returns its last token, or the one before `at` */
export function unitAt(view: View, at: number): number {
  const gap = gapBefore(view, at);
  if (
    gap < 0 ||
    (gap & ~(JOINTS | GAP.PERIOD | GAP.OTHER | GAP.CLOSE | ((gap & GAP.NEWLINE) !== 0 ? GAP.END : 0))) !== 0 ||
    distance(view, at) > 6
  )
    return at - 1;
  if ((gap & GAP.HASH) !== 0 && (isNumber(view, at) || isMixed(view, at))) return at;
  if (!UNITS.has(hashAt(view, at)) || (gapBefore(view, at + 1) & ~(GAP.SPACE | GAP.PERIOD | GAP.HASH)) !== 0)
    return at - 1;
  const value =
    isNumber(view, at + 1) ||
    isMixed(view, at + 1) ||
    isInitial(view, at + 1) ||
    (lengthAt(view, at + 1) === 1 && isWord(view, at + 1));
  return value && lengthAt(view, at + 1) <= 5 ? at + 1 : at - 1;
}

/** The last token of the address that goes on behind a token. */
export function blockEnd(view: View, from: number): number {
  const postal = postalEnd(view, from);
  return postal > from ? postal : partsEnd(view, from);
}

/** The last token that looks like a part of an address. */
function partsEnd(view: View, from: number): number {
  let last = from;
  let words = 0;
  for (let i = from + 1; i <= from + MAX_TOKENS; i++) {
    const gap = gapBefore(view, i);
    if (gap < 0 || !joins(view, i, gap)) break;
    const unit = unitAt(view, i);
    if (unit >= i) {
      i = unit;
      last = unit;
      continue;
    }
    const country = (gap & GAP.COMMA) !== 0 ? beforeCountry(view, i) : 0;
    if (country > 0) i = country;
    else if (!isPart(view, i, gap)) break;
    if (isWord(view, i)) words++;
    // A new line with more than a town and a country on it is another matter.
    if (words > 7) break;
    if (!isWeak(view, i)) last = i;
  }
  return last;
}

function joins(view: View, at: number, gap: number): boolean {
  // Quoted mail puts `> ` before each line.
  const quoted = (gap & GAP.NEWLINE) !== 0 ? GAP.END | GAP.CLOSE | GAP.OTHER : 0;
  if ((gap & ~(JOINTS | GAP.PERIOD | quoted)) !== 0 || distance(view, at) > 6) return false;
  // A period ends the sentence unless it ends an abbreviation (`St.`, `Rd.`).
  if ((gap & GAP.PERIOD) !== 0)
    return (flagsAt(view, at - 1) & (BIT.STREET | BIT.DIRECTION)) !== 0 && (gap & GAP.COMMA) !== 0;
  if ((gap & GAP.NEWLINE) === 0) return true;
  let lines = 0;
  for (let i = endOf(view, at - 1); i < startOf(view, at); i++) if (view.text.charCodeAt(i) === 10) lines++;
  return lines === 1;
}

function isPart(view: View, at: number, gap: number): boolean {
  const flags = flagsAt(view, at);
  // `Karlovy Vary 17,`: a town's district.
  const district =
    lengthAt(view, at) <= 2 &&
    isCapitalised(view, at - 1) &&
    (gapBefore(view, at + 1) & (GAP.COMMA | GAP.NEWLINE)) !== 0;
  if (isNumber(view, at) && district) return gapBefore(view, at + 1) > 0;
  if (isNumber(view, at))
    return lengthAt(view, at) >= 4 && lengthAt(view, at) <= 6 && (gap & (GAP.SPACE | GAP.NEWLINE | GAP.HYPHEN)) !== 0;
  if (isMixed(view, at))
    return lengthAt(view, at) <= 4 && /^(?:[a-z]{1,2}\d[a-z]?|\d[a-z]{1,2})$/.test(wordAt(view, at));
  // `, SO`: a province between commas and lines.
  if ((gap & GAP.COMMA) !== 0 && shapeAt(view, at) === ALL_CAPS && lengthAt(view, at) === 2) return true;
  if (labelAt(view, at) !== 0 && (flags & (BIT.CITY | BIT.STATE_CODE | BIT.COUNTRY)) === 0) return false;
  if (
    (flags & (BIT.STATE_CODE | BIT.COUNTRY | BIT.STATE)) !== 0 &&
    (isCapitalised(view, at) || (flags & BIT.COUNTRY) !== 0)
  )
    return (
      shapeAt(view, at) === ALL_CAPS ||
      (flags & BIT.STATE_CODE) === 0 ||
      (flags & BIT.COUNTRY) !== 0 ||
      shapeAt(view, at) !== LOWER
    );
  if (hashAt(view, at) === THE) return isCapitalised(view, at + 1);
  // `Saltcombe-on-Sea`
  if (gap === GAP.HYPHEN && distance(view, at) === 1 && isWord(view, at) && isCapitalised(view, at - 1))
    return isCapitalised(view, at) || gapBefore(view, at + 1) === GAP.HYPHEN;
  if (hashAt(view, at - 1) !== THE && gap === GAP.HYPHEN && gapBefore(view, at - 1) === GAP.HYPHEN)
    return isCapitalised(view, at);
  if (shapeAt(view, at) === ALL_CAPS && lengthAt(view, at) <= 3 && isCapitalised(view, at - 1) && endsLine(view, at))
    return true;
  return isPlaceWord(view, at, gap);
}

/** A word of a town's, a province's or a country's name. */
function isPlaceWord(view: View, at: number, gap: number): boolean {
  const flags = flagsAt(view, at);
  if (isCapitalised(view, at) || isInitial(view, at)) {
    if (isCapitalised(view, at) && TOWN_BEGINNINGS.has(hashAt(view, at))) return true;
    return (flags & (BIT.STOP | BIT.MONTH | BIT.TITLE | BIT.CLINICAL)) === 0 || (flags & BIT.CITY) !== 0;
  }
  if ((flags & BIT.PARTICLE) !== 0 || hashAt(view, at) === AND || hashAt(view, at) === OF) {
    const next = hashAt(view, at + 1) === THE ? at + 2 : at + 1;
    return isCapitalised(view, next) || isLowerPlace(view, next);
  }
  // `People's Republic`
  if (hashAt(view, at) === S && gap === GAP.APOSTROPHE) return isCapitalised(view, at + 1);
  return isLowerPlace(view, at);
}

function endsLine(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & (GAP.NEWLINE | GAP.COMMA | GAP.PERIOD | GAP.END)) !== 0;
}

/** In lower-case text only words that no dictionary holds, or places, go on. */
function isLowerPlace(view: View, at: number): boolean {
  const flags = flagsAt(view, at);
  if (!isWord(view, at) || shapeAt(view, at) !== LOWER || lengthAt(view, at) < 3) return false;
  return (
    (flags & (BIT.CITY | BIT.STATE)) !== 0 ||
    (flags & (BIT.COMMON | BIT.STOP | BIT.UNIT | BIT.CLINICAL | BIT.MONTH | BIT.TITLE)) === 0 ||
    hashAt(view, at) === UNITED ||
    hashAt(view, at) === STATES
  );
}

/** `, red deer, romania`: ordinary words between commas, and a country or state. @returns its token, or 0 */
function beforeCountry(view: View, at: number): number {
  for (let i = at; i < at + 3; i++) {
    if (!isWord(view, i) || (flagsAt(view, i) & (BIT.STOP | BIT.UNIT)) !== 0) return 0;
    const gap = gapBefore(view, i + 1);
    if (gap === (GAP.COMMA | GAP.SPACE)) return (flagsAt(view, i + 1) & (BIT.COUNTRY | BIT.STATE)) !== 0 ? i + 1 : 0;
    if (gap !== GAP.SPACE) return 0;
  }
  return 0;
}

/** Lines and parts between commas up to one that a postal code ends: in an address they are town, province, country, whatever they hold. */
export function postalEnd(view: View, from: number): number {
  let parts = 0;
  for (let i = from + 1; i <= from + MAX_TOKENS + 4; i++) {
    const gap = gapBefore(view, i);
    const quoted = (gap & GAP.NEWLINE) !== 0 ? GAP.END | GAP.CLOSE | GAP.OTHER : 0;
    if (gap < 0 || (gap & ~(JOINTS | GAP.PERIOD | quoted)) !== 0 || distance(view, i) > 12) return from;
    if ((gap & GAP.PERIOD) !== 0 && lengthAt(view, i - 1) > 4) return from;
    if ((gap & (GAP.NEWLINE | GAP.COMMA)) !== 0) parts++;
    if (parts > 5) return from;
    const unit = unitAt(view, i);
    if (unit >= i) i = unit;
    else if (isNumber(view, i)) {
      const long = lengthAt(view, i) >= 4 && lengthAt(view, i) <= 6;
      const coded = isWord(view, i - 1) || (gap & GAP.NEWLINE) !== 0;
      if (long && parts > 0 && coded && endsPart(view, i)) return i;
      if (lengthAt(view, i) > 2) return from;
    } else if (!isWord(view, i) || !mayStandInTown(view, i)) return from;
  }
  return from;
}

/** Whether a line or a clause ends with a token, or a code of five digits stands where a country was named. */
function endsPart(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return (
    gap < 0 ||
    (gap & ~GAP.SPACE) !== 0 ||
    (lengthAt(view, at) === 5 && (flagsAt(view, at + 1) & (BIT.UNIT | BIT.STOP)) !== BIT.UNIT)
  );
}

const JOINING = wordSet('of the and');

function mayStandInTown(view: View, at: number): boolean {
  const flags = nameFlagsAt(view, at);
  if (lengthAt(view, at) === 1) return true;
  if (
    JOINING.has(hashAt(view, at)) ||
    (flags & (BIT.PARTICLE | BIT.CITY | BIT.COUNTRY | BIT.STATE | BIT.STATE_CODE | BIT.DIRECTION)) !== 0
  )
    return true;
  return labelAt(view, at) === 0 && (flags & (BIT.STOP | BIT.UNIT | BIT.MONTH | BIT.TITLE | BIT.WEEKDAY)) === 0;
}

/** Belongs to an address only when something follows. */
function isWeak(view: View, at: number): boolean {
  return isWord(view, at) && (flagsAt(view, at) & BIT.PARTICLE) !== 0 && !isCapitalised(view, at);
}

/** `address:`, `lives at`, `sent to`, `meet you at` before. */
export function isAddressed(view: View, at: number): boolean {
  for (let i = at - 1; i >= at - 5 && i >= view.from; i--) {
    if (labelAt(view, i) === LABEL.ADDRESS || RESIDING.has(hashAt(view, i))) return true;
    if ((gapBefore(view, i + 1) & (GAP.END | GAP.PERIOD)) !== 0) return false;
  }
  return false;
}
