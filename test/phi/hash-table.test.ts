import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hashed, HashTable, olderOf } from '#phi/hash-table.ts';

interface Thing extends Hashed<Thing> {
  readonly ordinal: number;
}

/** Few hashes, so that many things share one. */
const hashes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), {
  maxLength: 600,
});

test('a table gives all things of a hash, newest first, however many it holds', () => {
  fc.assert(
    fc.property(hashes, (given) => {
      const table = new HashTable<Thing>();
      const wanted = new Map<number, number[]>();
      for (const [ordinal, hash] of given.entries()) {
        table.add({ hash, chain: undefined, ordinal });
        wanted.set(hash, [ordinal, ...(wanted.get(hash) ?? [])]);
      }
      expect(table.size).toBe(given.length);
      for (const [hash, ordinals] of wanted) {
        const found: number[] = [];
        for (let each = table.find(hash); each !== undefined; each = olderOf(each)) found.push(each.ordinal);
        expect(found).toEqual(ordinals);
      }
      expect(wanted.has(0) ? undefined : table.find(0)).toBeUndefined();
    }),
  );
});
