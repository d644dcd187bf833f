import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeListsHead, parseListsHead } from '#contract/lists-protocol.ts';
import { AnswerReader } from '#sidecar/lists/fetch-lists.ts';

const TABLES = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 8 });

function answerOf(tables: readonly Uint8Array[]): Buffer {
  const heads = tables.map(({ length }, at) => ({ name: `${at}.table`, bytes: length }));
  return Buffer.concat([encodeListsHead({ version: 1, key: 'a secret', tables: heads }), ...tables]);
}

/** Cuts bytes at places that are fractions of their length. */
function cut(bytes: Buffer, at: readonly number[]): readonly Buffer[] {
  const places = [0, ...at.map((part) => Math.floor(part * bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const CUTS = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

it('lists are the same wherever their answer is cut', () => {
  fc.assert(
    fc.property(TABLES, CUTS, (tables, cuts) => {
      const reader = new AnswerReader();
      for (const piece of cut(answerOf(tables), cuts)) expect(reader.take(piece)).toBe(true);
      expect(reader.finish()?.tables.map((table) => [...table])).toEqual(tables.map((table) => [...table]));
    }),
  );
});

it('no part of an answer is taken for the whole, and nothing behind its end is passed over', () => {
  fc.assert(
    fc.property(TABLES, CUTS, fc.double({ min: 0, max: 0.999, noNaN: true }), (tables, cuts, end) => {
      const whole = answerOf(tables);
      const short = new AnswerReader();
      for (const piece of cut(whole.subarray(0, Math.floor(end * whole.length)), cuts)) short.take(piece);
      expect(short.finish()).toBeNull();
      const long = new AnswerReader();
      const taken = cut(Buffer.concat([whole, Buffer.from('x')]), cuts).map((piece) => long.take(piece));
      expect(taken).toContain(false);
    }),
  );
});

it('a first line that is anything else is no head', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      expect(parseListsHead(line)).toBeNull();
    }),
  );
});
