import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseListTable } from '#contract/list-table.ts';
import type { Listed } from '#phi/listed.ts';
import { redact } from '#phi/redact.ts';
import { listedOf, tableBytes, tableOf, testKey } from './listed-names.ts';

const LISTED = listedOf([
  ['name', 'Price, Hope Marie'],
  ['name', 'Dr. Will Brown, MD'],
  ['name', { given: 'Zoë Ana', family: 'van der Quill-Łopez' }],
  ['name', "O'Zandrik"],
  ['facility', 'House of the Blue Door'],
  ['mrn', '00-41 77 AB'],
  ['account', 'QX 9 1187-22'],
]);

function foundWith(names: Listed | undefined, text: string): string[] {
  const result = redact([{ text, format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
    ...(names === undefined ? {} : { names }),
  });
  if (result.kind === 'refused') throw new Error(result.reason);
  return (result.spans[0] ?? []).map((span) => `${span.entity}: ${text.slice(span.start, span.end)}`);
}

describe('a listed name or number is found', () => {
  it.each([
    ['as it is listed', 'we saw Price, Hope Marie today', 'name: Price, Hope Marie'],
    ['with the given name first', 'we saw Hope Price today', 'name: Hope Price'],
    ['with a middle name', 'then Hope Marie Price ate', 'name: Hope Marie Price'],
    ['with an initial', 'then HOPE M. PRICE ate', 'name: HOPE M. PRICE'],
    ['in the possessive', 'and Hope Price’s cough', 'name: Hope Price'],
    ['over the end of a line', 'and Hope\nPrice coughs', 'name: Hope\nPrice'],
    ['as segments of HL7 write it', 'x PRICE^HOPE y', 'name: PRICE^HOPE'],
    ['without the title it is listed with', 'then Will Brown ate', 'name: Will Brown'],
    ['without diacritics', 'then zoe van der quill-lopez ate', 'name: zoe van der quill'],
    ['by one word', "then o'zandrik's ate", "name: o'zandrik"],
    ['as a phrase', 'went to the house of the blue door for', 'facility: house of the blue door'],
    ['as a number in other groups', 'see 0041-77ab there', 'mrn: 0041-77ab'],
    ['as a number run together', 'see QX9118722 there', 'account: QX9118722'],
  ])('%s', (_how, text, expected) => {
    expect(foundWith(LISTED, text)).toContain(expected);
  });
});

it.each(['will brown the onions', 'the price is high, no hope', 'a blue door', 'see 41 77', 'we hope price falls not'])(
  'what only resembles an entry stays: %s',
  (text) => {
    expect(foundWith(LISTED, text)).toEqual([]);
  },
);

it('a listed value wins over the rule that keeps an ordinary word', () => {
  const names = listedOf([['name', 'Foley']]);
  expect(foundWith(undefined, 'a Foley was placed')).toEqual([]);
  expect(foundWith(names, 'a Foley was placed')).toEqual(['name: Foley']);
  expect(foundWith(names, 'a foley was placed')).toEqual([]);
});

const syllable = fc.constantFrom('zor', 'bal', 'kwi', 'tem', 'udo', 'ree', 'vax', 'ilm');
const nameWord = fc
  .array(syllable, { minLength: 2, maxLength: 4 })
  .map((parts) => parts.join(''))
  .map((word) => word.charAt(0).toUpperCase() + word.slice(1));

it('every listed person is found in either order, in any case, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(nameWord, nameWord), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      fc.constantFrom('seen %f %l again', 'x,%L, %F', '%F X. %L', 'the %U-%L', '(%l %f)'),
      (people, pick, shape) => {
        const [given, family] = people[pick % people.length] ?? ['', ''];
        const listed = listedOf(people.map(([first, last]) => ['name', `${first} ${last}`]));
        const text = shape
          .replace('%f', given.toLowerCase())
          .replace('%l', family.toLowerCase())
          .replace('%F', given)
          .replace('%L', family)
          .replace('%U', given.toUpperCase());
        const result = redact([{ text, format: 'text', message: 1 }], { dates: 'whole', actions: {}, names: listed });
        if (result.kind === 'refused') throw new Error(result.reason);
        expect(result.texts[0]?.toLowerCase()).not.toContain(given.toLowerCase());
        expect(result.texts[0]?.toLowerCase()).not.toContain(family.toLowerCase());
      },
    ),
    { numRuns: 60 },
  );
});

it('a table holds no readable word and at most 16 bytes an entry beside its first line', () => {
  const people = Array.from({ length: 3_000 }, (_, i) => `Zorbal${i.toString(26)} Kwitem${(i * 7).toString(26)}`);
  const bytes = tableBytes(people.map((person) => ['name', person]));
  const head = bytes.indexOf(10) + 1;
  expect(bytes.length - head).toBeLessThanOrEqual(16 * people.length + 32);
  expect(Buffer.from(bytes).toString('latin1').toLowerCase()).not.toMatch(/zorbal|kwitem/);
});

it('another key makes another table of the same entries', () => {
  const entries = [['name', 'Hope Price']] as const;
  const [a, b] = [testKey(), testKey('quite another secret of thirty-two characters')];
  expect(tableOf(tableBytes(entries, a), a).fingerprints).not.toEqual(tableOf(tableBytes(entries, b), b).fingerprints);
  expect(parseListTable(tableBytes(entries, a), b)).toBe('was made with another key');
});

it('a table in which any byte was changed, or that was cut, is refused', () => {
  const bytes = tableBytes([
    ['name', 'Hope Price'],
    ['mrn', '4471902'],
  ]);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ by;
      expect(parseListTable(changed, testKey())).toBeTypeOf('string');
      expect(parseListTable(bytes.slice(0, at), testKey())).toBeTypeOf('string');
    }),
  );
});
