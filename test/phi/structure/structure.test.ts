import { expect, test } from 'vitest';
import { redact } from '#phi/redact.ts';
import { scanText } from '#phi/scan.ts';

const clean = (text: string): string => scanText(text, 'whole').redacted;

test('HL7 v2 segments lose identifiers and keep their shape', () => {
  const message = [
    'MSH|^~\\&|EPIC^1.2.840.114350|LAB|||20240203101112||ORU^R01|889201|P|2.5.1',
    'PID|1||7712093^^^HOSP^MR||THORNQUIST^ELOISE^B||19610214|F|||9 FERN CT^^BRACKENFORD^OH^44123^USA||^PRN^PH^^^330^5550142|||||99120034|078-05-1120',
    'NK1|1|THORNQUIST^OTTO|FTH^Father^HL70063',
    'OBR|1|421832901^EPIC||54089-8^Newborn screening panel^LN|||20240203',
    'OBX|1|NM|2345-7^Glucose^LN||96|mg/dL|70-99|N|||F|||20240203',
    'NTE|1||Discussed with Eloise today.',
  ].join('\r');
  const out = clean(message);
  expect(out).not.toMatch(
    /7712093|thornquist|eloise|otto|19610214|fern|brackenford|44123|5550142|99120034|078-05|20240203|889201|421832901/i,
  );
  expect(out).toContain('54089-8^Newborn screening panel^LN');
  expect(out).toContain('|2345-7^Glucose^LN||96|mg/dL|70-99|N|');
  expect(out.split('\r').map((line) => line.split('|').length)).toEqual(
    message.split('\r').map((line) => line.split('|').length),
  );
});

test('remapped HL7 separators are read from MSH', () => {
  expect(clean('MSH#*~\\&#A#B\nPID#1##99123#  #ROE*JANE##19610214\n')).not.toMatch(/ROE|JANE|99123|19610214/);
});

test('C-CDA elements lose identifiers, roots and codes stay, and the result is as nested as before', () => {
  const xml =
    '<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="2.16.840.1.113883.19.5" extension="TT988"/><recordTarget><patientRole><id extension="998991" root="2.16.840.1.113883.19.5.99999.2"/><addr><streetAddressLine>17 Daws Rd</streetAddressLine><city>Brackenford</city><state>OH</state></addr><telecom value="tel:+1(330)555-0142"/><patient><name><given>Elo&#239;se</given><family>Thornquist</family></name><birthTime value="19610214"/></patient></patientRole></recordTarget><component><text>Ms. Thornquist was seen.</text><code code="8867-4" codeSystem="2.16.840.1.113883.6.1"/></component></ClinicalDocument>';
  const out = clean(xml);
  expect(out).not.toMatch(/TT988|998991|Daws|Brackenford|555-0142|Elo|Thornquist|19610214/);
  expect(out).toContain('root="2.16.840.1.113883.19.5.99999.2"');
  expect(out).toContain('code="8867-4"');
  expect(out.match(/<[^>]*>/g)?.length).toBe(xml.match(/<[^>]*>/g)?.length);
});

test('FHIR resources lose names, addresses, numbers and birth dates and keep codes', () => {
  const bundle = {
    resourceType: 'Bundle',
    entry: [
      {
        fullUrl: 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301',
        resource: {
          resourceType: 'Patient',
          identifier: [{ system: 'http://hospital.example.org', value: 'A-77120' }],
          name: [{ family: 'Thornquist', given: ['Eloise'] }],
          telecom: [{ system: 'phone', value: '330-555-0142' }],
          birthDate: '1961-02-14',
          address: [{ line: ['17 Daws Rd'], city: 'Brackenford', state: 'OH', postalCode: '44123' }],
          extension: [
            { url: 'http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName', valueString: 'Zblewski' },
          ],
        },
      },
      {
        resource: {
          resourceType: 'Observation',
          code: { coding: [{ system: 'http://loinc.org', code: '8867-4', display: 'Heart rate' }] },
          performer: [{ display: 'Dr Otto Quill' }],
          valueQuantity: { value: 88 },
        },
      },
      { resource: { resourceType: 'Organization', name: 'BRACKENFORD URGENT 12' } },
    ],
  };
  const out = clean(JSON.stringify(bundle, null, 2));
  expect(out).not.toMatch(/3f2504e0|77120|Thornquist|Eloise|555-0142|1961-02|Daws|Brackenford|44123|Zblewski|Quill/i);
  const parsed = JSON.parse(out) as typeof bundle;
  expect(parsed.entry[1]?.resource.code).toEqual(bundle.entry[1]?.resource.code);
  expect(parsed.entry[1]?.resource.valueQuantity?.value).toBe(88);
});

test('a number that is an identifier becomes a quoted surrogate in JSON', () => {
  const result = redact([{ text: '{"mrn": 4471902, "count": 4471902000, "dose": 50}', format: 'json', message: 0 }], {
    dates: 'whole',
    actions: {},
  });
  if (result.kind !== 'redacted') throw new Error('refused');
  const value = JSON.parse(result.texts[0] ?? '') as Record<string, unknown>;
  expect(value['mrn']).toMatch(/^MRN_/);
  expect(value['dose']).toBe(50);
});

test('JSON escapes do not hide a name', () => {
  expect(clean('{"note": "pt Elo\\u0069se Thornqu\\u0069st here"}')).not.toMatch(/Elo|Thorn/);
});

test.each([
  'name,mrn,dob\nEloise Thornquist,7712093,1961-02-14\nOtto Quill,88213,1950-01-02\n',
  '| Name | MRN | Diagnosis |\n|---|---|---|\n| Quelbo Zarn | 88213 | Asthma |\n',
  'patient_name\tphone\nQuelbo Zarn\t5550142\n',
])('a table is read by its header: %j', (table) => {
  const out = clean(table);
  expect(out).not.toMatch(/Eloise|Thornquist|7712093|1961-02-14|Otto|88213|Quelbo|Zarn|5550142/);
  expect(out.split('\n')).toHaveLength(table.split('\n').length);
});

test('base64 of text with an identifier goes whole; T22 base64 of an image stays byte for byte', () => {
  const text = btoa('Patient Eloise Thornquist, MRN 7712093, was seen for a cough and sent home.');
  expect(clean(`attached: ${text} end`)).toMatch(/^attached: CODE_\w+ end$/);
  const image = btoa(String.fromCharCode(...Array.from({ length: 300 }, (_, i) => (i * 73 + 11) % 256)));
  expect(clean(`data:image/png;base64,${image}`)).toContain(image);
});

test('T22 a file name beside binary data is examined', () => {
  expect(clean('{"filename": "eloise_thornquist_labs.pdf", "patientName": "Eloise Thornquist"}')).not.toMatch(
    /eloise|thornquist/i,
  );
});
