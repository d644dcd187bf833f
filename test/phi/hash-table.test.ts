import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Hashed, HashTable, olderOf } from '#phi/hash-table.ts';

interface Thing extends Hashed<Thing> {
  readonly ordinal: number;
}

/** 2^32 divided by the golden ratio: what tables mostly multiply hashes with (Knuth, The Art of Computer Programming 3, 6.4). */
const GOLDEN = 0x9e37_79b1;

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

test('things whose hashes were chosen for one slot of a known table are not compared with each other', () => {
  let inverse = GOLDEN;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(GOLDEN, inverse));
  // GOLDEN times such a hash is 0 in the bits that choose a slot.
  const chosen = Array.from({ length: 8_192 }, (_, i) => Math.imul(i, inverse));
  expect(chosen.every((hash) => Math.imul(hash, GOLDEN) >>> 13 === 0)).toBe(true);
  let looks = 0;
  const table = new HashTable<Thing>();
  for (const [ordinal, own] of chosen.entries()) {
    const hash = (): number => {
      looks++;
      return own;
    };
    table.add(Object.defineProperty({ hash: own, chain: undefined, ordinal }, 'hash', { get: hash }));
  }
  looks = 0;
  for (const hash of chosen) expect(table.find(hash)?.hash).toBe(hash);
  expect(looks).toBeLessThan(20 * chosen.length);
});
