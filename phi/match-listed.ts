import { hashWord, HASH_PRIME } from './word-hash.ts';
import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import { BIT as BITS } from './bit.ts';
import { GAP as GAPS } from './character.ts';
import { NUMBER, WORD } from './lexer.ts';
import { Fingerprint } from './list-fingerprint.ts';
import type { Listed } from './listed.ts';
import type { SipValue } from './sip-hash.ts';
import {
  distance,
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isInitial,
  kindAt,
  lengthAt,
  startOf,
  type View,
  wordAt,
} from './view.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

const S = hashWord('s');

/** Finds a deployer's names and numbers. They win over every rule that would keep a word. */

const SCORE = 0.97;
/** Words between the first given and the first family name, or the other way round. */
const MAX_BETWEEN = 3;
const MAX_GAP = 3;
/** `GONZALEZ^MARIA`, `Gonzalez, Maria`, a name over the end of a line. */
const JOINTS =
  GAP.SPACE | GAP.COMMA | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE | GAP.NEWLINE | GAP.UNDERSCORE | GAP.OTHER;
const ORDINARY = BIT.COMMON | BIT.STOP | BIT.MONTH | BIT.CLINICAL | BIT.TITLE | BIT.STATE;

const word = new Fingerprint();
const first = new Fingerprint();
const phrase = new Fingerprint();
const probe = new Fingerprint();

interface Match {
  readonly entity: Entity;
  readonly last: number;
}

/** Puts what stands in the lists into `view.found`. Costs a look a token, and a few keyed hashes where a listed word stands. */
export function matchListed(view: View, listed: Listed): void {
  for (let i = view.from; i < view.to; i++) {
    const isPlainWord = kindAt(view, i) === WORD && !isGlued(view, i + 1);
    const may = listed.mayHold(hashAt(view, i));
    if (isPlainWord && !may) continue;
    const number = isPlainWord ? undefined : numberAt(view, i, listed);
    const match = number ?? (may ? wordsAt(view, i, listed) : undefined);
    if (match === undefined) continue;
    emit(view, match.entity, [startOf(view, i), endOf(view, match.last)], SCORE);
    i = match.last;
  }
}

/** The longest entry whose words begin at a token. */
function wordsAt(view: View, at: number, listed: Listed): Match | undefined {
  listed.hashWord(wordAt(view, at), first);
  let best = single(view, at, listed);
  phrase.set(first);
  let isPhrase = true;
  let words = 1;
  for (let i = at + 1; words < LIMIT.listWords && joins(view, i); i++) {
    if (isClitic(view, i)) continue;
    words++;
    const may = listed.mayHold(hashAt(view, i));
    if (may) {
      listed.hashWord(wordAt(view, i), word);
      if (isPhrase) {
        phrase.add(word);
        best = found(listed, probe.set(phrase).add(listed.forms.phrase[words] as SipValue), i) ?? best;
      }
      if (words <= MAX_BETWEEN + 2 && mayBePerson(view, at, i))
        best = person(view, listed, i, found(listed, probe.set(first).add(word).add(listed.forms.person), i)) ?? best;
    } else isPhrase = false;
    if (!isPhrase && (words > MAX_BETWEEN + 1 || !isBetween(view, i, may))) break;
  }
  return best;
}

function single(view: View, at: number, listed: Listed): Match | undefined {
  if ((flagsAt(view, at) & ORDINARY) !== 0 && !isCapitalised(view, at)) return undefined;
  return found(listed, probe.set(first).add(listed.forms.word), at);
}

function found(listed: Listed, sum: Fingerprint, last: number): Match | undefined {
  const entity = listed.find(sum);
  return entity === undefined ? undefined : { entity, last };
}

/** In lower case two ordinary words (`will brown`) are not taken for somebody. */
function mayBePerson(view: View, a: number, b: number): boolean {
  return (
    (flagsAt(view, a) & ORDINARY) === 0 ||
    (flagsAt(view, b) & ORDINARY) === 0 ||
    isCapitalised(view, a) ||
    isCapitalised(view, b)
  );
}

/** With the rest of a family name: `Ana Garcia-Lopez` where Garcia and Lopez are listed. */
function person(view: View, listed: Listed, at: number, match: Match | undefined): Match | undefined {
  if (match === undefined) return undefined;
  let { last } = match;
  for (let i = at + 1; i <= at + MAX_BETWEEN && (gapBefore(view, i) & ~(GAP.SPACE | GAP.HYPHEN)) === 0; i++) {
    if ((flagsAt(view, i) & BIT.PARTICLE) !== 0) continue;
    if (!isCapitalised(view, i) || (flagsAt(view, i) & ORDINARY) !== 0 || !listed.mayHold(hashAt(view, i))) break;
    last = i;
  }
  return { entity: match.entity, last };
}

function joins(view: View, at: number): boolean {
  const gap = gapBefore(view, at);
  return gap >= 0 && (gap & ~JOINTS) === 0 && distance(view, at) <= MAX_GAP;
}

function isClitic(view: View, at: number): boolean {
  return gapBefore(view, at) === GAP.APOSTROPHE && hashAt(view, at) === S;
}

/** A middle name or initial, or a particle. */
function isBetween(view: View, at: number, listed: boolean): boolean {
  if (kindAt(view, at) !== WORD) return false;
  return (
    isCapitalised(view, at) ||
    isInitial(view, at) ||
    lengthAt(view, at) === 1 ||
    (flagsAt(view, at) & (BIT.PARTICLE | BIT.GIVEN)) !== 0 ||
    listed
  );
}

const MAX_PARTS = 6;
const NUMBER_JOINTS = GAP.SPACE | GAP.HYPHEN | GAP.PERIOD | GAP.SLASH | GAP.UNDERSCORE;

/** `AB` in `AB-1234`. */
function isGlued(view: View, at: number): boolean {
  return (
    at < view.to &&
    kindAt(view, at) !== WORD &&
    lengthAt(view, at - 1) <= 5 &&
    distance(view, at) === 1 &&
    (gapBefore(view, at) & ~NUMBER_JOINTS) === 0
  );
}

/** The longest number whose letters and digits begin at a token, however they are grouped. */
function numberAt(view: View, at: number, listed: Listed): Match | undefined {
  let best = numberOf(listed, wordAt, view, [at, at]);
  let hash = hashAt(view, at);
  for (let i = at + 1; i < at + MAX_PARTS && i < view.to; i++) {
    if (distance(view, i) > 1 || (gapBefore(view, i) & ~NUMBER_JOINTS) !== 0) break;
    if (kindAt(view, i) !== NUMBER && distance(view, i) === 1 && lengthAt(view, i) > 5) break;
    const part = wordAt(view, i);
    for (let k = 0; k < part.length; k++) hash = Math.imul(hash ^ part.charCodeAt(k), HASH_PRIME);
    if (listed.mayHold(hash === 0 ? 1 : hash)) best = numberOf(listed, joined, view, [at, i]) ?? best;
  }
  return best;
}

function numberOf(
  listed: Listed,
  read: (view: View, at: number, last: number) => string,
  view: View,
  [at, last]: readonly [number, number],
): Match | undefined {
  if (last === at && !listed.mayHold(hashAt(view, at))) return undefined;
  listed.hashWord(read(view, at, last), word);
  return found(listed, word.add(listed.forms.number), last);
}

function joined(view: View, at: number, last: number): string {
  let text = '';
  for (let i = at; i <= last; i++) text += wordAt(view, i);
  return text;
}
