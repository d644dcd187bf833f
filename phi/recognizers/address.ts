import { BIT } from '../bit.ts';
import { GAP } from '../character.ts';
import { ALL_CAPS } from '../lexer.ts';
import { LABEL } from '../words/labels.ts';
import {
  distance,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
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

/** Street addresses, post boxes and ZIP codes (45 CFR 164.514(b)(2)(i)(B)). */

const MAX_STREET_WORDS = 5;
const NEAR = GAP.SPACE | GAP.COMMA | GAP.NEWLINE | GAP.PERIOD | GAP.HASH;
const UNITS = new Set('apt apartment unit suite ste rm room floor fl bldg building lot trailer flat no'.split(' '));

/** House number first: `12 Old Mill Rd., Apt 4B`. */
export function recognizeStreet(view: View, at: number): number {
  if (lengthAt(view, at) > 6 || (isMixed(view, at) && !/^\d+[a-d]$/.test(wordAt(view, at)))) return at;
  let last = at;
  for (let i = at + 1; i <= at + MAX_STREET_WORDS; i++) {
    const gap = gapBefore(view, i);
    if (gap < 0 || (gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE)) !== 0 || distance(view, i) > 2)
      break;
    const flags = flagsAt(view, i);
    const ordinal = isMixed(view, i) && /^\d+(?:st|nd|rd|th)$/.test(wordAt(view, i));
    if (i > at + 1 && (flags & BIT.STREET) !== 0 && isStreetEnd(view, i)) last = i;
    if (
      !isCapitalised(view, i) &&
      !ordinal &&
      (flags & BIT.DIRECTION) === 0 &&
      (flags & BIT.STREET) === 0 &&
      !isLowerStreet(view, i)
    )
      break;
  }
  if (last === at) return at;
  const end = unitEnd(view, last);
  emit(view, 'location', [startOf(view, at), endOf(view, end)], 0.85);
  return end;
}

/** `dr`, `st`, `ct` are more often a title, a saint, a scan: as a street only behind a capitalised word or in capitals themselves. */
function isStreetEnd(view: View, at: number): boolean {
  return (
    isCapitalised(view, at) || (isCapitalised(view, at - 1) && lengthAt(view, at) > 2) || isLowerStreet(view, at - 1)
  );
}

/** All lower case: `12 main street`. */
function isLowerStreet(view: View, at: number): boolean {
  return (
    isWord(view, at) &&
    (flagsAt(view, at) & (BIT.UNIT | BIT.STOP)) === 0 &&
    (flagsAt(view, at + 1) & BIT.STREET) !== 0 &&
    lengthAt(view, at + 1) >= 4
  );
}

/** A direction, apartment or suite behind the street. */
function unitEnd(view: View, at: number): number {
  let last = at;
  if (
    (flagsAt(view, last + 1) & BIT.DIRECTION) !== 0 &&
    lengthAt(view, last + 1) <= 2 &&
    gapBefore(view, last + 1) === GAP.SPACE
  )
    last++;
  const gap = gapBefore(view, last + 1);
  if (gap >= 0 && (gap & ~NEAR) === 0 && distance(view, last + 1) <= 3) {
    const unit = UNITS.has(wordAt(view, last + 1));
    if (
      unit &&
      lengthAt(view, last + 2) <= 5 &&
      (isNumber(view, last + 2) || isMixed(view, last + 2) || lengthAt(view, last + 2) === 1)
    )
      last += 2;
    else if ((gap & GAP.HASH) !== 0) last += 1;
  }
  return last;
}

/** `PO Box 123`. */
export function recognizePostBox(view: View, at: number): number {
  if (wordAt(view, at) !== 'box' || !(isNumber(view, at + 1) || isMixed(view, at + 1))) return at;
  let first = at;
  if (wordAt(view, at - 1) === 'po') first = at - 1;
  else if (wordAt(view, at - 1) === 'o' && wordAt(view, at - 2) === 'p') first = at - 2;
  else if (wordAt(view, at - 1) === 'office' && wordAt(view, at - 2) === 'post') first = at - 2;
  if (first === at) return at;
  emit(view, 'location', [startOf(view, first), endOf(view, at + 1)], 0.85);
  return at + 1;
}

/** Five digits, or 5+4, after a state or a ZIP label: alone they are a CPT code. */
export function recognizeZip(view: View, at: number): number {
  if (lengthAt(view, at) !== 5 || !isNumber(view, at)) return at;
  const plus4 =
    gapBefore(view, at + 1) === GAP.HYPHEN &&
    distance(view, at + 1) === 1 &&
    lengthAt(view, at + 1) === 4 &&
    isNumber(view, at + 1);
  const last = plus4 ? at + 1 : at;
  const flags = flagsAt(view, at - 1);
  const gap = gapBefore(view, at);
  const near = gap >= 0 && (gap & ~NEAR) === 0;
  const state =
    near &&
    (((flags & BIT.STATE_CODE) !== 0 && shapeAt(view, at - 1) === ALL_CAPS) ||
      ((flags & (BIT.STATE | BIT.CITY)) !== 0 && isCapitalised(view, at - 1)));
  const labelled =
    labelAt(view, at - 1) === LABEL.ZIP || labelAt(view, at - 2) === LABEL.ZIP || labelAt(view, at - 3) === LABEL.ZIP;
  if (!state && !labelled) return at;
  emit(view, 'location', [startOf(view, at), endOf(view, last)], 0.85);
  return last;
}
