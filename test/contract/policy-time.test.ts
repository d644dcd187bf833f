import { expect, test } from 'vitest';
import { isWithin, parseTime } from '#contract/policy-time.ts';

test('a bare date ends with that day in UTC', () => {
  expect(parseTime('2026-11-30', 'end')).toBe(Date.parse('2026-12-01T00:00:00Z'));
});

test('a bare date begins with that day in UTC', () => {
  expect(parseTime('2026-11-30', 'start')).toBe(Date.parse('2026-11-30T00:00:00Z'));
});

test('the last day of a leap February ends in March', () => {
  expect(parseTime('2028-02-29', 'end')).toBe(Date.parse('2028-03-01T00:00:00Z'));
});

test.each([
  ['2026-11-30T12:00:00Z', '2026-11-30T12:00:00Z'],
  ['2026-11-30T12:00:00+02:00', '2026-11-30T10:00:00Z'],
  ['2026-11-30t12:00:00.250z', '2026-11-30T12:00:00.250Z'],
])('%s is read as a moment, whichever edge is asked for', (text, same) => {
  expect(parseTime(text, 'start')).toBe(Date.parse(same));
  expect(parseTime(text, 'end')).toBe(Date.parse(same));
});

test.each([
  '2026-02-30',
  '2027-02-29',
  '2026-13-01',
  '2026-1-5',
  '30.11.2026',
  '2026-11-30T12:00:00',
  '2026-11-30 12:00:00Z',
  '2026-02-30T12:00:00Z',
  '2026-11-30T25:00:00Z',
  'tomorrow',
  '',
])('%j is no time', (text) => {
  expect(parseTime(text, 'end')).toBeNull();
});

test('a window holds its first moment and not its last', () => {
  const window = { from: 10, until: 20 };
  expect([9, 10, 19, 20].map((now) => isWithin(window, now))).toEqual([false, true, true, false]);
});
