import { describe, expect, test } from 'vitest';
import { found, foundOf } from '../found.ts';

describe('names', () => {
  test.each([
    ['Pt Ottoline Harwick was seen.', 'Ottoline Harwick'],
    ['Discussed with Samuel L. Harcourt today.', 'Samuel L. Harcourt'],
    ['Robert Dowling jr. was seen', 'Robert Dowling jr'],
    ['Dr. Okonjo reviewed the films.', 'Okonjo'],
    ['seen by Dr. K. yesterday', 'K.'],
    ['pt john dorsey c/o cough', 'john dorsey'],
    ['HARCOURT, JANE is here', 'HARCOURT, JANE'],
    ["met with Siobhan O'Malley", "Siobhan O'Malley"],
    ['met with José García-López', 'José García-López'],
    ['met with Pieter van der Berg', 'Pieter van der Berg'],
    ['J. Thornquist called', 'J. Thornquist'],
    ['Anna S., a 40-year-old', 'Anna S.'],
    ['my name is Beatrix', 'Beatrix'],
  ])('T31 a name is found in %j', (text, name) => {
    expect(foundOf('name', text).join('|')).toContain(name);
  });

  test.each([
    "history of Parkinson's disease and Crohn disease",
    'Foley catheter in place, positive Babinski sign',
    'Glasgow coma scale 15, Apgar 8/9',
    "Wilson's disease, Bell's palsy, Down syndrome",
    'Start Lasix 40 mg, continue Zoloft 50 mg',
    'Lyme titers, West Nile virus, Boston brace',
    'MRI and CT were normal. She may need follow up.',
    'RECOMMENDATIONS: Continue Metformin and Lisinopril.',
  ])('clinical words stay in %j', (text) => {
    expect(found(text)).toEqual([]);
  });
});

test('a label behind a name is no part of it', () => {
  const text =
    'Patient: THORNQUIST, OTTO R.   MRN: 00-44-871\nseen by Dr. Okonjo MRN 4471902\nNAME: JANE ROE MRN: 123456';
  expect(foundOf('mrn', text)).toEqual(['00-44-871', '4471902', '123456']);
  expect(foundOf('name', text)).toEqual(['THORNQUIST, OTTO R.', 'Okonjo', 'JANE ROE']);
});

test('a value at the end of a sentence is no house number', () => {
  expect(found('Labs: Na 138, K 4.1, Cr 1.2. EF 35%. Temp 98.6.')).toEqual([]);
});

describe('places', () => {
  test.each([
    ['lives at 12 Old Mill Rd., Apt 4B, Brackenford, OH 44123', '12 Old Mill Rd., Apt 4B, Brackenford, OH 44123'],
    ['seen at Lakeview Memorial Hospital', 'Lakeview Memorial Hospital'],
    ["admitted to St. Agatha's in Denver", "St. Agatha's in Denver"],
    ['mail to PO Box 771', 'PO Box 771'],
    ['she moved here from Toledo', 'Toledo'],
    ['zip code 90210', '90210'],
    ['ships to Unit 2050 Box 4190, APO AP 96278', 'APO AP 96278'],
    ['Storgatan 12, Uppsala', 'Storgatan 12'],
  ])('a place is found in %j', (text, place) => {
    const places = [...foundOf('location', text), ...foundOf('facility', text)];
    expect(places.join('|')).toContain(place);
  });

  test('states and countries stay', () => {
    expect(found('He moved to Texas from Norway.')).toEqual([]);
  });

  test('five digits without an address are a procedure code', () => {
    expect(found('billed 99213 and 80053')).toEqual([]);
  });
});

