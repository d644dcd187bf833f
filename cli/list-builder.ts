import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import type { ListKey } from '#contract/list-key.ts';
import { encodeListTable, ENTITY_BITS, entityNumber, type ListHeader } from '#contract/list-table.ts';
import { createEntryEncoder, type ListedValue } from '#phi/list-entry.ts';
import { filterBit, hashForms } from '#phi/list-fingerprint.ts';

/** Collects entries and makes a table of them. */
export interface ListBuilder {
  /** @returns null when the entry was taken, or why not, in words that hold nothing of it */
  add(value: ListedValue, entity: Entity): string | null;
  /** @returns the table's bytes and its header */
  finish(): { readonly bytes: Uint8Array; readonly header: ListHeader };
}

/** Filter bits for each different word: 6 of 100 words that no entry has are then looked up in vain. */
const BITS_PER_WORD = 16;
/** And at most so many for each entry, so that a table is at most 16 bytes an entry. */
const MAX_BITS_PER_ENTRY = 64;
const MIN_FILTER_BYTES = 8;

export function createListBuilder(key: ListKey): ListBuilder {
  const encode = createEntryEncoder(key, hashForms(key, LIMIT.listWords));
  const words = new Set<number>();
  const counts: Partial<Record<Entity, number>> = {};
  let sums = new BigUint64Array(1_024);
  let size = 0;
  return {
    add(value, entity) {
      const entry = encode(value, entity);
      if (typeof entry === 'string') return entry;
      if (size >= LIMIT.listEntries) return `is one more than the ${LIMIT.listEntries} that a table holds`;
      if (size === sums.length) sums = grown(sums);
      const { low, high } = entry.fingerprint;
      const marked = ((low >>> ENTITY_BITS) << ENTITY_BITS) | entityNumber(entity);
      sums[size++] = (BigInt(high) << 32n) | BigInt(marked >>> 0);
      for (const hash of entry.hashes) words.add(hash);
      counts[entity] = (counts[entity] ?? 0) + 1;
      return null;
    },
    finish() {
      const different = withoutTwins(sums.subarray(0, size).sort());
      const filter = filterOf(words, size, key);
      const header: ListHeader = {
        format: 'lazaret-list',
        version: 1,
        key: key.id,
        entries: size,
        entities: counts,
        filterBytes: filter.length,
        fingerprints: different.length,
      };
      const fingerprints = new Uint32Array(different.buffer, different.byteOffset, different.length * 2);
      return { bytes: encodeListTable({ header, filter, fingerprints }, key), header };
    },
  };
}

function grown(sums: BigUint64Array): BigUint64Array<ArrayBuffer> {
  const wider = new BigUint64Array(sums.length * 2);
  wider.set(sums);
  return wider;
}

/** In place: of equal fingerprints, whatever their entities, one stays. @param sorted ascending */
function withoutTwins(sorted: BigUint64Array): BigUint64Array {
  const shift = BigInt(ENTITY_BITS);
  let kept = 0;
  for (const sum of sorted) {
    if (kept === 0 || (sorted[kept - 1] as bigint) >> shift !== sum >> shift) sorted[kept++] = sum;
  }
  return sorted.subarray(0, kept);
}

function filterOf(words: ReadonlySet<number>, entries: number, key: ListKey): Uint8Array {
  const wanted = Math.min(words.size * BITS_PER_WORD, entries * MAX_BITS_PER_ENTRY) / 8;
  const bytes = Math.max(MIN_FILTER_BYTES, 2 ** Math.floor(Math.log2(Math.max(1, wanted))));
  const filter = new Uint8Array(bytes);
  for (const hash of words) {
    const bit = filterBit(key.filter, hash, bytes * 8);
    filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
  }
  return filter;
}
