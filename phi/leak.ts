import type { Entity } from '#contract/entity.ts';
import { BIT } from './bit.ts';
import { examineSites } from './examine.ts';
import { lexiconBits } from './lexicon.ts';
import { fold } from './view.ts';
import type { Vault } from './vault.ts';
import { hashWord } from './word-hash.ts';

/** Originals shorter than this are found in any text by chance. */
const MIN_LENGTH = 4;
/** Of a date: day and month alone are numbers like others. */
const MIN_DATE = 6;
/** Units of an original that find it in the index. */
const KEY = 4;

/** Identifiers that their shape or check digit proves; names and places are not among them. */
const PROVEN: ReadonlySet<Entity> = new Set<Entity>([
  'ssn',
  'phone',
  'fax',
  'email',
  'mrn',
  'health_plan',
  'account',
  'license',
  'vehicle',
  'device',
  'ip',
]);
const PROVEN_SCORE = 0.8;

/**
 * Whether text that must be forwarded byte for byte (thinking blocks) tells an identifier: an original of this vault, in any
 * case and with any punctuation, or an identifier that validates by itself. The exchange is then refused.
 * @param text as it would leave, at most a request body long
 */
export function containsOriginal(vault: Vault, text: string): boolean {
  return (
    containsAny(vault, text) ||
    identifiersIn(text).some((found) => PROVEN.has(found.entity) && found.score >= PROVEN_SCORE)
  );
}

type Index = ReadonlyMap<string, readonly string[]>;

/** One for each vault: a conversation may hold hundreds of thinking blocks. */
const indexes = new WeakMap<Vault, Index>();

function indexOf(vault: Vault): Index {
  const known = indexes.get(vault);
  if (known !== undefined) return known;
  const index = new Map<string, string[]>();
  for (const { original, entity } of vault.entries()) {
    const value = normalise(original.reveal());
    if (!isTelling(value.trim(), entity)) continue;
    const key = value.slice(1, 1 + KEY);
    const list = index.get(key) ?? [];
    list.push(value);
    index.set(key, list);
  }
  indexes.set(vault, index);
  return index;
}

function containsAny(vault: Vault, text: string): boolean {
  const index = indexOf(vault);
  if (index.size === 0) return false;
  const folded = normalise(text);
  for (let i = 0; i + KEY <= folded.length; i++) {
    const list = index.get(folded.slice(i, i + KEY));
    if (list?.some((value) => folded.startsWith(value, i - 1)) === true) return true;
  }
  return false;
}

/** Whether finding the value in a text says anything: `will`, `90` and `3 14` stand in any text. */
function isTelling(value: string, entity: Entity): boolean {
  if (value.length < (entity === 'date' ? MIN_DATE : MIN_LENGTH) || entity === 'age') return false;
  return value.includes(' ') || (lexiconBits(hashWord(fold(value))) & (BIT.COMMON | BIT.STOP | BIT.MONTH)) === 0;
}

/** Lower case, runs of anything but letters and digits as one space, a space at both ends: whole words are compared. */
function normalise(text: string): string {
  return ` ${text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;
}

/** An identifier in text that cannot be replaced. */
export interface Identifier {
  /** `[start, end)` in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly entity: Entity;
  readonly score: number;
}

/** A city in an enumeration, a date format, the URL of a schema say nothing of a patient where no value stands beside them. */
const PUBLIC_IN_SCHEMAS: ReadonlySet<Entity> = new Set<Entity>(['location', 'facility', 'date', 'url']);
const SCHEMA_SCORE = 0.6;

/**
 * Finds identifiers in schema positions (property names, enumerations, constants), which have to stay as they are: what is
 * found there blocks. Places, dates and URLs are not looked for there, nor names that only a list knows.
 */
export function findIdentifiers(text: string): readonly Identifier[] {
  return identifiersIn(text).filter((found) => !PUBLIC_IN_SCHEMAS.has(found.entity) && found.score >= SCHEMA_SCORE);
}

function identifiersIn(text: string): readonly Identifier[] {
  const { findings } = examineSites([{ text, format: 'text', message: 0 }], { dates: 'whole' });
  return findings.map(({ start, end, entity, score }) => ({ start, end, entity, score }));
}
