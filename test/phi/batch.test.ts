import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { batchSegments } from '#phi/batch.ts';
import { redact } from '#phi/redact.ts';
import { PROSE, rawOffset, type Segment } from '#phi/segment.ts';

function prose(text: string, more: Partial<Segment> = {}): Segment {
  return { site: 0, message: 0, text, offset: 0, field: PROSE, ...more };
}

const PARAGRAPH = fc.constantFrom(
  'The patient was seen today and is doing well. Plan unchanged.\n\n',
  'Blood pressure 120/70.\nPulse 71.\n',
  'Contact:\nMaria Gonzalez\n',
  'No line ends here but sentences do. Another sentence follows. ',
);

test('pieces of a long text join to the text, and each knows its place', () => {
  fc.assert(
    fc.property(fc.array(PARAGRAPH, { minLength: 1, maxLength: 5 }), fc.nat(1000), (parts, offset) => {
      const unit = parts.join('');
      const text = unit.repeat(Math.ceil((3 * LIMIT.examinedChars) / unit.length));
      const pieces = batchSegments([prose('short'), prose(text, { offset })]).flat();
      expect(
        pieces
          .slice(1)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
      for (const piece of pieces.slice(1)) {
        const at = rawOffset(piece, 0) - offset;
        expect(text.startsWith(piece.text.slice(0, 100), at)).toBe(true);
        // A piece that ends in a word would have cut it.
        if (at > 0) expect(text.slice(at - 1, at)).toMatch(/\s/);
      }
    }),
    { numRuns: 30 },
  );
});

test('a decoded text keeps its map when it is cut', () => {
  const text = 'A line of text here.\n\n'.repeat(30_000);
  const map = Int32Array.from({ length: text.length + 1 }, (_, i) => 2 * i);
  const pieces = batchSegments([prose(text, { map, offset: 7 })]).flat();
  expect(pieces.length).toBeGreaterThan(1);
  let at = 0;
  for (const piece of pieces) {
    expect(rawOffset(piece, 0)).toBe(2 * at);
    expect(rawOffset(piece, piece.text.length)).toBe(2 * (at + piece.text.length));
    at += piece.text.length;
  }
});

test('batches hold no more than is examined together, but for a text that cannot be cut', () => {
  const segments = Array.from({ length: 900 }, () => prose('word '.repeat(200)));
  for (const batch of batchSegments(segments)) {
    expect(batch.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(LIMIT.examinedChars);
  }
  const whole = 'x'.repeat(2 * LIMIT.examinedChars);
  expect(batchSegments([prose(whole)])).toEqual([[prose(whole)]]);
});

test('a line that announces a name is not cut off from it', () => {
  const line = 'Responsible for the care of this patient:\nMaria Gonzalez\n';
  const pieces = batchSegments([prose(line.repeat(20_000))]).flat();
  expect(pieces.length).toBeGreaterThan(2);
  for (const piece of pieces) expect(piece.text.startsWith('Responsible')).toBe(true);
});

test('wrapped prose is cut at the end of a sentence, never between the lines of a name', () => {
  const line =
    'The note was reviewed with the whole team today. Seen by Dr. Tobias\nOkonkwo, who agreed with all of it\n';
  const pieces = batchSegments([prose(line.repeat(10_000))]).flat();
  expect(pieces.length).toBeGreaterThan(2);
  for (const piece of pieces.slice(1)) expect(piece.text.startsWith('Seen by Dr. Tobias\nOkonkwo')).toBe(true);
});

test('identifiers in every part of a long text are replaced, and a name that one part shows is found in all others', () => {
  const filler = 'The patient reports no fever and the plan is to continue current therapy.\n\n'.repeat(1_000);
  const parts = Array.from({ length: 12 }, (_, i) => `MRN: 4812093${i % 10}${i}. Seen by Okonkwo again.\n\n${filler}`);
  const text = `${parts.join('')}Attending: Dr. Tobias Okonkwo`;
  expect(text.length).toBeGreaterThan(3 * LIMIT.examinedChars);
  const redacted = redact([{ text, format: 'text', message: 0 }], { dates: 'keep-year', actions: {} });
  if (redacted.kind !== 'redacted') throw new Error('the text was refused');
  const [out = ''] = redacted.texts;
  expect(out).not.toMatch(/4812093|Okonkwo/);
  expect(out.length).toBeGreaterThan(text.length / 2);
});
