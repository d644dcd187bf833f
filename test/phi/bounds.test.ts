import { expect, test } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import type { TextSite } from '#contract/text-site.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { redact } from '#phi/redact.ts';
import { scanText } from '#phi/scan.ts';

const OPTIONS = { dates: 'whole', actions: {} } as const;
const prose = (text: string, message = 1): TextSite => ({ text, format: 'text', message });
const REFUSED = { kind: 'refused', reason: 'too_many_identifiers' };

test.each([
  ['in one text', () => [prose('1/2/1960 '.repeat(LIMIT.identifiers + 1))]],
  [
    'over many texts',
    () => Array.from({ length: 1_000 }, (_, i) => prose('1/2/1960 '.repeat(LIMIT.identifiers / 1_000 + 1), i)),
  ],
  [
    'that only a later text makes known',
    () => [
      prose('quillmarsh, '.repeat(LIMIT.identifiers + 1), 1),
      prose('Patient name: Oswald Quillmarsh. Mr. Quillmarsh came.', 2),
    ],
  ],
] as const)('more identifiers than a request may hold (%s) are refused, not half redacted', (_where, sites) => {
  expect(redact(sites(), OPTIONS)).toEqual(REFUSED);
});

test('more values than may be examined by themselves are refused', () => {
  const text = `[${'"a",'.repeat(LIMIT.segments)}"a"]`;
  expect(redact([{ text, format: 'json', message: 1 }], OPTIONS)).toEqual(REFUSED);
});

test('a scan beyond the bound fails and is not an empty result', () => {
  expect(() => scanText('1/2/1960 '.repeat(LIMIT.identifiers + 1), 'whole')).toThrow(DetectorError);
});

test('T6: many texts that only look like surrogates are all replaced, in linear time', () => {
  const { spans, redacted } = scanText('NAME_1a53 '.repeat(LIMIT.identifiers), 'whole');
  expect(spans).toHaveLength(LIMIT.identifiers);
  expect(redacted).not.toContain('NAME_1a53');
});

test('more different identifiers than a vault may hold are refused', () => {
  const records = (count: number) => Array.from({ length: count }, (_, i) => `MRN ${4_000_000 + i}.`).join('\n');
  expect(redact([prose(records(LIMIT.distinctIdentifiers + 1))], OPTIONS)).toEqual(REFUSED);
  expect(redact([prose(records(LIMIT.distinctIdentifiers))], OPTIONS).kind).toBe('redacted');
});
