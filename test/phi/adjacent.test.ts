import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';

const ALL = { dates: 'whole', actions: {} } as const;

/** The texts of one message after redaction. */
function clean(texts: readonly string[], messages: readonly number[] = texts.map(() => 1)): readonly string[] {
  const sites = texts.map((text, at) => ({ text, format: 'text' as const, message: messages[at] ?? 1 }));
  const redaction = redact(sites, ALL);
  return redaction.kind === 'redacted' ? redaction.texts : [];
}

const FILLER = 'She slept well and ate. '.repeat(40);

test.each([
  ['a number behind a label', ['MRN: ', '448812 is on file'], /448812/],
  ['a label without a space', ['MRN:', '448812'], /448812/],
  ['a sign', ['The chart says MRN #', '448812'], /448812/],
  ['a name behind its label', ['Name: ', 'Zarn, seen today'], /Zarn/],
  ['a name behind a title', ['Seen by Dr. ', 'moolan today'], /moolan/i],
  ['a number that is cut', ['SSN 219-09-', '9999 was given'], /219|9999/],
  ['an address that is cut', ['Summarise:', 'She lives at 12 ', 'Fernkettle Way, Apt 4'], /12|Fernkettle/],
  ['the ends of long texts', [`${FILLER}MRN: `, `448812. ${FILLER}`], /448812/],
])('what one text announces is found in the next: %s', (_, texts, identifier) => {
  expect(clean(texts).join('|')).not.toMatch(identifier);
});

test('white space at which a value was cut stays', () => {
  expect(clean(['She lives at 12 ', 'Fernkettle Way.'])).toEqual([
    expect.stringMatching(/^She lives at PLACE_\w+ $/),
    expect.stringMatching(/^PLACE_\w+\.$/),
  ]);
});

test('texts of two messages, and separate paragraphs, say nothing of each other', () => {
  expect(clean(['MRN: ', '448812'], [1, 2])).toEqual(['MRN: ', '448812']);
  const paragraphs = [
    'Discuss it with the patient',
    'Lab results follow',
    'Take one tablet daily',
    'Kidney function is stable',
  ];
  expect(clean(paragraphs)).toEqual(paragraphs);
});

test('what is restored is what was sent, wherever a message is cut', () => {
  const text =
    'Patient Quelbo Zarn (MRN: 448812, SSN 219-09-9999) lives at 12 Fernkettle Way, Boston, MA 02118. Call (617) 555-0142 after 3/4/2021.';
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: text.length - 1 }), { maxLength: 5 }), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const texts = edges.slice(1).map((end, at) => text.slice(edges[at], end));
      const redaction = redact(
        texts.map((piece) => ({ text: piece, format: 'text' as const, message: 1 })),
        ALL,
      );
      if (redaction.kind !== 'redacted') throw new Error('refused');
      const restored = redaction.texts.map((piece) =>
        redaction.vault
          .entries()
          .reduce((whole, { surrogate, original }) => whole.replaceAll(surrogate, () => original.reveal()), piece),
      );
      expect(restored).toEqual(texts);
    }),
  );
});
