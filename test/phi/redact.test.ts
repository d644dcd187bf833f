import { expect, test } from 'vitest';
import type { TextSite } from '#contract/text-site.ts';
import { redact, type RedactOptions } from '#phi/redact.ts';
import { createRestorer } from '#phi/restore.ts';

const OPTIONS: RedactOptions = { dates: 'keep-year', actions: {} };

function chat(...texts: readonly string[]): TextSite[] {
  return texts.map((text, index) => ({ text, format: 'text', message: index }));
}

function redacted(sites: readonly TextSite[], options = OPTIONS) {
  const result = redact(sites, options);
  if (result.kind !== 'redacted') throw new Error(result.reason);
  return result;
}

function restored(result: ReturnType<typeof redacted>, text: string): string {
  const restorer = createRestorer(result.vault, 'text');
  return restorer.push(text).join('') + restorer.end().join('');
}

test('T1 two names in two messages have two surrogates, the same ones every time', () => {
  const sites = chat('Patient Ottoline Harwick is here.', 'Patient Dexter Mulgrew is here.');
  const first = redacted(sites).texts;
  expect(new Set(first.map((text) => /NAME_\w+/.exec(text)?.[0])).size).toBe(2);
  for (let run = 0; run < 1_000; run++) expect(redacted(sites).texts).toEqual(first);
});

test('T2 originals are exact beside astral and combining characters', () => {
  const text = '😀 Pt Maria Gonzalez (José\u0301) MRN: 4471902 😀, seen by Dr. Okafor';
  const result = redacted(chat(text));
  const originals = result.vault.entries().map((entry) => entry.original.reveal());
  expect(originals).toEqual(expect.arrayContaining(['Maria Gonzalez', '4471902', 'Okafor']));
  expect(restored(result, result.texts[0] ?? '')).toBe(text);
});

test('T3 what the model quotes from turn 1 is restored in turn 3', () => {
  const turns = ['Pt Ottoline Harwick, MRN 4471902.', 'Noted.', 'And Dexter Mulgrew, MRN 5582013?'];
  const one = redacted(chat(turns[0] ?? ''));
  const three = redacted(chat(...turns));
  expect(three.texts[0]).toBe(one.texts[0]);
  expect(restored(three, one.texts[0] ?? '')).toBe(turns[0]);
});

test('T32 the redacted history is a prefix of the longer one', () => {
  const turns = [
    'Pt Ottoline Harwick, DOB 04/12/1956.',
    'Seen by Dr. Okonjo at Lakeview Memorial Hospital.',
    'Call (617) 555-0142.',
  ];
  for (let length = 1; length < turns.length; length++) {
    expect(redacted(chat(...turns)).texts.slice(0, length)).toEqual(redacted(chat(...turns.slice(0, length))).texts);
  }
});

test('later evidence adds a surrogate to earlier text and renumbers none', () => {
  const early = 'wulvermarsh had labs. Pt Dexter Mulgrew too.';
  const before = redacted(chat(early));
  const after = redacted(chat(early, 'I mean Mr. Wulvermarsh.'));
  const dexter =
    before.vault.entries().find((entry) => entry.original.reveal() === 'Dexter Mulgrew')?.surrogate ?? 'none';
  expect(before.texts[0]).toContain('wulvermarsh');
  expect(after.texts[0]).not.toContain('wulvermarsh');
  expect(after.texts[0]).toContain(dexter);
});

test('T4 a value that looks like a surrogate is replaced and restored once', () => {
  const text = 'Pt Maria Gonzalez wrote NAME_1a62 and name\\_1a62.';
  const result = redacted(chat(text));
  expect(result.texts[0]).not.toContain('name\\_');
  expect(result.vault.entries().filter((entry) => entry.entity === 'other')).toHaveLength(2);
  expect(restored(result, result.texts[0] ?? '')).toBe(text);
});

