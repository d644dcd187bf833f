import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';
import { createRestorer } from '#phi/restore.ts';

const OPTIONS = { dates: 'whole', actions: {} } as const;
const ASCII = '{"patient_name":"Jos\\u00e9 Garc\\u00eda"}';

/** Redacts one text and gives its surrogates' restorations in a form. */
function restoredIn(form: 'text' | 'json', text: string) {
  const result = redact([{ text, format: 'text', message: 1 }], OPTIONS);
  if (result.kind === 'refused') throw new Error(result.reason);
  const answer = `{"who":"${result.vault.entries()[0]?.surrogate}"}`;
  const restorer = createRestorer(result.vault, form);
  return [...restorer.push(answer), ...restorer.end()].join('');
}

test.each(['text', 'json'] as const)(
  'T19: a name that JSON in a text spells in ASCII comes back as it reads (%s)',
  (form) => {
    expect(restoredIn(form, ASCII)).toBe('{"who":"José García"}');
    expect(restoredIn(form, JSON.stringify({ patient: ASCII }))).toBe('{"who":"José García"}');
  },
);

test('T3: a person spelled in ASCII by JSON and in letters by prose is one person', () => {
  const result = redact([{ text: `Patient: José García. ${ASCII}`, format: 'text', message: 1 }], OPTIONS);
  expect(result.kind === 'redacted' && result.vault.size).toBe(1);
});

test('a value that cannot stand in JSON without its escapes keeps them', () => {
  expect(restoredIn('text', '{"patient_name":"Jos\\u00e9 \\"Pepe\\" Garc\\u00eda"}')).toBe(
    '{"who":"Jos\\u00e9 \\"Pepe\\" Garc\\u00eda"}',
  );
});
