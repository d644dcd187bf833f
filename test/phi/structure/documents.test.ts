import { expect, test } from 'vitest';
import { scanText } from '#phi/scan.ts';
import { checkStructure, type StructureFormat } from '#test/eval/structure/check.ts';
import { ccdaDocuments } from '#test/eval/structure/documents/ccda-documents.ts';
import { fhirDocuments } from '#test/eval/structure/documents/fhir-documents.ts';
import { hl7Documents } from '#test/eval/structure/documents/hl7-documents.ts';
import { invent, randomFrom } from '#test/eval/structure/documents/people.ts';

const MAKERS = { fhir: fhirDocuments, hl7: hl7Documents, ccda: ccdaDocuments } as const;

function documents(format: StructureFormat, seed: number): readonly string[] {
  const random = randomFrom(seed);
  return MAKERS[format](invent(random), invent(random), invent(random));
}

test.each(['fhir', 'hl7', 'ccda'] as const)(
  'in %s no value of a field that identifies somebody can be read anywhere in the output, base64 included',
  (format) => {
    for (const document of documents(format, 11)) {
      const { held, leaks } = checkStructure(format, document, scanText(document, 'whole').redacted);
      expect(held).toBeGreaterThan(0);
      expect(leaks.map(({ where, left }) => `${where}: ${left}`)).toEqual([]);
    }
  },
);

test.each(['fhir', 'hl7', 'ccda'] as const)('%s keeps its codes, results and shape', (format) => {
  for (const document of documents(format, 12)) {
    const { altered, parses } = checkStructure(format, document, scanText(document, 'whole').redacted);
    expect(parses).toBe(true);
    expect(altered).toEqual([]);
  }
});

test.each(['fhir', 'hl7', 'ccda'] as const)('the checker sees what an unredacted %s document holds', (format) => {
  const [document = ''] = documents(format, 13);
  const { held, leaks } = checkStructure(format, document, document);
  expect(new Set(leaks.map(({ kind }) => kind))).toEqual(
    new Set(['name', 'facility', 'address', 'telecom', 'id', 'birth', 'date']),
  );
  expect(leaks.length).toBeGreaterThan(held / 2);
});

test('a value in a field and in prose gets the same surrogate', () => {
  const person = invent(randomFrom(14));
  const { family, mrn } = person;
  const text = `PID|1||${mrn}^^^HOSP^MR||${family}^${person.given}||\nNTE|1||${mrn} is ${family}'s number.\n\nAsk ${family}.`;
  const { redacted } = scanText(text, 'whole');
  const [name, number] = [/\|(NAME_\w+)\^/.exec(redacted)?.[1], /(MRN_\w+)/.exec(redacted)?.[1]];
  expect(redacted).toContain(`${number} is ${name}'s number.`);
  expect(redacted).toContain(`Ask ${name}.`);
});

test('parts of a name are forms of one person', () => {
  const { redacted } = scanText('PID|1||||VANDERMOLEN^TADEUSZKA^Q\nNTE|1||Tadeuszka Vandermolen was seen.\n', 'whole');
  const ordinals = [...redacted.matchAll(/NAME_(\d+)[a-z]/g)].map(([, ordinal]) => ordinal);
  expect(new Set(ordinals)).toEqual(new Set(['1']));
});
