import { expect, test } from 'vitest';
import { scanText } from '#phi/scan.ts';

test.each([
  ['call 217-555-0142 217-555-0143 now', 2],
  ['phone 217-555-0142 4471902', 2],
  ['219-44-5521 219-44-5522 219-44-5523', 3],
  ['10.0.0.12 10.0.0.13', 2],
  ['cell 555-0142 12', 1],
  ['4111 1111 1111 1111 123', 1],
])('T8: a number that stands beside another is found all the same: %j', (text, count) => {
  const { redacted, spans } = scanText(text, 'whole');
  expect(spans).toHaveLength(count);
  expect(redacted).not.toMatch(/555|44-55|4471902|10\.0|1111/);
});

test.each(['doses 500 250 100 mg', 'BP 120 80 and 98 6', 'labs 138 4.1 102 24 15 1.0'])(
  'numbers that are only measurements stay: %j',
  (text) => expect(scanText(text, 'whole').redacted).toBe(text),
);
