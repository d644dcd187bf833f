import { ENTITY_BITS, entityOf, type ListTable } from '#contract/list-table.ts';
import { LIMIT } from '#contract/limit.ts';
import type { ListKey } from '#contract/list-key.ts';
import type { Entity } from '#contract/entity.ts';
import { filterBit, type Fingerprint, type FormHashes, hashForms } from './list-fingerprint.ts';
import { type SipKey, sipHash, type SipValue } from './sip-hash.ts';

/** A deployer's names and numbers as the engine asks for them. */
export interface Listed {
  readonly forms: FormHashes;
  /** Whether a word with this hash (word-hash.ts) may begin or end an entry; wrongly yes for a few in a hundred. */
  mayHold(hash: number): boolean;
  /** Writes a folded word's keyed hash into `out`. */
  hashWord(word: string, out: SipValue): SipValue;
  /** The kind of the entry with this fingerprint, undefined when there is none. */
  find(sum: Fingerprint): Entity | undefined;
}

const CACHE = 1 << 14;
const [UNKNOWN, NO, YES] = [0, 1, 2];

/** @param tables made with this key. What words were asked is remembered by their hash, so that a common one costs one look. */
export function createListed(tables: readonly ListTable[], key: ListKey): Listed {
  const filters = tables.map(({ filter }) => filter);
  const finders = tables.map(createFinder);
  const asked = new Int32Array(CACHE);
  const answers = new Uint8Array(CACHE);
  return {
    forms: hashForms(key, LIMIT.listWords),
    mayHold(hash) {
      const slot = hash & (CACHE - 1);
      if (asked[slot] === hash && answers[slot] !== UNKNOWN) return answers[slot] === YES;
      const answer = filters.some((filter) => isSet(filter, key.filter, hash));
      asked[slot] = hash;
      answers[slot] = answer ? YES : NO;
      return answer;
    },
    hashWord: (word, out) => sipHash(key.words, word, out),
    find(sum) {
      for (const finder of finders) {
        const entity = finder(sum.low, sum.high);
        if (entity !== undefined) return entity;
      }
      return undefined;
    },
  };
}

function isSet(filter: Uint8Array, key: SipKey, hash: number): boolean {
  const bit = filterBit(key, hash, filter.length * 8);
  return (((filter[bit >>> 3] as number) >>> (bit & 7)) & 1) === 1;
}

/** Fingerprints of a bucket: they are evenly spread, so a bucket is a few of them whatever the table holds. */
const PER_BUCKET = 4;

/** An index by the highest bits over the sorted fingerprints. */
function createFinder({ fingerprints }: ListTable): (low: number, high: number) => Entity | undefined {
  const count = fingerprints.length / 2;
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(1, count) / PER_BUCKET)));
  const shift = 32 - bits;
  const begins = new Uint32Array((1 << bits) + 1);
  for (let i = 0; i < count; i++) {
    const bucket = (fingerprints[2 * i + 1] as number) >>> shift;
    begins[bucket + 1] = (begins[bucket + 1] as number) + 1;
  }
  for (let i = 1; i < begins.length; i++) begins[i] = (begins[i] as number) + (begins[i - 1] as number);
  return (low, high) => {
    const bucket = high >>> shift;
    const end = begins[bucket + 1] as number;
    for (let i = begins[bucket] as number; i < end; i++) {
      const own = fingerprints[2 * i] as number;
      if (fingerprints[2 * i + 1] === high && (own ^ low) >>> ENTITY_BITS === 0)
        return entityOf(own & ((1 << ENTITY_BITS) - 1));
    }
    return undefined;
  };
}
