import { wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import {
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isInitial,
  isNumber,
  isWord,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { isHouseNumber } from './address.ts';
import { nameFlagsAt } from './name-shape.ts';
import { isStreetWord, isUnknown } from './street-words.ts';
import { blockEnd, unitAt } from './address-block.ts';
import { LOWER } from '../lexer.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/** Streets (B) by their word, without a number before them. */

const CERTAIN_STREETS = wordSet(
  'street strasse platz utca ulica gata vej avenue road boulevard blvd lane parkway highway drive terrace ave rd pkwy hwy',
);
const DOUBTFUL_STREETS = wordSet('st dr ln ct');
const BEFORE_STREET = wordSet('on at of and');

/** `Oomen Street`, `Old Mill Road`, `Keskiort street`: a street without a number. Called for a street word. */
export function recognizeNamedStreet(view: View, at: number): number {
  const prefixed = recognizePrefixed(view, at);
  if (prefixed > at) return prefixed;
  if (isNumber(view, at - 1) && CERTAIN_STREETS.has(hashAt(view, at))) return recognizeNumberedName(view, at);
  if (lengthAt(view, at) < 2 || !isCapitalised(view, at - 1) || gapBefore(view, at) !== GAP.SPACE) return at;
  const certain = CERTAIN_STREETS.has(hashAt(view, at));
  const abbreviated =
    DOUBTFUL_STREETS.has(hashAt(view, at)) && isCapitalised(view, at) && BEFORE_STREET.has(hashAt(view, at - 2));
  if (!certain && !abbreviated) return at;
  let first = at - 1;
  while (
    at - first < 4 &&
    gapBefore(view, first) === GAP.SPACE &&
    isCapitalised(view, first - 1) &&
    (flagsAt(view, first - 1) & BIT.STOP) === 0
  )
    first--;
  if ((flagsAt(view, first) & (BIT.STOP | BIT.CLINICAL)) !== 0 && (flagsAt(view, first) & BIT.DIRECTION) === 0)
    return at;
  const numbered = certain && !NUMBERLESS.has(hashAt(view, at)) && isHouseNumber(view, at + 1);
  emit(view, 'location', [startOf(view, first), endOf(view, numbered ? at + 1 : at)], 0.7);
  return numbered ? at + 1 : at;
}

/** `ul. Wierzbowa 8`, `rua das Hortas 44` in a sentence: a lower-case street word before the name and the number. */
function recognizePrefixed(view: View, at: number): number {
  if (shapeAt(view, at) !== LOWER || !isStreetWord(view, at, at - 1)) return at;
  let last = at;
  for (let i = at + 1; i <= at + 5; i++) {
    const gap = gapBefore(view, i);
    if ((gap & ~(GAP.SPACE | GAP.HYPHEN | (i === at + 1 ? GAP.PERIOD : 0))) !== 0 || gap < 0) break;
    if (!isCapitalised(view, i) && !isInitial(view, i) && (flagsAt(view, i) & BIT.PARTICLE) === 0) break;
    last = i;
  }
  if (last === at || !isCapitalised(view, last) || !isHouseNumber(view, last + 1)) return at;
  const end = blockEnd(view, Math.max(last + 1, unitAt(view, last + 2)));
  emit(view, 'location', [startOf(view, at), endOf(view, end)], 0.8);
  return end;
}

/** `Bygget 91 street`, `on Pascual Yunquera 12 street`: the house number between the name and the word. */
function recognizeNumberedName(view: View, at: number): number {
  const number = at - 1;
  if (gapBefore(view, at) !== GAP.SPACE || gapBefore(view, number) !== GAP.SPACE || lengthAt(view, number) > 4)
    return at;
  let first = number;
  while (
    number - first < 5 &&
    (gapBefore(view, first) & ~(GAP.SPACE | GAP.HYPHEN)) === 0 &&
    isStreetName(view, first - 1)
  )
    first--;
  if (first === number) return at;
  emit(view, 'location', [startOf(view, first), endOf(view, at)], 0.75);
  return at;
}

function isStreetName(view: View, at: number): boolean {
  if (at < view.from) return false;
  const named =
    (isCapitalised(view, at) || isInitial(view, at)) && (nameFlagsAt(view, at) & (BIT.STOP | BIT.MONTH)) === 0;
  return named || isUnknown(view, at) || ((flagsAt(view, at) & BIT.PARTICLE) !== 0 && isWord(view, at));
}

/** English streets have their number before them. */
const NUMBERLESS = wordSet('street avenue road boulevard blvd lane parkway highway drive terrace ave rd pkwy hwy');
