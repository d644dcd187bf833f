import { BIT as BITS } from './bit.ts';
import { GAP as GAPS } from './character.ts';
import { type Hashed, HashTable } from './hash-table.ts';
import { ALL_CAPS, LOWER } from './lexer.ts';
import { createPlacePhrases, learnPlace, placeAt, type Place, type PlacePhrases } from './place-phrases.ts';
import {
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
  separator,
  shapeAt,
  startOf,
  type View,
} from './view.ts';
import type { Entity } from '#contract/entity.ts';
import type { Candidate } from './span.ts';
import { CELL } from './tokens.ts';
import { SIEVE } from './workspace.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];
const { BITS: WIDTH, END, HASH } = CELL;
const SIEVED = SIEVE - 1;

/** What was learnt of a word: since which message, and whether it counts only with a capital. */
interface Learnt extends Hashed<Learnt> {
  readonly since: number;
  readonly entity: Entity;
  readonly capital: boolean;
  /** Three letters: only an abbreviation in capitals. */
  readonly caps: boolean;
}

/** Words that some text of the conversation showed to belong to an identifier: found once, they are found everywhere. */
export interface Evidence {
  readonly words: HashTable<Learnt>;
  /** A bit for the low bits of each hash in `words`: most words of a text are told from it. */
  readonly sieve: Uint8Array;
  /** Places and facilities of several words, by their first. */
  readonly phrases: PlacePhrases;
}

export function createEvidence(sieve: Uint8Array): Evidence {
  return { words: new HashTable(), sieve, phrases: createPlacePhrases() };
}

/** Whether nothing was learnt. */
export function isEmpty({ words, phrases }: Evidence): boolean {
  return words.size === 0 && phrases.size === 0;
}

function learntOf({ words, sieve }: Evidence, hash: number): Learnt | undefined {
  return sieve[hash & SIEVED] === 0 ? undefined : words.find(hash);
}

/** The word or the place of several words that stands at a token. */
function knownAt(view: View, at: number, evidence: Evidence): Learnt | Place | undefined {
  const place = evidence.phrases.size === 0 ? undefined : placeAt(view, at, evidence.phrases);
  return place ?? evidence.words.find(hashAt(view, at));
}

/** The next token whose hash the sieve lets through. All tokens are looked at, so that this does nothing else. */
function nextSieved({ cells, to }: View, from: number, { sieve }: Evidence): number {
  let at = from;
  while (at < to && sieve[(cells[(at << WIDTH) + HASH] as number) & SIEVED] === 0) at++;
  return at;
}

/** Numbers shorter than this occur by chance. */
const MIN_NUMBER = 5;
const MIN_SCORE = 0.6;
/** What a field holds is a whole name for sure. */
const SURE = 0.95;
const NO_EVIDENCE = BIT.STOP | BIT.TITLE | BIT.CREDENTIAL | BIT.MONTH | BIT.PARTICLE;
const NO_PLACE =
  BIT.COMMON | BIT.STATE | BIT.COUNTRY | BIT.STREET | BIT.FACILITY | BIT.FACILITY_PART | BIT.DIRECTION | BIT.CITY_PART;
const NO_FACILITY = NO_PLACE | BIT.STOP | BIT.CLINICAL | BIT.STATE_CODE | BIT.GIVEN_TOP;
const NUMBERS: ReadonlySet<Entity> = new Set<Entity>([
  'mrn',
  'health_plan',
  'account',
  'license',
  'device',
  'vehicle',
  'ssn',
  'phone',
  'other',
]);

/** Remembers the words of what was found in a segment. @param message ordinal of the segment's message */
export function learnFrom(view: View, found: readonly Candidate[], message: number, evidence: Evidence): void {
  let at = view.from;
  for (const candidate of found) {
    if (candidate.score < MIN_SCORE) continue;
    at = tokenAt(view, at, candidate.start);
    if (candidate.score >= SURE) learnPlace(view, at, { ...candidate, since: message }, evidence);
    for (let i = at; i < view.to && startOf(view, i) < candidate.end; i++) {
      const hash = hashAt(view, i);
      if (learntOf(evidence, hash) !== undefined) continue;
      const learnt = worth(view, i, candidate, message);
      if (learnt === undefined) continue;
      evidence.words.add(learnt);
      evidence.sieve[hash & SIEVED] = 1;
    }
  }
}

