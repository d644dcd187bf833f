import { expect, test } from 'vitest';
import { loadLexicon } from '#phi/lexicon.ts';
import { scanText } from '#phi/scan.ts';

/** Repetitions that make naive patterns quadratic. */
const UNITS = [
  'a',
  '1',
  '@',
  '(',
  '{',
  '[',
  '"',
  '\\',
  '_',
  '-',
  'Maria ',
  'John Smith ',
  '1-',
  'http://',
  '[1,',
  '{"a":',
  '["a",',
  '<a b="',
  'MSH|',
  'n_1a',
  'aB1+',
  '12 Main ',
  'MRN ',
  'and Xyzz, ',
  'name,mrn\n',
  '{"a":"',
  '{"a":"\\n',
];

function cost(unit: string, size: number): number {
  const text = unit.repeat(Math.floor(size / unit.length));
  const from = process.cpuUsage();
  scanText(text, 'whole');
  const used = process.cpuUsage(from);
  return used.user + used.system;
}

test('time of the processor grows with the length of hostile text, not with its square', () => {
  loadLexicon();
  const slow: string[] = [];
  for (const unit of UNITS) {
    // Sixteen times the text; quadratic work would cost 256 times. The smaller size is taken often, to be measurable.
    const small = Math.min(cost(unit, 16_384), cost(unit, 16_384), cost(unit, 16_384));
    const large = Math.min(cost(unit, 262_144), cost(unit, 262_144));
    if (large > 64 * Math.max(small, 4_000)) slow.push(`${JSON.stringify(unit)} ${small} ${large}`);
  }
  expect(slow).toEqual([]);
});