test('T8 overlapping findings leave no character of an original and no broken surrogate', () => {
  const text = 'MRN 123-45-6789 email roe.jane@example.org/617-555-0142 Dr. Jane Roe-Roe Clinic';
  const out = redacted(chat(text)).texts[0] ?? '';
  expect(out).not.toMatch(/123|6789|roe|0142/i);
  for (const part of out.match(/[A-Z]+_\w*/g) ?? []) expect(part).toMatch(/^[A-Z]+_\d+[a-z]+\d\d/);
});

test('the forms of one person share the ordinal and differ in the letter', () => {
  const result = redacted(chat('Maria Gonzalez came. Ms. Gonzalez left. GONZALEZ^MARIA in the file.'));
  const forms = result.vault.entries().map((entry) => /NAME_(\d+)([a-z]+)/.exec(entry.surrogate));
  expect(new Set(forms.map((form) => form?.[1])).size).toBe(1);
  expect(new Set(forms.map((form) => form?.[2])).size).toBe(forms.length);
});

test('the same value in prose and in a field has one surrogate', () => {
  const result = redacted(chat('MRN 4471902 is his. {"medicalRecordNumber": "4471902"} | later 4471902'));
  expect(new Set(result.texts[0]?.match(/MRN_\w+/g)).size).toBe(1);
  expect(result.texts[0]).not.toContain('4471902');
});

test('a name found once is found everywhere, a common word only with a capital', () => {
  const out = redacted(chat('Pt Wilhelmina Young is here. wilhelmina is young. young_wilhelmina.pdf, WILHELMINA'))
    .texts[0];
  expect(out).not.toMatch(/wilhelmina/i);
  expect(out).toContain('is young');
});

test('keep-year leaves the year beside the surrogate, whole takes it', () => {
  expect(redacted(chat('on April 12, 2023 and 2022-03-04')).texts[0]).toMatch(/on DATE_\w+, 2023 and 2022-DATE_\w+/);
  expect(redacted(chat('on April 12, 2023 and 2022-03-04'), { dates: 'whole', actions: {} }).texts[0]).not.toMatch(
    /20\d\d/,
  );
});

test('policy keeps, blocks and counts', () => {
  const sites = chat('Pt Maria Gonzalez, SSN 078-05-1120');
  expect(redacted(sites, { dates: 'whole', actions: { name: 'keep' } }).texts[0]).toContain('Maria Gonzalez');
  expect(redact(sites, { dates: 'whole', actions: { ssn: 'block' } })).toEqual({
    kind: 'refused',
    reason: 'identifier_not_allowed',
    entity: 'ssn',
  });
  expect(redact(sites, { dates: 'whole', actions: {}, maxIdentifiers: 1 })).toEqual({
    kind: 'refused',
    reason: 'too_many_identifiers',
  });
  expect(redact(sites, { dates: 'whole', actions: {}, maxIdentifiers: 2 }).kind).toBe('redacted');
});

test('T24 a vault prints nothing', () => {
  const { vault } = redacted(chat('Pt Maria Gonzalez'));
  expect(JSON.stringify(vault.entries())).not.toContain('Gonzalez');
  expect(String(vault.entries()[0]?.original)).toBe('[phi]');
});

test('T29 a name at any place of a long text is found', () => {
  const filler = 'the lungs were clear and the heart was regular. '.repeat(6_000);
  for (const at of [0, 4_095, 65_530, 131_072, 250_000]) {
    const text = `${filler.slice(0, at)} Pt Ottoline Harwick ${filler.slice(at)}`;
    expect(redacted(chat(text)).texts[0]).not.toContain('Harwick');
  }
});

test('two dates whose digits read alike are two dates', () => {
  const result = redact([{ text: 'Seen on 1/21/2020 and on 12/1/2020.', format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
  });
  if (result.kind !== 'redacted') throw new Error('refused');
  const [first, second] = result.vault.entries().map(({ surrogate }) => surrogate);
  expect(first).toMatch(/^DATE_1a/);
  expect(second).toMatch(/^DATE_2a/);
});