/** The first token from one on that ends behind a place in the text. */
function tokenAt({ cells, to }: View, from: number, start: number): number {
  let at = from;
  while (at < to && (cells[(at << WIDTH) + END] as number) <= start) at++;
  return at;
}

/** What a word of a candidate shows; undefined for one that says nothing elsewhere. */
function worth(view: View, at: number, { entity, score }: Candidate, since: number): Learnt | undefined {
  const flags = flagsAt(view, at);
  const length = lengthAt(view, at);
  let [capital, caps] = [false, false];
  if (NUMBERS.has(entity)) {
    if (isWord(view, at) || length < MIN_NUMBER) return undefined;
  } else {
    if (!isWord(view, at) || (flags & NO_EVIDENCE) !== 0) return undefined;
    if (labelAt(view, at) !== 0 && (flags & (BIT.GIVEN | BIT.SURNAME)) === 0) return undefined;
    if (entity === 'name' && length >= 3) {
      capital = (flags & (BIT.COMMON | BIT.CLINICAL | BIT.CITY)) !== 0 || length === 3;
    } else {
      const facility = entity === 'facility' && score >= SURE && (flags & NO_FACILITY) === 0 && length >= 3;
      if (!facility && !(entity === 'location' && (flags & NO_PLACE) === 0 && length >= 4)) return undefined;
      capital = true;
      caps = facility && length === 3;
    }
  }
  return { hash: hashAt(view, at), chain: undefined, since, entity, capital, caps };
}

/** Finds the words of the evidence in a segment. @param take is called with what was found and the message it is known since */
export function applyEvidence(view: View, evidence: Evidence, take: (found: Candidate, since: number) => void): void {
  for (let i = nextSieved(view, view.from, evidence); i < view.to; i = nextSieved(view, i + 1, evidence)) {
    const first = knownAt(view, i, evidence);
    if (first === undefined) continue;
    if ('last' in first) {
      const { entity, last, since } = first;
      take({ entity, start: startOf(view, i), end: endOf(view, last), score: 0.75 }, since);
      i = last;
      continue;
    }
    if (!counts(view, i, first)) continue;
    let last = i;
    let since = first.since;
    for (
      let next = learntOf(evidence, hashAt(view, last + 1));
      next !== undefined && continues(view, last + 1, first, next);
      next = learntOf(evidence, hashAt(view, last + 1))
    ) {
      last++;
      since = Math.max(since, next.since);
    }
    const initial =
      first.entity === 'name' &&
      i > view.from &&
      isInitial(view, i - 1) &&
      gapBefore(view, i) === (GAP.SPACE | GAP.PERIOD);
    take(
      { entity: first.entity, start: startOf(view, initial ? i - 1 : i), end: endOf(view, last), score: 0.75 },
      since,
    );
    i = last;
  }
}

function continues(view: View, at: number, first: Learnt, next: Learnt): boolean {
  if (at >= view.to || next.entity !== first.entity || first.entity !== 'name' || !counts(view, at, next)) return false;
  return (gapBefore(view, at) & ~(GAP.SPACE | GAP.HYPHEN)) === 0;
}

function counts(view: View, at: number, learnt: Learnt): boolean {
  if (learnt.capital && !isCapitalised(view, at)) return false;
  if (learnt.caps && shapeAt(view, at) !== ALL_CAPS) return false;
  if (isNumber(view, at)) return !isInOid(view, at);
  return (
    (flagsAt(view, at + 1) & BIT.EPONYM_HEAD) === 0 ||
    shapeAt(view, at) === LOWER ||
    (learnt.entity !== 'name' && learnt.entity !== 'facility') ||
    (flagsAt(view, at) & BIT.CLINICAL) === 0
  );
}

/** A number of an OID is nobody's, whatever the same number is elsewhere: `2.16.840.1.113883.1.111.12345`. */
function isInOid(view: View, at: number): boolean {
  const isJoined = (index: number): boolean => separator(view, index) === 46 && isNumber(view, index - 1);
  return isJoined(at) && isJoined(at - 1) && isJoined(at - 2);
}
