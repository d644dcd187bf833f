import { expect, test } from 'vitest';
import { containsOriginal, findIdentifiers } from '#phi/leak.ts';
import { redact } from '#phi/redact.ts';

const result = redact(
  [{ text: 'Pt Ottoline Harwick, MRN 4471902, seen at Lakeview Memorial Hospital', format: 'text', message: 0 }],
  { dates: 'whole', actions: {} },
);
const vault = result.kind === 'redacted' ? result.vault : undefined;

test.each(['I recall ottoline harwick', 'MRN is 4471902.', 'Lakeview-Memorial  hospital', 'his SSN is 078-05-1120'])(
  'T23 thinking text that tells an identifier is seen: %j',
  (text) => {
    expect(vault !== undefined && containsOriginal(vault, text)).toBe(true);
  },
);

test.each(['NAME_1a62 needs follow-up in 2 weeks', 'The guideline says 44719 patients', ''])(
  'T23 thinking text without one passes: %j',
  (text) => {
    expect(vault === undefined || containsOriginal(vault, text)).toBe(false);
  },
);

test('identifiers in schema positions are found with their place', () => {
  expect(findIdentifiers('Eloise Thornquist').map(({ start, end, entity }) => ({ start, end, entity }))).toEqual([
    { start: 0, end: 17, entity: 'name' },
  ]);
  expect(findIdentifiers('patient_name')).toEqual([]);
});
