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

test('T23 a name that is an ordinary word does not refuse every thought', () => {
  const named = redact([{ text: 'Pt Will Smith came. Later Will left on 3/14.', format: 'text', message: 0 }], {
    dates: 'whole',
    actions: {},
  });
  if (named.kind !== 'redacted') throw new Error('refused');
  expect(containsOriginal(named.vault, 'Will the value 3.14 matter? It will.')).toBe(false);
  expect(containsOriginal(named.vault, 'I think of Will Smith.')).toBe(true);
});

test('places, formats and schema URLs in schemas are no identifiers', () => {
  for (const text of [
    'Boston',
    'New York',
    'YYYY-MM-DD',
    '2024-01-01',
    'https://json-schema.org/draft/2020-12/schema',
    'birthDate',
  ]) {
    expect(findIdentifiers(text)).toEqual([]);
  }
});

test('identifiers in schema positions are found with their place', () => {
  expect(findIdentifiers('Eloise Thornquist').map(({ start, end, entity }) => ({ start, end, entity }))).toEqual([
    { start: 0, end: 17, entity: 'name' },
  ]);
  expect(findIdentifiers('patient_name')).toEqual([]);
});
