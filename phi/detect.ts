import { LIMIT } from '#contract/limit.ts';
import { ANCHOR, isKnown } from './anchor.ts';
import { BIT as BITS } from './bit.ts';
import { GAP as GAPS_OF } from './character.ts';
import { TooManyFindings } from './detector-error.ts';
import { FORM as FORMS_OF } from './form.ts';
import { LOWER, MIXED, NUMBER } from './lexer.ts';
import { isNoName, isQuietNumber, isUnit } from './quiet.ts';
import { LABEL } from './words/labels.ts';
import { recognizeStreet, recognizeStreetFirst } from './recognizers/address.ts';
import { recognizeAge, recognizeAgeInWords } from './recognizers/age.ts';
import { recognizeCode } from './recognizers/code.ts';
import { recognizeBlurredDate, recognizeNumericDate } from './recognizers/date.ts';
import { recognizeFacility, recognizeSaint } from './recognizers/facility.ts';
import { recognizeIntersection } from './recognizers/intersection.ts';
import { recognizeLabelled, recognizeValueBeforeLabel } from './recognizers/labelled.ts';
import { recognizeMonth } from './recognizers/month.ts';
import { recognizeLowerName, recognizeLowerSurname } from './recognizers/lower-name.ts';
import { recognizeNamedStreet } from './recognizers/named-street.ts';
import { recognizeName } from './recognizers/name.ts';
import { recognizeLastFirst, recognizeTitled } from './recognizers/name-context.ts';
import { recognizeAfterRole } from './recognizers/name-role.ts';
import { recognizeAddress, recognizeEmail, recognizeHost, recognizeUrl } from './recognizers/network.ts';
import { recognizeNumber } from './recognizers/number.ts';
import { recognizeLowerTown, recognizeTown } from './recognizers/town.ts';
import { recognizeSpelledEmail, recognizeSpelledNumber } from './recognizers/spelled.ts';
import { recognizeBlurredName } from './recognizers/blurred-name.ts';
import { recognizePhrase, recognizePlace, recognizeResidence, recognizeUnlistedPlace } from './recognizers/place.ts';
import { recognizeMilitaryPost, recognizePostBox, recognizeUnit, recognizeZip } from './recognizers/postal.ts';
import { CELL } from './tokens.ts';
import { endOf, startOf, type View } from './view.ts';

// Bound here: view.ts says why.
const [BIT, FORM, GAP] = [BITS, FORMS_OF, GAPS_OF];

const MARKS = GAP.AT | GAP.SLASH;
const { BITS: WIDTH, FORM: FORMS, FLAGS, GAP: GAPS } = CELL;

/** Finds identifiers in one segment by what stands in and around them; puts them into `view.found`. One pass. */
export function detect(view: View): void {
  const { to, found, cells } = view;
  for (let i = view.from; i < to; i++) {
    const cell = i << WIDTH;
    const form = cells[cell + FORMS] as number;
    if ((form & FORM.ANCHOR) === 0) continue;
    if (found.length > LIMIT.identifiers) throw new TooManyFindings();
    if ((form & FORM.KIND) === NUMBER) {
      i = isQuietNumber(view, i) ? recognizeAge(view, i) : tryNumber(view, i);
    } else i = detectWord(view, i, form, cells[cell + GAPS] as number);
  }
}

function detectWord(view: View, at: number, form: number, gap: number): number {
  const bits = view.cells[(at << WIDTH) + FLAGS] as number;
  let last = at;
  // A host's name has nothing but a period before each of its parts; before most words that is a sentence's, with a space.
  if ((gap & MARKS) !== 0 || gap === GAP.PERIOD) last = tryMarks(view, at, gap);
  const label = (form >> FORM.LABEL) & FORM.LABELS;
  if (last === at && label !== 0) last = tryLabel(view, at, label);
  if (last > at) return last;
  if ((form & FORM.KIND) === MIXED) return tryMixed(view, at);
  if ((bits & BIT.CITY) !== 0 && (bits & BIT.GIVEN) !== 0) last = recognizeName(view, at);
  const isLower = ((form >> FORM.SHAPE) & FORM.SHAPES) === LOWER;
  if (last === at && (bits & ANCHOR) !== 0 && ((form & FORM.PLAIN) === 0 || isKnown(bits, isLower)))
    last = tryBits(view, at, bits);
  if (last > at) return last;
  if (!isLower) {
    if (isNoName(view, at, form, bits)) return recognizeStreetFirst(view, at);
    return isUnit(view, at, form, bits) ? at : tryCapital(view, at);
  }
  if (bits === 0) return tryRare(view, at);
  if ((bits & BIT.SURNAME) !== 0 && (bits & BIT.GIVEN) === 0) return recognizeLowerSurname(view, at);
  return at;
}