describe('dates and ages', () => {
  test.each([
    ['on 04/12/2023 she', '04/12/2023'],
    ['on 2023-04-12T10:11:12Z she', '2023-04-12T10:11:12Z'],
    ['April 12th, 2023 visit', 'April 12th, 2023'],
    ['12-Apr-2023 visit', '12-Apr-2023'],
    ['the 3rd of May', '3rd of May'],
    ['March 3–7, 2024', 'March 3–7, 2024'],
    ["Sept 5th '23", "Sept 5th '23"],
    ['seen on 3/14 for cough', '3/14'],
    ['since last July', 'July'],
    ['DOB: 19560412', '19560412'],
  ])('a date is found in %j', (text, date) => {
    expect(foundOf('date', text)).toEqual([date]);
  });

  test.each([
    'BP 120/80, strength 5/5, murmur grade 2/6, pain 7/10',
    'in 2019 she had surgery; 3 weeks ago; POD#2',
    'L4/5 disc, 1:1000, 24/7, Gleason 3+4',
    'a 45-year-old man, 88 yo woman',
    'take 1/2 tab, version 1.2.3',
  ])('measures and years stay in %j', (text) => {
    expect(found(text)).toEqual([]);
  });

  test.each([
    ['a 94-year-old man', '94'],
    ['a 101 y/o woman', '101'],
    ['aged 92', '92'],
    ['92yo F', '92'],
    ['a ninety-two year old', 'ninety-two'],
  ])('an age over 89 is found in %j', (text, age) => {
    expect(foundOf('age', text)).toEqual([age]);
  });
});

describe('numbers', () => {
  test.each([
    ['call (617) 555-0142 x12', 'phone', '(617) 555-0142 x12'],
    ['+44 20 7946 0958', 'phone', '+44 20 7946 0958'],
    ['fax: 617-555-0143', 'fax', '617-555-0143'],
    ['SSN 078-05-1120', 'ssn', '078-05-1120'],
    ['MRN: 4471902', 'mrn', '4471902'],
    ['mrn is LK-998877', 'mrn', 'LK-998877'],
    ['4471902 is his MRN', 'mrn', '4471902'],
    ['medical record number 55-123-44', 'mrn', '55-123-44'],
    ['MBI 1EG4-TE5-MK73', 'health_plan', '1EG4-TE5-MK73'],
    ['member ID: XQ1234567', 'health_plan', 'XQ1234567'],
    ['card 4111 1111 1111 1111', 'account', '4111 1111 1111 1111'],
    ['IBAN GB82 WEST 1234 5698 7654 32', 'account', 'GB82 WEST 1234 5698 7654 32'],
    ['account no. 88231', 'account', '88231'],
    ['NPI 1234567893', 'license', '1234567893'],
    ['DEA AB1234563', 'license', 'AB1234563'],
    ["driver's license number F2551234", 'license', 'F2551234'],
    ['VIN 1M8GDM9AXKP042788', 'vehicle', '1M8GDM9AXKP042788'],
    ['serial number PM-7781-22', 'device', 'PM-7781-22'],
    ['a.b@example.org', 'email', 'a.b@example.org'],
    ['see https://portal.example.org/jane?x=1.', 'url', 'https://portal.example.org/jane?x=1'],
    ['from 10.20.30.40', 'ip', '10.20.30.40'],
    ['host 2001:db8::8a2e:370:7334', 'ip', '2001:db8::8a2e:370:7334'],
    ['mac 00:1b:44:11:3a:b7', 'ip', '00:1b:44:11:3a:b7'],
    ['ref 3f2504e0-4f89-41d3-9a0c-0305e82c3301', 'other', '3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['fingerprint id 8812345', 'biometric', '8812345'],
    ['photo of face', 'image', ''],
  ])('in %j the %s is found', (text, entity, value) => {
    expect(foundOf(entity, text)).toEqual(value === '' ? [] : [value]);
  });

  test.each([
    'ICD-10 E11.9, CPT 99213, LOINC 4548-4, SNOMED 44054006',
    'RxNorm 860975, NDC 0002-8215-01, OID 2.16.840.1.113883',
    'hemoglobin 13.5 g/dL, platelets 250000 per mcL, glucose 126',
    'dose 1000 mg every 8 hours for 14 days',
    'NCT04280705 and PMID 31978945',
  ])('codes and values stay in %j', (text) => {
    expect(found(text)).toEqual([]);
  });
});

test('a name hidden by homoglyphs, zero-width characters or full-width digits is found', () => {
  expect(foundOf('name', 'met Mаria Gonz\u200balez today')).toEqual(['Mаria Gonz\u200balez']);
  expect(foundOf('ssn', 'SSN １２３-４５-６７８９')).toEqual(['１２３-４５-６７８９']);
});
