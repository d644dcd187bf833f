import { LIMIT } from '#contract/limit.ts';
import { ANCHOR, BIT } from './bit.ts';
import { GAP } from './character.ts';
import { TooManyFindings } from './detector-error.ts';
import { FORM } from './form.ts';
import { LOWER, MIXED, NUMBER } from './lexer.ts';
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
import {
  endOf,
  flagsAt,
  gapBefore,
  kindAt,
  labelAt,
  lengthAt,
  numberAt,
  type Recognizer,
  shapeAt,
  startOf,
  type View,
} from './view.ts';

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

/** Finds identifiers in one segment by what stands in and around them; puts them into `view.found`. One pass. */
export function detect(view: View): void {
  const { to, found, cells } = view;
  for (let i = view.from; i < to; i++) {
    const own = cells[(i << CELL.BITS) + CELL.FORM] as number;
    if ((own & FORM.ANCHOR) === 0) continue;
    if (found.length > LIMIT.identifiers) throw new TooManyFindings();
    i =
      (own & FORM.KIND) === NUMBER
        ? isDose(view, i)
          ? i
          : tryAll(BY_NUMBER, view, i)
        : detectWord(
            view,
            i,
            cells[(i << CELL.BITS) + CELL.FLAGS] as number,
            (cells[(i << CELL.BITS) + CELL.GAP] as number) & MARKS,
          );
  }
}

function detectWord(view: View, at: number, bits: number, marks: number): number {
  let last = at;
  if (marks !== 0) last = tryMarks(view, at, marks);
  if (last === at && labelAt(view, at) !== 0) {
    recognizeValueBeforeLabel(view, at);
    last = Math.max(
      recognizeLabelled(view, at),
      recognizeAgeInWords(view, at),
      recognizeIntersection(view, at),
      recognizeSpelledNumber(view, at),
      recognizeSpelledEmail(view, at),
    );
  }
  if (last > at) return last;
  if (kindAt(view, at) === MIXED) return tryAll(BY_MIXED, view, at);
  if ((bits & BIT.CITY) !== 0 && (bits & BIT.GIVEN) !== 0) last = recognizeName(view, at);
  if (last > at) return last;
  if ((bits & ANCHOR) !== 0) {
    for (const { bits: wanted, recognize } of BY_BITS) {
      if ((bits & wanted) === 0) continue;
      last = Math.max(last, recognize(view, at));
      if (last > at) return last;
    }
  }
  if (shapeAt(view, at) !== LOWER) return tryAll(BY_CAPITAL, view, at);
  if (bits === 0) return tryRare(view, at);
  if ((bits & BIT.SURNAME) !== 0 && (bits & BIT.GIVEN) === 0) return recognizeLowerSurname(view, at);
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

/** `80 mg`: a number below 90 before a unit. Most numbers of a note are like it, and no recognizer takes one. */
function isDose(view: View, at: number): boolean {
  return (
    gapBefore(view, at + 1) === GAP.SPACE &&
    lengthAt(view, at) <= 2 &&
    (flagsAt(view, at + 1) & BIT.UNIT) !== 0 &&
    shapeAt(view, at + 1) === LOWER &&
    numberAt(view, at) < 90
  );
}

/** Whether the newest candidate covers the token. */
function wasTaken(view: View, at: number): boolean {
  const newest = view.found.at(-1);
  return newest !== undefined && newest.end >= endOf(view, at) && newest.start <= startOf(view, at);
}