/** What a word announces, by its label. */
function tryLabel(view: View, at: number, label: number): number {
  switch (label) {
    case LABEL.AGE:
      return recognizeAgeInWords(view, at);
    case LABEL.CORNER:
      return recognizeIntersection(view, at);
    case LABEL.DIGIT:
      return recognizeSpelledNumber(view, at);
    case LABEL.DOT:
      return recognizeSpelledEmail(view, at);
    default:
      recognizeValueBeforeLabel(view, at);
      return recognizeLabelled(view, at);
  }
}

/** What the lexicon knows of a word. In order of trust, here and below; the first that takes tokens ends the look at them. */
function tryBits(view: View, at: number, bits: number): number {
  let last = at;
  if ((bits & (BIT.MONTH | BIT.HOLIDAY)) !== 0) last = recognizeMonth(view, at);
  if (last === at && (bits & BIT.FACILITY) !== 0) last = recognizeFacility(view, at);
  if (last === at && (bits & BIT.SAINT) !== 0) last = recognizeSaint(view, at);
  if (last === at && (bits & BIT.PHRASE) !== 0) last = recognizePhrase(view, at);
  if (last === at && (bits & (BIT.CITY | BIT.FACILITY_NAME)) !== 0) last = recognizePlace(view, at);
  if (last === at && (bits & BIT.TITLE) !== 0) last = recognizeTitled(view, at);
  if (last === at && (bits & BIT.ROLE) !== 0) last = recognizeAfterRole(view, at);
  if (last === at && (bits & BIT.GIVEN) !== 0) last = recognizeLowerName(view, at);
  if (last === at && (bits & BIT.TOWN) !== 0) last = recognizeTown(view, at);
  return last === at && (bits & BIT.STREET) !== 0 ? tryStreet(view, at) : last;
}

function tryStreet(view: View, at: number): number {
  let last = recognizeMilitaryPost(view, at);
  if (last === at) last = recognizePostBox(view, at);
  if (last === at) last = recognizeNamedStreet(view, at);
  return last === at ? recognizeUnit(view, at) : last;
}

function tryMarks(view: View, at: number, gap: number): number {
  let last = at;
  if ((gap & GAP.AT) !== 0) last = recognizeEmail(view, at);
  if (last === at && (gap & GAP.SLASH) !== 0) last = recognizeUrl(view, at);
  if (last === at && gap === GAP.PERIOD) last = recognizeHost(view, at);
  return last;
}

/** What stands behind `www`, a URL's scheme and a group of hexadecimal digits. */
const [COLON, PERIOD, HYPHEN] = [58, 46, 45];

/** Lower-case words outside every list: `www`, schemes, hexadecimal groups. */
function tryRare(view: View, at: number): number {
  recognizeLowerTown(view, at);
  const mark = view.text.charCodeAt(endOf(view, at));
  if (mark < 128 && mark !== COLON && mark !== PERIOD && mark !== HYPHEN) return at;
  const last = recognizeUrl(view, at);
  return last > at || isTaken(view, at) ? last : tryCode(view, at);
}

function tryNumber(view: View, at: number): number {
  let last = recognizeNumericDate(view, at);
  if (last > at || isTaken(view, at)) return last;
  let count = view.found.length;
  last = recognizeStreet(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = recognizeNumber(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = recognizeZip(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = recognizeAge(view, at);
  return isDone(view, at, last, count) ? last : tryCode(view, at);
}

function tryMixed(view: View, at: number): number {
  let last = recognizeBlurredDate(view, at);
  if (last > at || isTaken(view, at)) return last;
  let count = view.found.length;
  last = recognizeBlurredName(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = recognizeStreet(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = tryCode(view, at);
  return isDone(view, at, last, count) ? last : recognizeAge(view, at);
}

function tryCapital(view: View, at: number): number {
  let last = recognizeStreetFirst(view, at);
  if (last > at || isTaken(view, at)) return last;
  last = recognizeLastFirst(view, at);
  if (last > at) return last;
  let count = view.found.length;
  last = recognizeResidence(view, at);
  if (isDone(view, at, last, count)) return last;
  count = view.found.length;
  last = recognizeName(view, at);
  return isDone(view, at, last, count) ? last : recognizeUnlistedPlace(view, at);
}

function tryCode(view: View, at: number): number {
  const last = recognizeAddress(view, at);
  return last > at ? last : recognizeCode(view, at);
}

/** Whether a recognizer took what stands at a token. @param count candidates before it was asked */
function isDone(view: View, at: number, last: number, count: number): boolean {
  return last > at || (view.found.length !== count && isTaken(view, at));
}

/** Whether the newest candidate covers the token. */
function isTaken(view: View, at: number): boolean {
  const newest = view.found.at(-1);
  return newest !== undefined && newest.end >= endOf(view, at) && newest.start <= startOf(view, at);
}
