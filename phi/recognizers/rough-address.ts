import { wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { CAPITALISED } from '../lexer.ts';
import {
  isCapitalised,
  shapeAt,
  flagsAt,
  gapBefore,
  hashAt,
  isMixed,
  isNumber,
  isWord,
  lengthAt,
  labelAt,
  type View,
} from '../view.ts';
import { blockEnd, isAddressed, postalEnd, unitAt } from './address-block.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/**
 * Addresses (B) of no known form, by what they end with: a unit (`14 Republica de Chile 8305, Suite 258`), or a second number where an
 * address was announced (`lives at 71 Paraguay 87`).
 */

const MAX_WORDS = 8;
const FLATS = wordSet('apt apartment suite ste');
const INSIDE = GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE | GAP.SLASH;
const NEAR_UNIT = INSIDE | GAP.COMMA | GAP.NEWLINE | GAP.END | GAP.CLOSE | GAP.OTHER;

/** @param at a number. @returns the last token of the address that begins with it, or the number's */
export function roughEnd(view: View, at: number): number {
  let words = 0;
  for (let i = at + 1; i <= at + MAX_WORDS; i++) {
    const gap = gapBefore(view, i);
    if (gap < 0) return at;
    const unit = FLATS.has(hashAt(view, i)) && (gap & ~NEAR_UNIT) === 0 ? unitAt(view, i) : 0;
    if (unit > i && words > 0) return blockEnd(view, unit);
    if ((gap & ~INSIDE) !== 0 || ((gap & GAP.PERIOD) !== 0 && lengthAt(view, i - 1) > 3)) return at;
    if (isNumber(view, i)) {
      if (lengthAt(view, i) > 5) return at;
      if (words > 0 && endsPart(view, i) && (isAddressed(view, at) || postalEnd(view, i) > i)) return blockEnd(view, i);
    } else if (isMixed(view, i)) {
      if (lengthAt(view, i) > 6) return at;
    } else if (!isStreetPart(view, i)) return at;
    else words++;
  }
  return at;
}

function endsPart(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & (GAP.COMMA | GAP.NEWLINE | GAP.END | GAP.PERIOD)) !== 0;
}

function isStreetPart(view: View, at: number): boolean {
  const flags = flagsAt(view, at);
  if (!isWord(view, at)) return false;
  if (lengthAt(view, at) === 1 && (gapBefore(view, at + 1) & GAP.PERIOD) !== 0) return true;
  // `Alt Reinickendorf`: no laboratory's short form.
  if (shapeAt(view, at) === CAPITALISED && isCapitalised(view, at + 1) && (flags & BIT.CLINICAL) !== 0) return true;
  if ((flags & (BIT.PARTICLE | BIT.STREET | BIT.DIRECTION | BIT.COUNTRY | BIT.STATE | BIT.CITY)) !== 0) return true;
  return labelAt(view, at) === 0 && (flags & (BIT.STOP | BIT.UNIT | BIT.WEEKDAY | BIT.PREPOSITION)) === 0;
}
