import { wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { ALL_CAPS, LOWER } from '../lexer.ts';
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
  labelAt,
  lengthAt,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';
import { ANY_NAME, nameFlagsAt } from './name-shape.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/** Towns (B) from anywhere: by the gazetteer, and by what is said of them. */

/** Words before `in`, `from`, `at`, `to` that speak of where somebody is. */
const RESIDING = wordSet(
  'lives live lived living moved moving resides resident residing born raised grew up originally based traveled travelled flew fly flying drove arrived arriving returned here am m is back located transferred seen treated admitted hospitalized went go going trip travel',
);
const NO_TOWN = BIT.COMMON | BIT.STOP | BIT.CLINICAL | BIT.COUNTRY | BIT.STATE | BIT.MONTH | BIT.HOLIDAY;
/** Little words inside the names of towns: `Hrušovany u Brna`, `Stoke on Trent`, `Loka pri Zidanem Mostu`. */
const LINKS = wordSet(
  'de di del da do dos das u nad pri na am an der den im in ob la le les sur sous upon on by the under op aan bei near v s',
);
const PREPOSITIONS = wordSet('in at from near to around outside');
/** `Where: Brackenford`, `home city Brackenford`. */
const ANNOUNCING = wordSet('where city town village venue hometown suburb');

/** Called for words of the gazetteer. */
export function recognizeTown(view: View, at: number): number {
  const flags = nameFlagsAt(view, at);
  if ((flags & (NO_TOWN | BIT.TITLE | BIT.UNIT)) !== 0 || labelAt(view, at) !== 0) return at;
  if ((flagsAt(view, at + 1) & BIT.EPONYM_HEAD) !== 0) return at;
  const named = (flags & ANY_NAME) !== 0;
  const placed = PREPOSITIONS.has(hashAt(view, at - 1)) && gapBefore(view, at) === GAP.SPACE;
  if (shapeAt(view, at) === LOWER) {
    if (!isWord(view, at) || (named && ((flags & BIT.GIVEN) !== 0 || !placed || lengthAt(view, at) < 5))) return at;
    if (!placed && !standsAlone(view, at)) return at;
  } else if (
    !isCapitalised(view, at) ||
    (named && (!placed || isCapitalised(view, at + 1) || isInitial(view, at + 1))) ||
    (shapeAt(view, at) === ALL_CAPS && lengthAt(view, at) < 5)
  )
    return at;
  emit(view, 'location', [startOf(view, at), endOf(view, townEnd(view, at))], 0.65);
  return at;
}

/** `, marseille`: between a comma or a line's beginning and the end of the clause. */
function standsAlone(view: View, at: number): boolean {
  const after = gapBefore(view, at + 1);
  return (
    (gapBefore(view, at) & (GAP.COMMA | GAP.NEWLINE)) !== 0 &&
    (after < 0 || (after & ~GAP.SPACE) !== 0) &&
    lengthAt(view, at) >= 5
  );
}

/** `grew up in onnezies`: a lower-case word that no list holds, where somebody lives or goes. */
export function recognizeLowerTown(view: View, at: number): number {
  if (lengthAt(view, at) < 4 || !isWord(view, at)) return at;
  const residing = PREPOSITIONS.has(hashAt(view, at - 1)) && isResiding(view, at - 1);
  if (!residing && !isAnnounced(view, at)) return at;
  let last = at;
  // `saltcombe-on-sea`
  while (last - at < 3 && gapBefore(view, last + 1) === GAP.HYPHEN && isWord(view, last + 1)) last++;
  emit(view, 'location', [startOf(view, at), endOf(view, last)], 0.6);
  return at;
}

/** Whether the words before a preposition say that somebody lives or goes there. */
export function isResiding(view: View, preposition: number): boolean {
  return gapBefore(view, preposition) === GAP.SPACE && RESIDING.has(hashAt(view, preposition - 1));
}

/** Whether a colon behind `Where` or its kin, or the word `city` itself, stands before a capitalised word. */
export function isAnnounced(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  if (!ANNOUNCING.has(hashAt(view, at - 1)) || gap <= 0 || (gap & ~(GAP.SPACE | GAP.COLON)) !== 0) return false;
  return (gap & GAP.COLON) !== 0 || shapeAt(view, at - 1) === LOWER;
}

/** The last token of a town's name of several words. */
export function townEnd(view: View, at: number): number {
  let last = at;
  while (last - at < 6) {
    const next = wordEnd(view, last + 1);
    if (next === last) break;
    last = next;
  }
  return isDistrict(view, last + 1) ? last + 1 : last;
}

/** @returns the last token of what goes on with the token, or the one before */
function wordEnd(view: View, at: number): number {
  const gap = gapBefore(view, at);
  if (gap !== GAP.SPACE && gap !== GAP.HYPHEN && gap !== GAP.APOSTROPHE) return at - 1;
  if (isPart(view, at)) return at;
  // `Mansilla de la Sierra`
  if (LINKS.has(hashAt(view, at)) && LINKS.has(hashAt(view, at + 1)) && gapBefore(view, at + 1) === GAP.SPACE)
    return gapBefore(view, at + 2) === GAP.SPACE && isPart(view, at + 2) ? at + 2 : at - 1;
  const linked =
    LINKS.has(hashAt(view, at)) && (gapBefore(view, at + 1) & ~(GAP.SPACE | GAP.HYPHEN | GAP.APOSTROPHE)) === 0;
  return linked && gapBefore(view, at + 1) > 0 && isPart(view, at + 1) && !isCapitalLink(view, at) ? at + 1 : at - 1;
}

/** `Lyon In 2019`: a capital on the little word is a title's. */
function isCapitalLink(view: View, at: number): boolean {
  return isCapitalised(view, at) && shapeAt(view, at) !== ALL_CAPS && (flagsAt(view, at) & BIT.PARTICLE) === 0;
}

function isPart(view: View, at: number): boolean {
  if (!isCapitalised(view, at)) return false;
  const flags = nameFlagsAt(view, at);
  if (labelAt(view, at) !== 0) return false;
  return (
    (flags & (BIT.STOP | BIT.CLINICAL | BIT.MONTH | BIT.TITLE | BIT.WEEKDAY | BIT.HOLIDAY | BIT.EPONYM_HEAD)) === 0 ||
    (flags & BIT.DIRECTION) !== 0
  );
}

/** `København K`, `Karlovy Vary 17`: a town's district, where the clause ends. */
function isDistrict(view: View, at: number): boolean {
  if (gapBefore(view, at) !== GAP.SPACE) return false;
  if (!isInitial(view, at) && !(isNumber(view, at) && lengthAt(view, at) <= 2)) return false;
  const gap = gapBefore(view, at + 1);
  return gap < 0 || (gap & (GAP.COMMA | GAP.PERIOD | GAP.NEWLINE | GAP.END)) !== 0;
}
