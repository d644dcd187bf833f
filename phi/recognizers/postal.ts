import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS } from '../lexer.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  distance,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
  isMixed,
  isNumber,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
  wordAt,
  hashAt,
} from '../view.ts';
import { blockEnd, unitAt } from './address-block.ts';

// Bound here: view.ts says why.
const [BIT, GAP, LABEL] = [BITS, GAPS, LABELS];

const BOX = hashWord('box');
const PO = hashWord('po');
const O = hashWord('o');
const P = hashWord('p');
const OFFICE = hashWord('office');
const POST = hashWord('post');
const UNITS = wordSet('apt apartment suite ste');
const BOXES = wordSet('postfach postbus apartado casilla postboks');
const POSTS = wordSet('apo fpo dpo');
const SHIPS = wordSet('uss usns usnv uscgc usnv psc cmr unit');

/** Parts of an address that stand by themselves: units, post boxes, military mail, ZIP codes (B). */

const NEAR = GAP.SPACE | GAP.COMMA | GAP.NEWLINE | GAP.PERIOD | GAP.HASH;

/** `Apt. 339`, `Suite 574` alone on its line or between commas. Called for words of {@link unitAt}. */
export function recognizeUnit(view: View, at: number): number {
  if (!UNITS.has(hashAt(view, at))) return at;
  const last = unitAt(view, at);
  if (last <= at) return at;
  const end = blockEnd(view, last);
  emit(view, 'location', [startOf(view, at), endOf(view, end)], 0.75);
  return end;
}

/** `PO Box 123`. */
export function recognizePostBox(view: View, at: number): number {
  if (BOXES.has(hashAt(view, at)) && isNumber(view, at + 1) && gapBefore(view, at + 1) === GAP.SPACE) {
    const last = blockEnd(view, at + 1);
    emit(view, 'location', [startOf(view, at), endOf(view, last)], 0.85);
    return last;
  }
  if (hashAt(view, at) !== BOX || !(isNumber(view, at + 1) || isMixed(view, at + 1))) return at;
  let first = at;
  if (hashAt(view, at - 1) === PO) first = at - 1;
  else if (hashAt(view, at - 1) === O && hashAt(view, at - 2) === P) first = at - 2;
  else if (hashAt(view, at - 1) === OFFICE && hashAt(view, at - 2) === POST) first = at - 2;
  else if (isNumber(view, at - 1)) first = at - 2;
  if (first === at) return at;
  const end = blockEnd(view, at + 1);
  emit(view, 'location', [startOf(view, first), endOf(view, end)], 0.85);
  return end;
}

/** `Unit 8464 Box 4410 / DPO AA 74226`, `USNS Harmon / FPO AP 96543`: military mail. Called for `apo`, `fpo`, `dpo`. */
export function recognizeMilitaryPost(view: View, at: number): number {
  if (!POSTS.has(hashAt(view, at)) || !/^a[aep]$/.test(wordAt(view, at + 1)) || !isNumber(view, at + 2)) return at;
  let first = at;
  for (let i = at - 1; i >= at - 5 && i >= view.from; i--) {
    const gap = gapBefore(view, i + 1);
    if ((gap & (GAP.PERIOD | GAP.COLON | GAP.END)) !== 0 || ((gap & GAP.NEWLINE) !== 0 && i < at - 1)) break;
    if (SHIPS.has(hashAt(view, i))) first = i;
  }
  emit(view, 'location', [startOf(view, first), endOf(view, at + 2)], 0.9);
  return at + 2;
}

/** Five digits, or 5+4, after a state or a ZIP label: alone they are a CPT code. */
export function recognizeZip(view: View, at: number): number {
  const postcode = isPostcode(view, at);
  if (postcode < at) return at;
  const flags = flagsAt(view, at - 1);
  const gap = gapBefore(view, at);
  const near = gap >= 0 && (gap & ~NEAR) === 0;
  const state =
    near &&
    lengthAt(view, at) === 5 &&
    (((flags & BIT.STATE_CODE) !== 0 && shapeAt(view, at - 1) === ALL_CAPS) ||
      ((flags & (BIT.STATE | BIT.CITY | BIT.COUNTRY)) !== 0 && isCapitalised(view, at - 1)));
  const labelled =
    labelAt(view, at - 1) === LABEL.ZIP || labelAt(view, at - 2) === LABEL.ZIP || labelAt(view, at - 3) === LABEL.ZIP;
  const placed =
    near &&
    lengthAt(view, at) === 5 &&
    isAfterPlace(view, at) &&
    (flagsAt(view, at + 1) & (BIT.UNIT | BIT.STOP)) !== BIT.UNIT;
  if (!state && !labelled && !placed) return at;
  emit(view, 'location', [startOf(view, at), endOf(view, postcode)], 0.85);
  return postcode;
}

/** `in Brackenford 71382`: a place was found just before. */
function isAfterPlace(view: View, at: number): boolean {
  const newest = view.found.at(-1);
  return newest?.entity === 'location' && gapBefore(view, at) === GAP.SPACE && newest.end === endOf(view, at - 1);
}

/** @returns the last token of a postal code, or less than the first */
function isPostcode(view: View, at: number): number {
  if (!isNumber(view, at) || lengthAt(view, at) < 4 || lengthAt(view, at) > 6) return at - 1;
  const plus4 =
    gapBefore(view, at + 1) === GAP.HYPHEN &&
    distance(view, at + 1) === 1 &&
    lengthAt(view, at + 1) === 4 &&
    isNumber(view, at + 1);
  return plus4 ? at + 1 : at;
}
