import { expect, test } from 'vitest';
import { scanText } from '#phi/scan.ts';

const clean = (text: string): string => scanText(text, 'whole').redacted;

test('a quoted cell may hold separators, quotes and line ends', () => {
  const table =
    'mrn;pt_name;home address;dx\n"A-88213";"Zarn, Quelbo ""Q""";"9 Fernkettle Way\nBrackenwold, OH 44123";E11.9\nA-88214;Ixta Moolan;12 Kestrelgate Ln;I10\n';
  const out = clean(table);
  expect(out).not.toMatch(/88213|88214|Zarn|Quelbo|Ixta|Moolan|Fernkettle|Brackenwold|44123|Kestrelgate/);
  expect(out).toContain(';E11.9\n');
  expect(out).toContain(';I10\n');
});

test.each([
  'emergency_contact_phone,nhs_number\n07700 900123,943 476 5919\n',
  'Medical Record #\tNext of Kin\n88213\tquelbo zarn\n',
  'guardianEmail|insurance_no\nq@example.org|ZX-998811\n',
  'first,last,dob\nquelbo,zarn,2/14/61\n',
  '| Patient | Attending |\n|:--|--:|\n| quelbo zarn \\| ola fenk | ixta moolan |\n',
])('headers are understood by their words: %j', (table) => {
  const [, ...rows] = clean(table).trim().split('\n');
  expect(rows.at(-1)?.replaceAll(/\b[A-Z]+_\d+[a-z]+\d\d\b/g, '')).not.toMatch(/[a-z0-9]/i);
});

test.each([
  'Name,Dose,Route\nmetformin,500 mg,oral\nlisinopril,10 mg,oral\n',
  'Test,Value,Unit\nGlucose,126,mg/dL\nHbA1c,7.2,%\n',
  '| Drug | Frequency |\n|---|---|\n| Apixaban | twice daily |\n',
  '{"labs":[{"name":"Glucose","value":126}],"medications":[{"name":"metformin","dose":"500 mg"}]}',
])('tables and lists of drugs and tests stay: %j', (table) => {
  expect(clean(table)).toBe(table);
});

test.each([
  ['a row with one cell less', 'mrn;pt_name;home address\n88213;quelbo zarn\n'],
  ['a row with one cell less, of tabs', 'mrn\tpt_name\thome address\n88213\tquelbo zarn\n'],
  ['a row with one cell more', 'name;mrn\nquelbo zarn;88213;9 fernkettle way\n'],
  ['rows without the marks at both ends', '| name | mrn |\nquelbo zarn | 88213\n'],
  ['separators in a quoted header', 'name,"a, b, or c",mrn\nquelbo zarn,x,88213\n'],
  ['below a long line of prose', `${'she slept well and ate '.repeat(9)}, and left\nname,mrn\nquelbo zarn,88213\n`],
])('a table is read with %s', (_, table) => {
  expect(clean(table)).not.toMatch(/quelbo|zarn|88213/);
});

test.each(['\n', '\r\n', '\r'])('a table behind prose is read where lines end with %j', (end) => {
  const out = clean(['Seen today, and well.', '', 'patient,seen at', 'quelbo,12', 'fenk,13', ''].join(end));
  expect(out).not.toMatch(/quelbo|fenk/);
});

test.each([
  'Patient, 45, male\nPresents with cough, fever',
  'Patient, 45\nfever, cough\nchills, rash',
  'yes, doctor\nno, thanks',
  'ok, patient\nsome pain, fever',
  'Told the nurse; no pain\nslept well; ate',
  'Doctor; stable\nslept well; ate',
])('lines of prose with commas are no table: %j', (note) => {
  expect(clean(note)).toBe(note);
});

test.each([
  'patient, age, dx\nquelbo zarn, 44, flu\n',
  'patient,word\nquelbo zarn,x\n',
  'dx, name\nflu, quelbo zarn\n',
])('columns of people are a table: %j', (table) => {
  expect(clean(table)).not.toMatch(/quelbo|zarn/);
});

test('the columns of one table say nothing of prose below it', () => {
  expect(clean('name,mrn\nQuelbo Zarn,88213\n\nTake one tablet, twice daily.')).toContain(
    'Take one tablet, twice daily.',
  );
});

test('any XML record is read by the names of its elements and attributes', () => {
  const out = clean(
    '<rec><PatientName>quelbo zarn</PatientName><MRN>A-88213</MRN><Dx code="E11.9">Diabetes</Dx><Patient name="ola fenk" dob="1961-02-14"/></rec>',
  );
  expect(out).not.toMatch(/quelbo|zarn|88213|ola|fenk|1961-02/);
  expect(out).toContain('<Dx code="E11.9">Diabetes</Dx>');
});
