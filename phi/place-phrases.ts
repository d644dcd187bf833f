import { BIT as BITS } from './bit.ts';
import { GAP as GAPS } from './character.ts';
import type { Candidate } from './span.ts';
import { SIEVE } from './workspace.ts';
import { endOf, flagsAt, gapBefore, hashAt, isCapitalised, isNumber, startOf, type View } from './view.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/** A place or facility of several words that a field named. */
interface PlacePhrase {
  readonly hashes: Int32Array;
  readonly entity: 'location' | 'facility';
  readonly since: number;
}

/** A phrase where it stands. */
export interface Place {
  readonly entity: 'location' | 'facility';
  readonly since: number;
  /** Its last token. */
  readonly last: number;
}

/** A candidate and the message that named it. */
interface Named extends Candidate {
  readonly since: number;
}

/** What phrases are kept in. */
interface Kept {
  readonly phrases: PlacePhrases;
  readonly sieve: Uint8Array;
}

/** By the hash of the first word. */
export type PlacePhrases = Map<number, PlacePhrase[]>;

export function createPlacePhrases(): PlacePhrases {
  return new Map();
}

const MAX_WORDS = 8;
/** Phrases with the same first word; further ones are not learnt. */
const MAX_PHRASES = 8;
/** Words that say what a place is and not which. */
const TELLS_NOTHING = BIT.STOP | BIT.FACILITY | BIT.UNIT | BIT.STATE | BIT.COUNTRY;

/** Remembers a place of two words and more. @param at the candidate's first token */
export function learnPlace(view: View, at: number, { entity, end, since }: Named, { phrases, sieve }: Kept): void {
  if (entity !== 'facility' && entity !== 'location') return;
  let last = at;
  while (last + 1 < view.to && endOf(view, last + 1) <= end && last - at < MAX_WORDS) last++;
  const count = last - at + 1;
  if (count < 2 || count > MAX_WORDS || !isTelling(view, at, last)) return;
  const first = hashAt(view, at);
  const known = phrases.get(first) ?? [];
  if (known.length >= MAX_PHRASES) return;
  const hashes = Int32Array.from({ length: count }, (_, i) => hashAt(view, at + i));
  if (known.some((each) => each.hashes.length === count && each.hashes.every((hash, i) => hash === hashes[i]))) return;
  known.push({ hashes, entity, since });
  phrases.set(first, known);
  sieve[first & (SIEVE - 1)] = 1;
}

/** Three words, or two of which one is a name's: `Intensive Care` is a ward of every hospital. */
function isTelling(view: View, from: number, to: number): boolean {
  for (let i = from; i <= to; i++) {
    const flags = flagsAt(view, i);
    if (isNumber(view, i)) continue;
    if ((flags & BIT.PROPER) !== 0 || (flags & BIT.COMMON) === 0) return true;
    if ((flags & TELLS_NOTHING) === 0 && (to - from >= 2 || (flags & (BIT.SURNAME | BIT.CITY_PART)) !== 0)) return true;
  }
  return false;
}

/** The longest phrase that begins at a token, which is a number or has a capital. */
export function placeAt(view: View, at: number, phrases: PlacePhrases): Place | undefined {
  const known = phrases.get(hashAt(view, at));
  if (known === undefined || !(isCapitalised(view, at) || isNumber(view, at))) return undefined;
  let best: PlacePhrase | undefined;
  for (const each of known)
    if (each.hashes.length > (best?.hashes.length ?? 0) && stands(view, at, each.hashes)) best = each;
  if (best === undefined) return undefined;
  return { entity: best.entity, since: best.since, last: at + best.hashes.length - 1 };
}

function stands(view: View, at: number, hashes: Int32Array): boolean {
  if (at + hashes.length > view.to || startOf(view, at) < 0) return false;
  for (let i = 1; i < hashes.length; i++) {
    if (hashAt(view, at + i) !== hashes[i]) return false;
    if ((gapBefore(view, at + i) & (GAP.END | GAP.AT)) !== 0) return false;
  }
  return isCapitalised(view, at + hashes.length - 1) || isNumber(view, at + hashes.length - 1);
}
