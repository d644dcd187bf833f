import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, LOWER } from '../lexer.ts';
import {
  hashAt,
  emit,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isWord,
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { ANY_NAME, endWithPeriod, nameFlagsAt, suffixEnd } from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const I = hashWord('i');
const NAME = hashWord('name');
const M = hashWord('m');
const ME = hashWord('me');
const HIM = hashWord('him');
const CALLS = wordSet('call calls');
const THIS = hashWord('this');
const S = hashWord('s');
/** In capitals also a disease, a drug form, a physician's or a road's short form. */
const LETTERS = wordSet('ms sr dr');
const DR = hashWord('dr');
const IS = hashWord('is');

/** Names of persons (A) by what stands before and behind them: titles, roles, greetings, `Last, First`. */

export const NOT_NAMES =
  BIT.STOP | BIT.CLINICAL | BIT.MONTH | BIT.COUNTRY | BIT.STATE | BIT.HOLIDAY | BIT.WEEKDAY | BIT.CREDENTIAL;
/** Titles that say nothing clinical go with the name; `Dr.` stays, because it says who a person is in the text. */
const COURTESY = wordSet('mr mrs ms miss mx');
const GREETINGS = wordSet('hi hello hey dear thanks sincerely regards bye goodbye welcome');
export const INTRODUCTIONS = wordSet(
  'named called nicknamed surnamed aka alias said says told asked starring featuring',
);
const KIN = wordSet(
  'daughter son wife husband mother father mom dad brother sister partner friend parents family kid kids child children cousin aunt uncle boyfriend girlfriend fiance fiancee neighbor boss house address name chart labs record records',
);
const SPEECH = wordSet(
  'said says asked told shouted replied wrote answered stated reports reported denies complains thinks wants called',
);

/** Whether the words around say that a capitalised word is somebody's name: `named X`, `I'm X`, `Hi X,`, `X's daughter`, `X said`. */
export function isIntroduced(view: View, at: number): boolean {
  const before = hashAt(view, at - 1);
  const gap = gapBefore(view, at);
  if ((gap & ~(GAP.SPACE | GAP.COMMA | GAP.COLON)) === 0) {
    if (INTRODUCTIONS.has(hashAt(view, at - 1))) return true;
    if (GREETINGS.has(hashAt(view, at - 1))) return (gapBefore(view, at + 1) & ~GAP.SPACE) !== 0 || at + 1 >= view.to;
    if (before === M && hashAt(view, at - 2) === I && (gapBefore(view, at - 1) & GAP.APOSTROPHE) !== 0)
      return isListed(view, at);
    if (before === ME || before === HIM) return CALLS.has(hashAt(view, at - 2));
    if (before === IS && (hashAt(view, at - 2) === NAME || hashAt(view, at - 2) === THIS)) return isListed(view, at);
  }
  const possessive = hashAt(view, at + 1) === S && (gapBefore(view, at + 1) & GAP.APOSTROPHE) !== 0;
  if (possessive) return KIN.has(hashAt(view, at + 2)) && isListed(view, at);
  return gapBefore(view, at + 1) === GAP.SPACE && SPEECH.has(hashAt(view, at + 1)) && isListed(view, at);
}

function isListed(view: View, at: number): boolean {
  return (flagsAt(view, at) & (BIT.GIVEN | BIT.SURNAME_TOP)) !== 0 || (flagsAt(view, at) & BIT.COMMON) === 0;
}

/** `Dr. Okafor`, `Mrs. K.`, `mr smith`: what follows a title is a name, whatever else it may be. */
export function recognizeTitled(view: View, at: number): number {
  if (!isTitle(view, at)) return at;
  let last = at;
  for (let next = at + 1; next - at <= 4; next++) {
    const gap = gapBefore(view, next);
    const dotted = (gap & GAP.PERIOD) !== 0 && next > at + 1 && !isInitial(view, next - 1);
    if (gap < 0 || dotted || (gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN)) !== 0) break;
    if (next > at + 1 && (flagsAt(view, next) & BIT.FACILITY) !== 0) break;
    if (!isTitledWord(view, at, next)) break;
    last = next;
  }
  if (last === at) return at;
  const first = COURTESY.has(hashAt(view, at)) ? at : at + 1;
  last = suffixEnd(view, last);
  emit(view, 'name', [startOf(view, first), endWithPeriod(view, last)], 0.95);
  return last;
}

/** `MS` is a disease and `dr` a drive: in capitals or lower case a title needs more than itself. */
function isTitle(view: View, at: number): boolean {
  const word = hashAt(view, at);
  const shape = shapeAt(view, at);
  if (shape === ALL_CAPS && LETTERS.has(word))
    return (gapBefore(view, at + 1) & GAP.PERIOD) !== 0 || (word === DR && shapeAt(view, at + 1) === ALL_CAPS);
  return true;
}

function isTitledWord(view: View, title: number, at: number): boolean {
  const flags = flagsAt(view, at);
  if (isInitial(view, at)) return true;
  // `Dr. Smith MRN 123`: a label begins something else.
  if (labelAt(view, at) !== 0 && at > title + 1 && (flags & BIT.SURNAME_TOP) === 0) return false;
  if (isCapitalised(view, at))
    return (
      (nameFlagsAt(view, at) & (BIT.STOP | BIT.CREDENTIAL)) === 0 ||
      ((flags & BIT.SURNAME_TOP) !== 0 && (flags & BIT.TITLE) === 0)
    );
  if (!isWord(view, at)) return false;
  if ((flags & BIT.PARTICLE) !== 0 && (isCapitalised(view, at + 1) || isCapitalised(view, at + 2))) return true;
  const first = at === title + 1;
  const dotted = (gapBefore(view, title + 1) & GAP.PERIOD) !== 0;
  // `mr. martin`: behind a title with its period an ordinary word may be a surname.
  const surname = first && dotted && (flags & (BIT.SURNAME_TOP | BIT.GIVEN)) !== 0;
  const plain =
    (flags & (BIT.STOP | BIT.UNIT)) === 0 && ((flags & BIT.COMMON) === 0 || surname) && lengthAt(view, at) >= 3;
  if (shapeAt(view, title) !== LOWER && !dotted) return false;
  if (first) return plain && ((flags & ANY_NAME) !== 0 || (gapBefore(view, at) & GAP.PERIOD) !== 0);
  return (
    plain &&
    shapeAt(view, title + 1) === LOWER &&
    ((flags & BIT.SURNAME) !== 0 || flags === 0) &&
    gapBefore(view, at) === GAP.SPACE
  );
}

/** `Roe, Jane`, `ROE^JANE`: the family name first. Called for a capitalised word. */
export function recognizeLastFirst(view: View, at: number): number {
  const gap = gapBefore(view, at + 1);
  if (gap !== (GAP.COMMA | GAP.SPACE) && gap !== GAP.COMMA) return at;
  const flags = flagsAt(view, at);
  const next = flagsAt(view, at + 1);
  if (!isCapitalised(view, at + 1) || (next & BIT.GIVEN) === 0 || (next & (NOT_NAMES | BIT.COMMON)) !== 0) return at;
  if ((flags & BIT.SURNAME) === 0 || (flags & (NOT_NAMES | BIT.COMMON | BIT.GIVEN)) !== 0) return at;
  const initial = isInitial(view, at + 2) && gapBefore(view, at + 2) === GAP.SPACE ? at + 2 : at + 1;
  emit(view, 'name', [startOf(view, at), endWithPeriod(view, initial)], 0.8);
  return initial;
}
