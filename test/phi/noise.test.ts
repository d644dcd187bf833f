import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scanText } from '#phi/scan.ts';
import { found } from './found.ts';

it.each([
  ['HTML in prose writes the apostrophe of', 'Patient: Sean O&#39;Brien was seen', 'Sean O&#39;Brien'],
  ['HTML in prose writes the first letter of', 'seen with Dr. &#77;aria Gonzalez today', '&#77;aria Gonzalez'],
])('a name is found where %s it', (_how, text, expected) => {
  expect(found(text)).toContain(`name: ${expected}`);
});

it('what only decodes to another reference is read once', () => {
  const text = `${'&amp;'.repeat(20_000)}#39;`;
  expect(scanText(text, 'whole').redacted).toBe(text);
});

it('references around a found name stay as they are written', () => {
  fc.assert(
    fc.property(fc.constantFrom('&amp;', '&#38;', '&lt;', '&nbsp;', '&quot;'), fc.nat(3), (reference, count) => {
      const around = reference.repeat(count);
      expect(scanText(`${around} Patient Maria Gonzalez ${around}`, 'whole').redacted).toMatch(
        new RegExp(`^${around} Patient NAME_1a\\d\\d ${around}$`),
      );
    }),
  );
});

it.each([
  ['DOB O1/l2/1980', 'O1/l2/1980'],
  ['seen 01/l2/2020 for cough', '01/l2/2020'],
  ['admitted on l0/3i/24', 'l0/3i/24'],
])('a date is found where a scan read digits as letters: %s', (text, expected) => {
  expect(found(text)).toEqual([`date: ${expected}`]);
});

it.each(['ratio 1/1o/2', 'o/l/o', 'BP 12O/8O', 'ol/il/1980s'])('letters between slashes are no date: %s', (text) => {
  expect(found(text)).toEqual([]);
});

it('a degree without a comma goes with the name, one behind a comma stays', () => {
  expect(found('Follow up with Ryan Bagley MD in 2 months')).toEqual(['name: Ryan Bagley MD']);
  expect(found('Follow up with Ryan Bagley, MD in 2 months')).toEqual(['name: Ryan Bagley']);
});
