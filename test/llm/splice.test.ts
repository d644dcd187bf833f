import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8, splice, spliceUtf8, type TextEdit } from '#llm/splice.ts';

/** Beyond the length from which a text is encoded in pieces. */
const LARGE = 300_000;

function grow(seed: string): string {
  return seed === '' ? '' : seed.repeat(Math.ceil(LARGE / seed.length));
}

function expected(text: string, edits: readonly TextEdit[]): Uint8Array {
  return encodeUtf8(
    splice(
      text,
      edits.map(({ start, end, text: insert, as }) => ({
        start,
        end,
        insert: as === 'string' ? JSON.stringify(insert) : insert,
      })),
    ),
  );
}

const unit = fc.string({ unit: 'binary', minLength: 1, maxLength: 7 });

test('a large text with edits is the same bytes as joined and encoded at once, wherever pairs and escapes fall', () => {
  fc.assert(
    fc.property(
      unit,
      unit,
      fc.constantFrom('string' as const, 'raw' as const),
      fc.nat(50),
      (around, inside, as, at) => {
        const text = grow(around);
        const edit = { start: at, end: at + 20, text: grow(inside), as };
        expect(Buffer.compare(spliceUtf8(text, [edit]), expected(text, [edit]))).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('a lone surrogate in a large edit is escaped as in a small one', () => {
  const text = 'a'.repeat(LARGE);
  const edits = [
    { start: 1, end: 2, text: `${'b'.repeat(65_535)}\ud83d${'c'.repeat(9)}\ude00`, as: 'string' as const },
  ];
  expect(Buffer.from(spliceUtf8(text, edits)).toString('latin1')).toBe(
    Buffer.from(expected(text, edits)).toString('latin1'),
  );
});

test('text that grows to many times its size while it is escaped is written whole', () => {
  const text = `"${'x'.repeat(LARGE)}"`;
  const edits = [{ start: 0, end: text.length, text: '\u0001'.repeat(LARGE), as: 'string' as const }];
  expect(spliceUtf8(text, edits).length).toBe(LARGE * 6 + 2);
});
