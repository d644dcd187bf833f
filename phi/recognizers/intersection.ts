import { hashWord } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { LABEL as LABELS } from '../words/labels.ts';
import {
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isInitial,
  isMixed,
  isNumber,
  labelAt,
  lengthAt,
  startOf,
  type View,
} from '../view.ts';
import { blockEnd } from './address-block.ts';
import { nameFlagsAt } from './name-shape.ts';
import { isUnknown } from './street-words.ts';

// Bound here: view.ts says why.
const [BIT, GAP, LABEL] = [BITS, GAPS, LABELS];

/** `the corner of Elm Street and 3rd Avenue` (B): two streets are a place, whatever they are called. */

const OF = hashWord('of');
const THE = hashWord('the');
const AND = hashWord('and');
const MAX_TOKENS = 16;

/** Called for `corner`, `intersection`. */
export function recognizeIntersection(view: View, at: number): number {
  if (labelAt(view, at) !== LABEL.CORNER || hashAt(view, at + 1) !== OF || gapBefore(view, at + 2) <= 0) return at;
  let last = at + 1;
  let joint = 0;
  for (let i = at + 2; i <= at + MAX_TOKENS; i++) {
    const gap = gapBefore(view, i);
    if (gap < 0 || (gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE | GAP.SLASH)) !== 0) break;
    if (hashAt(view, i) === AND && last > at + 1 && joint === 0) joint = i;
    else if (((gap & GAP.PERIOD) !== 0 && !isShort(view, i - 1)) || !isPart(view, i)) break;
    last = i;
  }
  if (joint === 0 || last === joint) return at;
  const first = hashAt(view, at - 1) === THE ? at - 1 : at;
  const end = blockEnd(view, last);
  emit(view, 'location', [startOf(view, first), endOf(view, end)], 0.85);
  return end;
}

function isShort(view: View, at: number): boolean {
  return isInitial(view, at) || lengthAt(view, at) <= 4;
}

function isPart(view: View, at: number): boolean {
  if (isNumber(view, at)) return lengthAt(view, at) <= 5;
  if (isMixed(view, at)) return lengthAt(view, at) <= 6;
  if (isCapitalised(view, at) || isInitial(view, at))
    return (nameFlagsAt(view, at) & BIT.STOP) === 0 || (flagsAt(view, at) & (BIT.DIRECTION | BIT.COUNTRY)) !== 0;
  if (gapBefore(view, at) === GAP.HYPHEN && gapBefore(view, at + 1) === GAP.HYPHEN) return true;
  return (flagsAt(view, at) & (BIT.STREET | BIT.PARTICLE | BIT.DIRECTION)) !== 0 || isUnknown(view, at);
}
