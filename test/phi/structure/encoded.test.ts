import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';
import { scanText } from '#phi/scan.ts';

const clean = (text: string): string => scanText(text, 'whole').redacted;
const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('base64');
const NOTE = 'Patient Eloisa Thornquist, MRN 77120, was seen for a cough.';

test.each([
  ['UTF-8', base64(NOTE)],
  ['an encoding of one byte a character', base64(Buffer.from(`${NOTE} 10 µg at 37 °C`, 'latin1'))],
  ['UTF-16', base64(Buffer.from(NOTE, 'utf16le'))],
  ['base64 of base64', base64(base64(NOTE))],
  ['the URL alphabet', Buffer.from(`${NOTE}???>>>`).toString('base64url')],
  ['hexadecimal digits', Buffer.from(NOTE).toString('hex')],
  ['indented lines', (base64(NOTE.repeat(4)).match(/.{1,76}/g) ?? []).join('\n    ')],
])('text in %s goes as a whole when it holds an identifier', (_, encoded) => {
  expect(clean(`Attached: ${encoded} (end)`)).toMatch(/^Attached: CODE_\w+ \(end\)$/);
});

test('a number that only the conversation knows is found in encoded text, before and after', () => {
  const encoded = base64('kit 77120 was used, all of it is well');
  for (const text of [`${encoded}\n\n${NOTE}`, `${NOTE}\n\n${encoded}`]) expect(clean(text)).not.toContain(encoded);
  expect(clean(`${encoded}\n\nNothing else.`)).toContain(encoded);
});

test('what a later message teaches of encoded text renumbers nothing', () => {
  const site = (text: string, message: number) => ({ text, format: 'text' as const, message });
  const encoded = base64('kit 77120 was used, all of it is well');
  const options = { dates: 'whole' as const, actions: {} };
  const history = [site(`Ms. Quelbo Zarn brought this: ${encoded}`, 1)];
  const [before, after] = [redact(history, options), redact([...history, site(NOTE, 2)], options)];
  if (before.kind !== 'redacted' || after.kind !== 'redacted') throw new Error('refused');
  const name = /NAME_\w+/.exec(before.texts[0] ?? '')?.[0];
  expect(before.texts[0]).toContain(encoded);
  expect(after.texts[0]).not.toContain(encoded);
  expect(after.texts[0]).toContain(name);
});

test('a short value goes where its field says that it is base64', () => {
  const message = `MSH|^~\\&|A|B\rPID|1||||ZARN^QUELBO\rOBX|1|ED|57129-9^Report^LN||A^TEXT^plain^Base64^${base64('Zarn, Q')}||||||F\r`;
  expect(clean(message)).not.toContain(base64('Zarn, Q'));
});

test('escape sequences of HL7 hide no name, and what they stand for stays valid', () => {
  const message =
    'MSH|^~\\&|A|B\rPID|1||||TH\\X4F\\RNQUIST^EL\\T\\OISA\rNTE|1||Ms. Th\\X6F\\rnquist\\.br\\called from (330)\\.sp\\555-0142\r';
  const out = clean(message);
  expect(out).not.toMatch(/rnquist|oisa|0142/i);
  expect(out.split('\r').map((line) => line.split('|').length)).toEqual(
    message.split('\r').map((line) => line.split('|').length),
  );
});

test.each(['O&#39;Brannaghan', 'O&apos;Brannaghan', 'O&#x2019;Brannaghan', 'Fe&ntilde;alosa'])(
  'a reference in prose does not hide a name: %s',
  (name) => {
    expect(clean(`Dr. Ola ${name} called. Ask ${name}.`)).not.toContain(name);
  },
);

test('an attachment of one name goes, and one that is no base64 is read as it is', () => {
  const binary = (data: string) => JSON.stringify({ resourceType: 'Binary', contentType: 'text/plain', data });
  expect(clean(binary(base64('Zarn, Q')) + '\n\nPatient Quelbo Zarn')).not.toContain(base64('Zarn, Q'));
  expect(clean(binary('Patient Quelbo Zarn, MRN 88213'))).not.toMatch(/Quelbo|Zarn|88213/);
});
