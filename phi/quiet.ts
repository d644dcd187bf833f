import { BIT as BITS } from './bit.ts';
import { GAP as GAPS } from './character.ts';
import { joinsRun } from './digits.ts';
import { FORM as FORMS } from './form.ts';
import { CAPITALISED, LOWER } from './lexer.ts';
import {
  beginsSentence,
  distance,
  flagsAt,
  formAt,
  gapBefore,
  isNumber,
  isWord,
  lengthAt,
  numberAt,
  shapeAt,
  type View,
} from './view.ts';

/**
 * Numbers and words that begin nothing, told by a few looks at what stands beside them. Most of those in a note are like these, so that the
 * recognizers need not be asked. Each rule says why no recognizer would take the token; one that says nothing costs only time.
 */

// Bound here: what a module imports is looked up at every use.
const [BIT, GAP, FORM] = [BITS, GAPS, FORMS];

/** Joins a number to another one in a date, a time, an address of a network. */
const INSIDE = GAP.COLON | GAP.HYPHEN | GAP.SLASH | GAP.PERIOD;
/** What a word in a street's address may be, whatever else it is. */
const OF_STREET = BIT.PARTICLE | BIT.STREET | BIT.DIRECTION | BIT.COUNTRY | BIT.STATE | BIT.CITY;
/** An ordinary word of the language. */
const ORDINARY = BIT.COMMON | BIT.STOP | BIT.UNIT | BIT.CLINICAL;
const NAMES = BIT.GIVEN_TOP | BIT.GIVEN | BIT.SURNAME_TOP | BIT.SURNAME;

/**
 * `80 mg`, `98% on`, `7 of`: a number up to 89 that is in no date, no longer number and no address. Longer numbers may be codes, larger ones
 * ages.
 */
export function isQuietNumber(view: View, at: number): boolean {
  if (lengthAt(view, at) > 3 || numberAt(view, at) > 89) return false;
  const gap = gapBefore(view, at + 1);
  if (gap < 0) return false;
  // Any of these may join groups of an address of a network, two of them with nothing between.
  if ((gap & INSIDE) !== 0 && ((gap & (GAP.COLON | GAP.HYPHEN)) !== 0 || distance(view, at + 1) === 1)) return false;
  if (!isWord(view, at + 1)) return !joinsRun(view, at + 1) && (gap & ~(GAP.SPACE | GAP.NEWLINE)) !== 0;
  return (gap & ~(GAP.SPACE | GAP.NEWLINE)) !== 0 || !mayBeStreet(view, at + 1);
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

/**
 * `. Lungs were`: an ordinary word that has its capital from the sentence it begins, before another ordinary word. What introduces a name or
 * a place stands in the same sentence before it, and what makes a name of it has a capital too.
 */
export function isQuietWord(view: View, at: number, form: number, flags: number): boolean {
  if (((form >> FORM.SHAPE) & FORM.SHAPES) !== CAPITALISED || (form & FORM.PLAIN) === 0) return false;
  if ((flags & (BIT.COMMON | BIT.STOP)) === 0 || (flags & (NAMES | BIT.STREET)) !== 0) return false;
  return beginsSentence(view, at) && gapBefore(view, at + 1) === GAP.SPACE && isQuietNext(view, at + 1);
}

function isQuietNext(view: View, at: number): boolean {
  const form = formAt(view, at);
  if (!isWord(view, at) || ((form >> FORM.SHAPE) & FORM.SHAPES) !== LOWER || (form & FORM.PLAIN) === 0) return false;
  const flags = flagsAt(view, at);
  if ((flags & ORDINARY) === 0 || (flags & (BIT.PARTICLE | BIT.FACILITY | BIT.FACILITY_PART)) !== 0) return false;
  return !isNumber(view, at + 1);
}
