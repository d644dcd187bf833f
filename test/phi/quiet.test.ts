import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as anchor from '#phi/anchor.ts';
import type { scanText } from '#phi/scan.ts';

/** Words of every kind that a recognizer asks for, names, ordinary words that are names too, and words of notes. */
const WORDS =
  'patient pt doctor nurse mother name named called is was said told reports hello dear dr mr mrs md mba phd van de la of the our and or in at to from near by for with no not will may march june long white clear call hope grace ' +
  'maria john susan wong gonzalez smith clear ray walker moolan quelbo brackenford boston dallas victoria oulu aalborg quimper sierra grave texas ohio oh ma usa where city town lives born seen moved trip hospital clinic general memorial home office st saint mount ' +
  'street st ave road rue via utca tee ring gate po box apt suite unit zip phone tel fax ext mrn dob ssn id number policy account license lot plan age aged year years old day week month yo mg ml l mmhg mmol dl u i a s m ' +
  'history present illness review systems medical reasoning education lungs skin soft tender denies musculoskeletal parkinson disease syndrome sign metformin erythema radiograph glucose pain scale grade on since until daughter wife you can please who';
const word = fc.tuple(fc.constantFrom(...new Set(WORDS.split(' '))), fc.nat(9)).map(([text, shape]) => {
  if (shape < 5) return text;
  return shape === 9 ? text.toUpperCase() : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
});
const PHRASES =
  'lives in;moved to;born at;seen on;call me;my name is;city;Where:;in;Reasoning;Education;Port de;and;Aalborg;Where: Education;lives in Reasoning on Oulu;on Oulu;by Sierra;seen on 128/92/45';
const phrase = fc.constantFrom(...PHRASES.split(';'));
const number = fc.oneof(fc.nat(99), fc.nat(999), fc.nat(9_999), fc.nat(99_999_999)).map(String);
const ratio = fc
  .tuple(fc.nat(260), fc.nat(130), fc.nat(99), fc.nat(3))
  .map(([a, b, c, form]) => (form === 0 ? `${a}/${b}/${c}` : form === 1 ? `${a}-year-old` : `${a}/${b}`));
const mixed = fc.constantFrom(...'A1c 12b 3rd 93yo T2 Mar1a DE44 1EG4 2668x44208 eGFR José ff00'.split(' '));
const between = fc.oneof(
  { weight: 1, arbitrary: fc.constant(' ') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ' ',
      ', ',
      '. ',
      ': ',
      '-',
      '/',
      '.',
      '\n',
      "'s ",
      ' (',
      ') ',
      '; ',
      ' #',
      '? ',
      ' - ',
      '|',
    ),
  },
);
const text = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 8, arbitrary: word },
        { weight: 3, arbitrary: number },
        { weight: 1, arbitrary: mixed },
        { weight: 1, arbitrary: ratio },
        { weight: 1, arbitrary: phrase },
      ),
      between,
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.flat().join(''));

let scan: typeof scanText;
/** The same engine, where every recognizer looks at every token that may begin something. */
let scanAll: typeof scanText;

beforeAll(async () => {
  ({ scanText: scan } = await import('#phi/scan.ts'));
  vi.resetModules();
  vi.doMock('#phi/quiet.ts', () => ({ isQuietNumber: () => false, isNoName: () => false, isUnit: () => false }));
  vi.doMock('#phi/anchor.ts', async (original) => ({
    ...(await original<typeof anchor>()),
    isKnown: () => true,
    begins: () => true,
  }));
  ({ scanText: scanAll } = await import('#phi/scan.ts'));
});

afterAll(() => {
  vi.doUnmock('#phi/quiet.ts');
  vi.doUnmock('#phi/anchor.ts');
  vi.resetModules();
});

test('what spares the recognizers a look changes no finding', () => {
  expect(scanAll).not.toBe(scan);
  fc.assert(
    fc.property(text, fc.constantFrom('whole' as const, 'keep-year' as const), (input, dates) => {
      expect(scan(input, dates)).toEqual(scanAll(input, dates));
    }),
    { numRuns: 10_000 },
  );
});
