import { BIT } from './bit.ts';
import { LABEL } from './words/labels.ts';

/** Which lower-case words may begin an identifier. All others cost nothing after the lexer. */

/** A word with none of these, and with no label, begins nothing that a recognizer looks for. */
export const ANCHOR =
  BIT.MONTH |
  BIT.HOLIDAY |
  BIT.FACILITY |
  BIT.SAINT |
  BIT.PHRASE |
  BIT.CITY |
  BIT.FACILITY_NAME |
  BIT.TITLE |
  BIT.ROLE |
  BIT.GIVEN |
  BIT.TOWN |
  BIT.STREET;

/** Whether a word may begin an identifier, with a closer look still to come at what else it is. */
export function isAnchor(bits: number, label: number): boolean {
  return bits === 0 || label !== 0 || (bits & ANCHOR) !== 0 || isLoneSurname(bits);
}

/** A surname that is no English word. */
function isLoneSurname(bits: number): boolean {
  return (bits & BIT.SURNAME) !== 0 && (bits & (BIT.COMMON | BIT.STOP | BIT.CLINICAL)) === 0;
}

/** Recognizers look at a lower-case word with one of these, whatever else it is. */
const ALWAYS =
  BIT.MONTH |
  BIT.HOLIDAY |
  BIT.FACILITY |
  BIT.PHRASE |
  BIT.CITY |
  BIT.FACILITY_NAME |
  BIT.TITLE |
  BIT.ROLE |
  BIT.STREET;
/** In lower case a word with one of these is no name, be it a given name or surname too. */
const NO_NAME = BIT.STOP | BIT.MONTH | BIT.COUNTRY | BIT.STATE | BIT.HOLIDAY | BIT.CREDENTIAL | BIT.WEEKDAY;
/** In lower case a word with one of these is no town. */
const NO_TOWN =
  BIT.COMMON | BIT.STOP | BIT.CLINICAL | BIT.COUNTRY | BIT.STATE | BIT.MONTH | BIT.HOLIDAY | BIT.TITLE | BIT.UNIT;
/** Labels that only other recognizers look back at. */
const SILENT: ReadonlySet<number> = new Set([
  LABEL.PHONE,
  LABEL.WEAK_PHONE,
  LABEL.FAX,
  LABEL.EMAIL,
  LABEL.BIRTH,
  LABEL.NAME,
  LABEL.ADDRESS,
  LABEL.CODE_SYSTEM,
]);

/** Recognizers look at a word with one of these in any case. */
const KNOWN = ALWAYS | BIT.SAINT;

/**
 * Whether a recognizer that goes by what the lexicon knows (`tryBits` in detect.ts) may take a word of ASCII letters. Says no only where each of them
 * would decline by the word's own bits.
 */
export function isKnown(bits: number, lower: boolean): boolean {
  if ((bits & KNOWN) !== 0) return true;
  if (lower && (bits & BIT.GIVEN) !== 0 && (bits & NO_NAME) === 0) return true;
  return (bits & BIT.TOWN) !== 0 && (bits & NO_TOWN) === 0;
}

/**
 * Whether any recognizer may take a lower-case word of ASCII letters. Says no only where each of them (detect.ts) would decline by the
 * word's own bits, before it looks at what stands around: `a`, `on` and `early` are in lists of names, `and` and `basic` are towns.
 */
export function begins(bits: number, label: number): boolean {
  if (bits === 0 || (bits & ALWAYS) !== 0) return true;
  if (label !== 0 && !SILENT.has(label)) return true;
  if ((bits & BIT.GIVEN) !== 0 && (bits & NO_NAME) === 0) return true;
  if ((bits & BIT.TOWN) !== 0 && (bits & NO_TOWN) === 0 && label === 0) return true;
  if ((bits & BIT.SURNAME) === 0 || (bits & BIT.GIVEN) !== 0) return false;
  if ((bits & (NO_NAME | BIT.CLINICAL)) !== 0) return false;
  return (bits & BIT.COMMON) === 0 || (bits & BIT.SURNAME_TOP) !== 0;
}
