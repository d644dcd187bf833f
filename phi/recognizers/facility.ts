import { hashWord, wordSet } from '../word-hash.ts';
import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import {
  hashAt,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  isCapitalised,
  isInitial,
  isWord,
  startOf,
  type View,
} from '../view.ts';
import { isAfterPreposition, stateBehind } from './place.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const S = hashWord('s');
const WORT = hashWord('wort');
const OF = hashWord('of');
const AT = hashWord('at');
const SHORT_WORDS = wordSet('st mt ft dr mr mrs ms med univ gen mem reg hosp ave rd');
const BEFORE_FACILITY = wordSet('the our to by');
const WHERE = wordSet('at from to near');

/** Hospitals, clinics, wards, practices (B): a head word such as `Hospital` with the capitalised words around it. */

const MAX_LEFT = 7;
const JOINTS = GAP.SPACE | GAP.HYPHEN | GAP.APOSTROPHE | GAP.PERIOD | GAP.OTHER;
const LINKS = wordSet('of and for the s');
/** Head words that are ordinary words: they need a name before them. */
const WEAK_HEADS = wordSet(
  'health er ed icu associates physicians group university college school network office ward practice facility medicine rehab rehabilitation laboratory laboratories labs campus home med medicine hospice ctr cntr centre center branch',
);

/**
 * `St. Luke's`, `Saint Mary's Health`: a saint with a possessive is a hospital, a school or a church. Called for `st`, `saint`,
 * `mt`, `mount`.
 */
export function recognizeSaint(view: View, at: number): number {
  if (!isCapitalised(view, at)) return at;
  let last = at;
  while (
    last - at < 3 &&
    (gapBefore(view, last + 1) & ~(GAP.SPACE | GAP.PERIOD | GAP.APOSTROPHE)) === 0 &&
    isCapitalised(view, last + 1)
  )
    last++;
  if (last === at || (gapBefore(view, at + 1) & GAP.SPACE) === 0) return at;
  // `in San Vito di Cadore`: a town.
  if (isAfterPreposition(view, at) && (flagsAt(view, last) & BIT.FACILITY) === 0 && hashAt(view, last + 1) !== S) {
    emit(view, 'location', [startOf(view, at), endOf(view, stateBehind(view, last))], 0.75);
    return last;
  }
  const possessive = hashAt(view, last + 1) === S && gapBefore(view, last + 1) === GAP.APOSTROPHE;
  const named = (flagsAt(view, last) & (BIT.FACILITY | BIT.FACILITY_NAME | BIT.FACILITY_PART)) !== 0;
  if (!possessive && !named) return at;
  if (
    (flagsAt(view, last + (possessive ? 2 : 1)) & BIT.EPONYM_HEAD & ~BIT.FACILITY) !== 0 ||
    hashAt(view, last + 2) === WORT
  )
    return at;
  // `Elm St. Clinic`: a street's name before it.
  const street =
    named &&
    !possessive &&
    gapBefore(view, at) === GAP.SPACE &&
    isCapitalised(view, at - 1) &&
    !isStopper(view, at - 1);
  emit(view, 'facility', [startOf(view, street ? at - 1 : at), endOf(view, possessive ? last + 1 : last)], 0.8);
  return last;
}

/** Called for a word that can be the head of a facility's name. */
export function recognizeFacility(view: View, at: number): number {
  const first = leftEnd(view, at);
  if (first === at && !isOfName(view, at)) return at;
  if (first < at && !isNamed(view, first, at)) return at;
  const last = rightEnd(view, at);
  if (first === at && last === at) return at;
  emit(view, 'facility', [startOf(view, first), endOf(view, stateBehind(view, last, true))], 0.8);
  return stateBehind(view, last, true);
}

/** Head words that are so ordinary that a preposition must stand before the name: `at Denver General`. */
const ORDINARY_HEADS = wordSet('general memorial regional presbyterian methodist baptist medical gen health care');

/** The first token of the name: capitalised words, with `of`, `and`, `'s` between them. */
function leftEnd(view: View, at: number): number {
  let first = at;
  for (let i = at - 1; i >= at - MAX_LEFT && i >= view.from; i--) {
    const gap = gapBefore(view, i + 1);
    if ((gap & ~JOINTS) !== 0) break;
    if ((gap & GAP.PERIOD) !== 0 && !isAbbreviation(view, i)) break;
    if (isCapitalised(view, i) || isInitial(view, i)) {
      if (isStopper(view, i)) break;
      first = i;
    } else if (!LINKS.has(hashAt(view, i))) break;
  }
  return first;
}

function isAbbreviation(view: View, at: number): boolean {
  return isInitial(view, at) || SHORT_WORDS.has(hashAt(view, at));
}

/** A capitalised word that begins a sentence or announces, and is no part of a name. */
function isStopper(view: View, at: number): boolean {
  const flags = flagsAt(view, at);
  return (
    (flags & (BIT.STOP | BIT.CREDENTIAL)) !== 0 &&
    (flags & (BIT.FACILITY | BIT.FACILITY_PART | BIT.TITLE | BIT.FACILITY_NAME)) === 0
  );
}

/** Whether the words before the head name anything: `Lakeside Clinic` does, `Urgent Care Clinic` does not. */
function isNamed(view: View, first: number, at: number): boolean {
  const weak = WEAK_HEADS.has(hashAt(view, at)) || !isCapitalised(view, at);
  let generic = 0;
  let proper = 0;
  for (let i = first; i < at; i++) {
    const flags = flagsAt(view, i);
    if (!isCapitalised(view, i)) continue;
    if (
      (flags & (BIT.FACILITY_PART | BIT.FACILITY | BIT.STOP | BIT.CLINICAL)) === 0 ||
      (flags & BIT.TITLE) !== 0 ||
      (flags & BIT.FACILITY_NAME) !== 0
    )
      proper++;
    else generic++;
  }
  const placed = (flagsAt(view, first - 1) & BIT.PREPOSITION) !== 0 || BEFORE_FACILITY.has(hashAt(view, first - 1));
  if (ORDINARY_HEADS.has(hashAt(view, at)))
    return isCapitalised(view, at) && WHERE.has(hashAt(view, first - 1)) && proper + generic > 0;
  return proper > 0 || (generic > 0 && (!weak || (placed && isCapitalised(view, at))));
}

/** `University of Chicago`, `Hospital of Saint Raphael`: the head's own `of`. */
function isOfName(view: View, at: number): boolean {
  return (
    isCapitalised(view, at) && hashAt(view, at + 1) === OF && isCapitalised(view, at + 2) && !isStopper(view, at + 2)
  );
}

function rightEnd(view: View, at: number): number {
  let last = at;
  while (last - at < 6) {
    const of = hashAt(view, last + 1) === OF || hashAt(view, last + 1) === AT;
    const next = of ? last + 2 : last + 1;
    const gap = gapBefore(view, next);
    if (
      gap < 0 ||
      (gap & ~(GAP.SPACE | GAP.HYPHEN)) !== 0 ||
      !isCapitalised(view, next) ||
      isStopper(view, next) ||
      !isWord(view, next)
    )
      return last;
    if (!isCapitalised(view, at)) return last;
    if (!of && (flagsAt(view, next) & (BIT.FACILITY | BIT.FACILITY_PART | BIT.CITY)) === 0) return last;
    last = next;
  }
  return last;
}
