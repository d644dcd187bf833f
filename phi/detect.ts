import { LIMIT } from '#contract/limit.ts';
import { ANCHOR } from './anchor.ts';
import { BIT as BITS } from './bit.ts';
import { GAP as GAPS_OF } from './character.ts';
import { TooManyFindings } from './detector-error.ts';
import { FORM as FORMS_OF } from './form.ts';
import { LOWER, MIXED, NUMBER } from './lexer.ts';
import { isQuietNumber, isQuietWord } from './quiet.ts';
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
import { endOf, type Recognizer, startOf, type View } from './view.ts';

// Bound here: view.ts says why.
const [BIT, FORM, GAP] = [BITS, FORMS_OF, GAPS_OF];

/** A recognizer for words with any of these lexicon bits. */
interface WordRecognizer {
  readonly bits: number;
  readonly recognize: Recognizer;
}

/** In order of trust; the first that takes tokens ends the look at them. */
const BY_NUMBER: readonly Recognizer[] = [
  recognizeNumericDate,
  recognizeStreet,
  recognizeNumber,
  recognizeZip,
  recognizeAge,
  recognizeAddress,
  recognizeCode,
];
const BY_MIXED: readonly Recognizer[] = [
  recognizeBlurredDate,
  recognizeBlurredName,
  recognizeStreet,
  recognizeAddress,
  recognizeCode,
  recognizeAge,
];
const BY_BITS: readonly WordRecognizer[] = [
  { bits: BIT.MONTH | BIT.HOLIDAY, recognize: recognizeMonth },
  { bits: BIT.FACILITY, recognize: recognizeFacility },
  { bits: BIT.SAINT, recognize: recognizeSaint },
  { bits: BIT.PHRASE, recognize: recognizePhrase },
  { bits: BIT.CITY | BIT.FACILITY_NAME, recognize: recognizePlace },
  { bits: BIT.TITLE, recognize: recognizeTitled },
  { bits: BIT.ROLE, recognize: recognizeAfterRole },
  { bits: BIT.GIVEN, recognize: recognizeLowerName },
  { bits: BIT.TOWN, recognize: recognizeTown },
  { bits: BIT.STREET, recognize: recognizeMilitaryPost },
  { bits: BIT.STREET, recognize: recognizePostBox },
  { bits: BIT.STREET, recognize: recognizeNamedStreet },
  { bits: BIT.STREET, recognize: recognizeUnit },
];
const BY_CAPITAL: readonly Recognizer[] = [
  recognizeStreetFirst,
  recognizeLastFirst,
  recognizeResidence,
  recognizeName,
  recognizeUnlistedPlace,
];

const BY_RARITY: readonly Recognizer[] = [recognizeUrl, recognizeAddress, recognizeCode];

const MARKS = GAP.AT | GAP.SLASH | GAP.PERIOD;
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
      if (!isQuietNumber(view, i)) i = tryAll(BY_NUMBER, view, i);
    } else i = detectWord(view, i, form, (cells[cell + GAPS] as number) & MARKS);
  }
}

function detectWord(view: View, at: number, form: number, marks: number): number {
  const bits = view.cells[(at << WIDTH) + FLAGS] as number;
  let last = at;
  if (marks !== 0) last = tryMarks(view, at, marks);
  const label = (form >> FORM.LABEL) & FORM.LABELS;
  if (last === at && label !== 0) last = tryLabel(view, at, label);
  if (last > at) return last;
  if ((form & FORM.KIND) === MIXED) return tryAll(BY_MIXED, view, at);
  if ((bits & BIT.CITY) !== 0 && (bits & BIT.GIVEN) !== 0) last = recognizeName(view, at);
  if (last === at && (bits & ANCHOR) !== 0) last = tryBits(view, at, bits);
  if (last > at) return last;
  if (((form >> FORM.SHAPE) & FORM.SHAPES) !== LOWER)
    return isQuietWord(view, at, form, bits) ? at : tryAll(BY_CAPITAL, view, at);
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

function tryBits(view: View, at: number, bits: number): number {
  for (const { bits: wanted, recognize } of BY_BITS) {
    if ((bits & wanted) === 0) continue;
    const last = recognize(view, at);
    if (last > at) return last;
  }
  return at;
}

function tryMarks(view: View, at: number, marks: number): number {
  let last = at;
  if ((marks & GAP.AT) !== 0) last = recognizeEmail(view, at);
  if (last === at && (marks & GAP.SLASH) !== 0) last = recognizeUrl(view, at);
  if (last === at && (marks & GAP.PERIOD) !== 0) last = recognizeHost(view, at);
  return last;
}

/** What stands behind `www`, a URL's scheme and a group of hexadecimal digits. */
const [COLON, PERIOD, HYPHEN] = [58, 46, 45];

/** Lower-case words outside every list: `www`, schemes, hexadecimal groups. */
function tryRare(view: View, at: number): number {
  recognizeLowerTown(view, at);
  const mark = view.text.charCodeAt(endOf(view, at));
  if (mark < 128 && mark !== COLON && mark !== PERIOD && mark !== HYPHEN) return at;
  return tryAll(BY_RARITY, view, at);
}

function tryAll(recognizers: readonly Recognizer[], view: View, at: number): number {
  let asked = -1;
  for (const recognize of recognizers) {
    const last = recognize(view, at);
    if (last > at) return last;
    if (view.found.length === asked) continue;
    if (wasTaken(view, at)) return at;
    asked = view.found.length;
  }
  return at;
}

/** Whether the newest candidate covers the token. */
function wasTaken(view: View, at: number): boolean {
  const newest = view.found.at(-1);
  return newest !== undefined && newest.end >= endOf(view, at) && newest.start <= startOf(view, at);
}
