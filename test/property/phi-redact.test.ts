import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TextSite } from '#contract/text-site.ts';
import { redact } from '#phi/redact.ts';
import { createRestorer } from '#phi/restore.ts';

const OPTIONS = { dates: 'keep-year', actions: {} } as const;

function redacted(sites: readonly TextSite[]) {
  const result = redact(sites, OPTIONS);
  if (result.kind !== 'redacted') throw new Error('refused');
  return result;
}

function restore(result: ReturnType<typeof redacted>, text: string, form: 'text' | 'json'): string {
  const restorer = createRestorer(result.vault, form);
  return restorer.push(text).join('') + restorer.end().join('');
}

/** Pieces that meet: identifiers, surrogate look-alikes, quotes, escapes, any UTF-16 (lone surrogates too). */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 4 })
      .map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'Maria Gonzalez',
      'Ms. Gonzalez',
      'GONZALEZ^MARIA',
      'MRN 4471902',
      '4471902',
      '04/12/2023',
      'April 12, 2023',
      '2023-04-12T10:11:12Z',
      '617-555-0142',
      'a.b@example.org',
      'NAME_1a62',
      'name\\_1a62',
      'Name_1a62',
      'NAME_1',
      'a62',
      '_',
      '\\',
      '"',
      '{"mrn": 4471902, "name": "Jos\\u00e9 Roe"}',
      '{"a":"{\\"ssn\\": 123456789}"}',
      '{"a":"\\nAME_1a62"}',
      '[1, 2,',
      '12 Old Mill Road',
      '\n',
      ' ',
      ', ',
      'Lakeside Clinic',
      '94-year-old',
      '123-45-6789',
      'PID|1||4471902^^^A^MR||ROE^JANE||19560412\r',
      '<given>Jane</given>',
      '1EG4-TE5-MK73',
      '😀',
      'José',
      '\u200b',
    ),
  },
);
const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));

/** JSON's two spellings of a letter are one value, and an answer is given the readable one. */
function letters(value: string): string {
  return value.replaceAll(/\\+u([0-9a-f]{4})/gi, (_escape, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

test('redact then restore is the identity on arbitrary Unicode text, but for letters that JSON escapes', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (texts) => {
      const sites = texts.map((each, index): TextSite => ({ text: each, format: 'text', message: index }));
      const result = redacted(sites);
      for (const [index, site] of sites.entries())
        expect(letters(restore(result, result.texts[index] ?? '', 'text'))).toBe(letters(site.text));
    }),
    { numRuns: 1_500 },
  );
});

test('the spans of a site do not overlap and rebuild its redacted text', () => {
  fc.assert(
    fc.property(text, (each) => {
      const result = redacted([{ text: each, format: 'text', message: 0 }]);
      let at = 0;
      let rebuilt = '';
      for (const span of result.spans[0] ?? []) {
        expect(span.start).toBeGreaterThanOrEqual(at);
        expect(span.end).toBeGreaterThan(span.start);
        rebuilt += each.slice(at, span.start) + span.surrogate;
        at = span.end;
      }
      expect(rebuilt + each.slice(at)).toBe(result.texts[0]);
    }),
    { numRuns: 500 },
  );
});

test('a JSON site stays valid JSON and restores to an equal value, numbers as text', () => {
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.constantFrom<unknown>(4_471_902, 7, -1.5, true, null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('mrn', 'name', 'note', 'birthDate', 'code', 'Jane Roe', 'x'), tie('value'), {
        maxKeys: 4,
      }),
    ),
  })).value;
  const plain = (each: unknown): unknown =>
    JSON.parse(JSON.stringify(each), (_key, inner: unknown) => (typeof inner === 'number' ? String(inner) : inner));
  fc.assert(
    fc.property(value, fc.boolean(), (each, spaced) => {
      const result = redacted([{ text: JSON.stringify(each, null, spaced ? 2 : 0), format: 'json', message: 0 }]);
      const out = result.texts[0] ?? '';
      expect(() => JSON.parse(out) as unknown).not.toThrow();
      expect(plain(JSON.parse(restore(result, out, 'json')))).toEqual(plain(each));
    }),
    { numRuns: 1_000 },
  );
});

test('T3 T32 an appended message leaves the redacted earlier ones as they were, unless it names what they held', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 2, maxLength: 5 }), (texts) => {
      const sites = texts.map((each, index): TextSite => ({ text: each, format: 'text', message: index }));
      const shorter = redacted(sites.slice(0, -1));
      const longer = redacted(sites);
      const known = new Map(shorter.vault.entries().map((entry) => [entry.surrogate, entry.original.reveal()]));
      const later = longer.vault.entries();
      // Never renumbered: what the shorter history issued means the same in the longer one.
      for (const entry of later)
        if (known.has(entry.surrogate)) expect(entry.original.reveal()).toBe(known.get(entry.surrogate));
      expect(later.length).toBeGreaterThanOrEqual(known.size);
    }),
    { numRuns: 500 },
  );
});
