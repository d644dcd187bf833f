import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { isContinued } from '../digits.ts';
import { LOWER } from '../lexer.ts';
import {
  distance,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
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
import { blockEnd, isAddressed, unitAt } from './address-block.ts';
import { isStrange, nameFlagsAt } from './name-shape.ts';
import { endsAsStreet, isNumberedStreet, isStreetWord, isUnknown } from './street-words.ts';
import { roughEnd } from './rough-address.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const BOX = hashWord('box');
const ENGLISH_STREETS = wordSet(
  'court place drive way run square row close path point circle lane road street avenue trail',
);

/** Street addresses, post boxes and ZIP codes (45 CFR 164.514(b)(2)(i)(B)). */

const MAX_STREET_WORDS = 6;
const INSIDE = GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE;

/** House number first: `12 Old Mill Rd., Apt 4B`; without a street word only where a unit, a town or a second number follows. */
export function recognizeStreet(view: View, at: number): number {
  if (lengthAt(view, at) > 6 || (isMixed(view, at) && !isLettered(view, at))) return at;
  // `Cr 1.2. EF 35%`: a value, and a sentence that ends with it.
  if (isContinued(view, at) || (gapBefore(view, at + 1) & ~(GAP.SPACE | GAP.NEWLINE)) !== 0) return at;
  if (isNumber(view, at) && (flagsAt(view, at + 1) & BIT.UNIT) !== 0 && shapeAt(view, at + 1) === LOWER) return at;
  if (hashAt(view, at + 1) === BOX) return at;
  const start =
    isNumber(view, at + 1) && gapBefore(view, at + 1) === GAP.SPACE && lengthAt(view, at + 1) <= 5 ? at + 1 : at;
  const rough = roughEnd(view, at);
  if (rough > at) {
    emit(view, 'location', [startOf(view, at), endOf(view, rough)], 0.8);
    return rough;
  }
  const words = streetWords(view, start);
  if (words.last === start) return at;
  const number = isHouseNumber(view, words.last + 1) ? words.last + 1 : words.last;
  const unit = unitAt(view, number + 1);
  const certain =
    words.street ||
    (start > at && words.capital) ||
    (number > words.last && words.capital) ||
    unit > number ||
    isAddressed(view, at);
  if (!certain || (!words.street && !words.capital && unit === number)) return at;
  const ended = number > words.last && isNumberEnd(view, number);
  const last =
    words.street && !(ended || isAddressed(view, at) || unit > number) ? words.streetEnd : Math.max(unit, number);
  const end = blockEnd(
    view,
    words.street && last === words.streetEnd ? Math.max(words.streetEnd, unitAt(view, words.streetEnd + 1)) : last,
  );
  emit(view, 'location', [startOf(view, beforeNumber(view, at)), endOf(view, end)], 0.85);
  return end;
}

/** `12b` */
function isLettered(view: View, at: number): boolean {
  const first = view.text.charCodeAt(startOf(view, at));
  return !(first > 64 && first < 128) && /^\d+[a-d]$/.test(wordAt(view, at));
}

/** `Långlöt 44 Horky Street`: a word before the number that English does not have belongs to the address. */
function beforeNumber(view: View, at: number): number {
  const opens =
    isCapitalised(view, at - 1) &&
    ((gapBefore(view, at - 1) & (GAP.NEWLINE | GAP.COLON)) !== 0 || at - 1 === view.from);
  if (
    opens &&
    gapBefore(view, at) === GAP.SPACE &&
    (nameFlagsAt(view, at - 1) & (BIT.STOP | BIT.COMMON | BIT.TITLE)) === 0 &&
    labelAt(view, at - 1) === 0
  )
    return at - 1;
  const strange = isUnknown(view, at - 1) || (isCapitalised(view, at - 1) && isStrange(view, at - 1));
  return strange && gapBefore(view, at) === GAP.SPACE ? at - 1 : at;
}

interface StreetWords {
  readonly last: number;
  /** The last street word (`Road`, `Hauptstraße`), or the house number. */
  readonly streetEnd: number;
  readonly street: boolean;
  readonly capital: boolean;
}

function streetWords(view: View, at: number): StreetWords {
  let last = at;
  let streetEnd = at;
  let capital = true;
  for (let i = at + 1; i <= at + MAX_STREET_WORDS; i++) {
    const gap = gapBefore(view, i);
    // `C/ Mayor 12`
    const slash = isInitial(view, i - 1) ? GAP.SLASH : 0;
    if (gap < 0 || (gap & ~(INSIDE | slash)) !== 0 || distance(view, i) > 2 || gap === 0) break;
    if ((gap & GAP.PERIOD) !== 0 && i > at + 1 && lengthAt(view, i - 1) > 4) break;
    const flags = flagsAt(view, i);
    if (unitAt(view, i) > i) break;
    if (isStreetWord(view, i, at)) streetEnd = i;
    const ordinal = isMixed(view, i) && /^\d+(?:st|nd|rd|th)$/.test(wordAt(view, i));
    const capped = isCapitalised(view, i) || isInitial(view, i) || ordinal;
    const plain = capped
      ? (flags & (BIT.MONTH | BIT.WEEKDAY)) === 0 &&
        ((flags & BIT.STOP) === 0 || (flags & BIT.DIRECTION) !== 0 || streetEnd === i || isStreetAhead(view, i))
      : isLowerStreet(view, i) || streetEnd === i;
    if (!plain && !((flags & BIT.PARTICLE) !== 0 && i > at && lengthAt(view, i) <= 5)) break;
    if (!capped && (flags & BIT.PARTICLE) === 0) capital = false;
    last = i;
  }
  while (last > streetEnd && (flagsAt(view, last) & BIT.PARTICLE) !== 0 && !isCapitalised(view, last)) last--;
  return { last, streetEnd, street: streetEnd > at, capital };
}

/** `Old Mill Rd`: an ordinary word in capitals with a street word close behind. */
function isStreetAhead(view: View, at: number): boolean {
  for (let i = at + 1; i <= at + 3 && isCapitalised(view, i) && gapBefore(view, i) === GAP.SPACE; i++) {
    if ((flagsAt(view, i) & BIT.STREET) !== 0) return true;
  }
  return false;
}

/** All lower case: `12 old mill road`: words that no unit or function word is, up to a street word. */
function isLowerStreet(view: View, at: number): boolean {
  if (!isWord(view, at) || shapeAt(view, at) !== LOWER || (flagsAt(view, at) & (BIT.UNIT | BIT.STOP)) !== 0)
    return false;
  for (let i = at + 1; i <= at + 3; i++) {
    if (gapBefore(view, i) !== GAP.SPACE || !isWord(view, i))
      return (flagsAt(view, at) & BIT.COMMON) === 0 && isNumber(view, i);
    if ((flagsAt(view, i) & BIT.STREET) !== 0 && lengthAt(view, i) >= 4) return true;
    if ((flagsAt(view, i) & (BIT.UNIT | BIT.STOP)) !== 0) return false;
  }
  return false;
}

export function isHouseNumber(view: View, at: number): boolean {
  return (
    (gapBefore(view, at) &
      ~(GAP.SPACE | GAP.COMMA | (/(?:^u|^ul|str|^ut)$/.test(wordAt(view, at - 1)) ? GAP.PERIOD : 0))) ===
      0 &&
    gapBefore(view, at) >= 0 &&
    distance(view, at) <= 2 &&
    lengthAt(view, at) <= 5 &&
    (isNumber(view, at) || (isMixed(view, at) && isLettered(view, at)))
  );
}

/** Whether a number behind a street ends the clause, so that it is a house number and no count (`5 days`). */
function isNumberEnd(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & ~GAP.SPACE) !== 0 || isCapitalised(view, at + 1);
}

