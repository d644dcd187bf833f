import { expect, it } from 'vitest';
import { scanText } from '#phi/scan.ts';
import { found, foundOf } from '../found.ts';

it.each([
  ['What is your name? Adunni Oyelaranmi', 'Adunni Oyelaranmi'],
  ['mr. martin is here', 'mr. martin'],
  ['seen by Joshua Okamotova MD today', 'Joshua Okamotova MD'],
  ['we met Sousa and Rivera, and april was wet', 'Rivera'],
  ['Sousa and Rivera were late', 'Sousa'],
  ['people call me owen', 'owen'],
  ['tyler is very reliable', 'tyler'],
  ['the notes of szczepaniak were read', 'szczepaniak'],
  ['pt john smith c/o chest pain', 'john smith'],
  ['Tiffany Bašić signed', 'Tiffany Bašić'],
  ['Patient Xochiquetzal Tsegayewold was seen', 'Xochiquetzal Tsegayewold'],
  ['Victor: What a day.\nAnna: Yes.', 'Victor'],
  ['Patient G0nzalez was seen', 'G0nzalez'],
  ['Patient Mar<b>ia</b> Gonz<i>alez</i> was seen', 'Mar<b>ia</b> Gonz<i>alez</i>'],
  ['Patient Mar**ia** Gonzalez was seen', 'Mar**ia** Gonzalez'],
])('T31 a name is found in %j', (text, expected) => {
  expect(foundOf('name', text)).toContain(expected);
});

it.each([
  ['He lives at 71 Paraguay 87, Tillersby', '71 Paraguay 87, Tillersby'],
  ['send it to 14 Republica de Chile 8305\n Suite 258\n Quarnford\n Indonesia 87513', 'Indonesia 87513'],
  ['meet at the corner of Elm Street and Wexhollow Avenue today', 'the corner of Elm Street and Wexhollow Avenue'],
  ['Erzsébet tér 92 is closed', 'Erzsébet tér 92'],
  ['write to ul. Wierzbowa 8, Warszawa', 'ul. Wierzbowa 8, Warszawa'],
  ['Rua do Moinho 118 is old', 'Rua do Moinho 118'],
  ['my address: P.O. Box 194 Fernandes Street', 'P.O. Box 194 Fernandes Street'],
  ['mail to 9 Postfach 2204', 'Postfach 2204'],
  ['12 Oak Street, red deer, romania', '12 Oak Street, red deer, romania'],
  ['She grew up in Loka pri Zidanem Mostu.', 'Loka pri Zidanem Mostu'],
  ['He moved here from tillersby-on-sea.', 'tillersby-on-sea'],
  ['I am in Quarnford 71382 now', '71382'],
])('a place is found in %j', (text, expected) => {
  expect(foundOf('location', text).join('|')).toContain(expected);
});

it.each([
  ['call five five five, oh one four two', 'phone: five five five, oh one four two'],
  ['two one two five five five oh one double four two', 'phone: two one two five five five oh one double four two'],
  ['write to maria dot lopez at example dot org', 'email: maria dot lopez at example dot org'],
  ['jdoe [at] example [dot] com', 'email: jdoe [at] example [dot] com'],
  ['she is in her nineties', 'age: nineties'],
])('what is spelt out in %j is found', (text, expected) => {
  expect(found(text)).toEqual([expected]);
});

it.each([
  'MSK: full range of motion. Neuro: Alert.',
  'He has an IgA deficiency, H1N1, a B12 of 300 and T10 pain.',
  'Take one or two tablets three times a day for ten days.',
  'Lungs: Clear to auscultation.',
  'look at the dot com era',
  'pain at the corner of the jaw and the ear',
  'Use a*b and <b>bold</b> text.',
  'patients in their thirties; five of seven were well',
  'Start Humira 40 mg, see the guideline of 2021.',
  'take 2 tablets by mouth in room 12',
])('nothing is found in %j', (text) => {
  expect(found(text)).toEqual([]);
});

it('a word that tags split keeps the tags around other words', () => {
  expect(scanText('<b>Note:</b> Patient Mar<i>ia</i> Gonzalez', 'whole').redacted).toMatch(
    /^<b>Note:<\/b> Patient NAME_\w+$/,
  );
});