/** `Storgatan 12`, `Avenida Brasil 1277`: the street before the number. Called for a capitalised word. */
export function recognizeStreetFirst(view: View, at: number): number {
  const ahead = numberedAhead(view, at);
  if (ahead > at) {
    const end = blockEnd(view, Math.max(ahead, unitAt(view, ahead + 1)));
    emit(view, 'location', [startOf(view, at), endOf(view, end)], 0.75);
    return end;
  }
  const byName =
    (flagsAt(view, at) & BIT.STREET) !== 0 && lengthAt(view, at) > 2 && !ENGLISH_STREETS.has(hashAt(view, at));
  const numbered = isNumber(view, at + 1) || isMixed(view, at + 1);
  if (!byName && !(numbered && endsAsStreet(view, at))) return at;
  const last = byName ? namedEnd(view, at) : at;
  if (byName && last === at) return at;
  if (!isHouseNumber(view, last + 1)) return at;
  const end = blockEnd(view, Math.max(last + 1, unitAt(view, last + 2)));
  emit(view, 'location', [startOf(view, at), endOf(view, end)], 0.75);
  return end;
}

/** `Árpád fejedelem útja 3`, `Luite tee 71`: up to the house number behind a street word close by. @returns its token, or the given one */
function numberedAhead(view: View, at: number): number {
  if (!isNumber(view, at + 2) && !isNumber(view, at + 3) && !isNumber(view, at + 4)) return at;
  for (let i = at + 1; i <= at + 3; i++) {
    const gap = gapBefore(view, i);
    if (gap !== GAP.SPACE && gap !== GAP.HYPHEN) return at;
    if (isNumberedStreet(view, i)) return i + 1;
    if (!isCapitalised(view, i) && !isUnknown(view, i)) return at;
  }
  return at;
}

/** The last capitalised word or particle behind a street word. */
function namedEnd(view: View, at: number): number {
  let last = at;
  while (last - at < 5 && gapBefore(view, last + 1) === GAP.SPACE) {
    if (!isCapitalised(view, last + 1) && (flagsAt(view, last + 1) & BIT.PARTICLE) === 0) break;
    last++;
  }
  return last;
}
