import { dashed, note, type Person } from './people.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const US = 'http://hl7.org/fhir/us/core/StructureDefinition';
const FHIR = 'http://hl7.org/fhir/StructureDefinition';

const nameOf = (person: Person, use = 'official') => ({
  use,
  text: `${person.given} ${person.middle} ${person.family}`,
  family: person.family,
  given: [person.given, person.middle],
  prefix: ['Ms.'],
});
const addressOf = (person: Person) => ({
  use: 'home',
  text: `${person.street}, ${person.town}, OH ${person.zip}`,
  line: [person.street, 'Apt 4'],
  city: person.town,
  state: 'OH',
  postalCode: person.zip,
  country: 'US',
  extension: [
    {
      url: `${FHIR}/geolocation`,
      extension: [
        { url: 'latitude', valueDecimal: 39.96123 },
        { url: 'longitude', valueDecimal: -82.99879 },
      ],
    },
  ],
});
const telecomOf = (person: Person) => [
  { system: 'phone', value: dashed(person.phone), use: 'home' },
  { system: 'email', value: person.email },
  { system: 'phone', value: `+1-${person.phone.slice(0, 3)}-${person.phone.slice(3, 6)}-${person.phone.slice(6)}` },
];
const identifier = (system: string, value: string) => ({ system: `http://hospital.example.org/${system}`, value });
const loinc = (code: string, display: string) => ({
  coding: [{ system: 'http://loinc.org', code, display }],
  text: display,
});
const div = (text: string) => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${text.replaceAll("'", '&#39;')}</p></div>`,
});

function patient(person: Person, doctor: Person, kin: Person) {
  return {
    resourceType: 'Patient',
    id: person.uuid,
    meta: { lastUpdated: '2023-04-05T10:11:12.000-05:00', profile: [`${US}/us-core-patient`], versionId: '3' },
    text: div(note(person, doctor)),
    extension: [
      {
        url: `${US}/us-core-race`,
        extension: [
          {
            url: 'ombCategory',
            valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3', display: 'White' },
          },
          { url: 'text', valueString: 'White' },
        ],
      },
      { url: `${FHIR}/patient-mothersMaidenName`, valueString: kin.family },
      { url: `${FHIR}/patient-birthPlace`, valueAddress: { city: kin.town, state: 'OH', country: 'US' } },
      { url: `${FHIR}/patient-birthTime`, valueDateTime: `${person.birth}T04:13:00-05:00` },
    ],
    identifier: [
      {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }],
          text: 'Medical Record Number',
        },
        ...identifier('mrn', person.mrn),
      },
      {
        system: 'http://hl7.org/fhir/sid/us-ssn',
        value: person.ssn,
        assigner: { display: `${kin.town} General Hospital` },
      },
      { system: 'urn:oid:2.16.840.1.113883.4.3.39', value: `RX${person.account.slice(0, 6)}` },
    ],
    name: [
      nameOf(person),
      {
        use: 'maiden',
        family: kin.family,
        _family: { extension: [{ url: `${FHIR}/humanname-own-name`, valueString: kin.family }] },
      },
    ],
    telecom: telecomOf(person),
    gender: 'female',
    birthDate: person.birth,
    _birthDate: { extension: [{ url: `${FHIR}/patient-birthTime`, valueDateTime: `${person.birth}T04:13:00-05:00` }] },
    deceasedDateTime: '2024-02-29T07:30:00Z',
    address: [addressOf(person)],
    contact: [
      {
        relationship: [{ text: 'Mother' }],
        name: nameOf(kin),
        telecom: telecomOf(kin),
        address: addressOf(kin),
        organization: { display: `${kin.town} Community Care` },
      },
    ],
    generalPractitioner: [
      { reference: `Practitioner/${doctor.uuid}`, display: `Dr. ${doctor.given} ${doctor.family}` },
    ],
    managingOrganization: { reference: 'Organization/88231-a', display: `${doctor.town} Family Health` },
    link: [{ other: { reference: `Patient/${kin.uuid}` }, type: 'seealso' }],
  };
}

function people(person: Person, doctor: Person, kin: Person): readonly object[] {
  const who = { reference: `urn:uuid:${person.uuid}`, display: `${person.given} ${person.family}` };
  return [
    {
      resourceType: 'RelatedPerson',
      id: kin.uuid,
      patient: who,
      relationship: [{ text: 'mother' }],
      name: [nameOf(kin)],
      telecom: telecomOf(kin),
      address: [addressOf(kin)],
      birthDate: kin.birth,
    },
    {
      resourceType: 'Practitioner',
      id: doctor.uuid,
      identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: `1${doctor.account.slice(0, 9)}` }],
      name: [nameOf(doctor)],
      telecom: telecomOf(doctor),
      address: [addressOf(doctor)],
      qualification: [{ identifier: [identifier('licence', `OH-${doctor.mrn}`)], code: { text: 'MD' } }],
    },
    {
      resourceType: 'Organization',
      id: '88231-a',
      name: `${doctor.town} Family Health`,
      alias: [`${doctor.town} FH`],
      telecom: telecomOf(doctor),
      address: [addressOf(doctor)],
      contact: [{ name: nameOf(doctor), telecom: telecomOf(doctor) }],
    },
    {
      resourceType: 'Location',
      id: 'loc-4471902',
      name: `${doctor.town} Family Health, Room 12`,
      description: `Behind ${doctor.street}`,
      telecom: telecomOf(doctor),
      address: addressOf(doctor),
      position: { longitude: -83.00123, latitude: 40.00321 },
    },
    {
      resourceType: 'Coverage',
      id: `cov-${person.account}`,
      subscriberId: person.member,
      subscriber: who,
      beneficiary: who,
      policyHolder: { display: `${kin.given} ${kin.family}` },
      dependent: '01',
      period: { start: '2023-01-15' },
      payor: [{ display: 'Acme Health' }],
      class: [{ type: { coding: [{ code: 'group' }] }, value: `GRP${person.account}`, name: 'Gold' }],
      identifier: [identifier('member', person.member)],
    },
    {
      resourceType: 'Person',
      id: `p-${person.mrn}`,
      name: [nameOf(person)],
      telecom: telecomOf(person),
      birthDate: person.birth,
      address: [addressOf(person)],
      link: [{ target: who }],
    },
    {
      resourceType: 'Appointment',
      id: `a-${person.account}`,
      start: '2023-07-08T09:30:00Z',
      end: '2023-07-08T10:00:00Z',
      participant: [
        { actor: who, status: 'accepted' },
        { actor: { display: `Dr ${doctor.family}` }, status: 'accepted' },
      ],
      comment: `Bring ${person.given}'s inhaler; call ${dashed(kin.phone)}.`,
    },
  ];
}

function clinical(person: Person, doctor: Person): readonly object[] {
  const subject = { reference: `Patient/${person.uuid}`, display: `${person.family}, ${person.given}` };
  const by = { reference: `Practitioner/${doctor.uuid}`, display: `${doctor.given} ${doctor.family}, MD` };
  return [
    {
      resourceType: 'Encounter',
      id: `enc-${person.account}`,
      identifier: [identifier('visit', `V${person.account}`)],
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject,
      participant: [{ individual: by }],
      period: { start: '2023-04-05T10:11:12-05:00', end: '2023-04-05T11:00:00-05:00' },
      location: [{ location: { display: `${doctor.town} Family Health` } }],
      serviceProvider: { display: `${doctor.town} Family Health` },
    },
    {
      resourceType: 'Observation',
      id: `obs-${person.mrn}`,
      status: 'final',
      code: loinc('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood'),
      subject,
      effectiveDateTime: '2023-04-05',
      issued: '2023-04-05T10:11:12.345Z',
      performer: [by],
      valueQuantity: { value: 7.2, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
      note: [
        { authorString: `${doctor.given} ${doctor.family}`, time: '2023-04-06T00:00:00Z', text: note(person, doctor) },
      ],
    },
    {
      resourceType: 'Condition',
      id: `con-${person.mrn}`,
      code: {
        coding: [
          {
            system: 'http://hl7.org/fhir/sid/icd-10-cm',
            code: 'E11.9',
            display: 'Type 2 diabetes mellitus without complications',
          },
          { system: 'http://snomed.info/sct', code: '44054006', display: "Parkinson's disease" },
        ],
        text: 'Diabetes',
      },
      subject,
      onsetDateTime: '2011-05-06',
      recordedDate: '2011-05-06',
      asserter: by,
    },
    {
      resourceType: 'MedicationRequest',
      id: `med-${person.mrn}`,
      medicationCodeableConcept: {
        coding: [
          {
            system: 'http://www.nlm.nih.gov/research/umls/rxnorm',
            code: '860975',
            display: 'metformin hydrochloride 500 MG Oral Tablet',
          },
        ],
      },
      subject,
      requester: by,
      authoredOn: '2023-04-05T10:11:12Z',
      dosageInstruction: [
        { text: 'Take 1 tablet twice daily', doseAndRate: [{ doseQuantity: { value: 500, unit: 'mg' } }] },
      ],
      dispenseRequest: { quantity: { value: 60 }, performer: { display: `${doctor.town} Pharmacy` } },
      substitution: { reason: { text: `As ${person.given} ${person.family} asked` } },
    },
    {
      resourceType: 'Device',
      id: `dev-${person.account}`,
      udiCarrier: [
        {
          deviceIdentifier: '00844588003288',
          carrierHRF: `(01)00844588003288(17)141120(10)7654321D(21)${person.account}`,
        },
      ],
      serialNumber: `SN-${person.account}`,
      lotNumber: '7654321D',
      distinctIdentifier: person.account,
      expirationDate: '2026-11-20',
      patient: subject,
      owner: { display: `${doctor.town} Family Health` },
    },
    {
      resourceType: 'Specimen',
      accessionIdentifier: identifier('accession', `S23-${person.account}`),
      collection: { collector: by, collectedDateTime: '2023-04-05T08:00:00Z' },
      subject,
    },
    {
      resourceType: 'FamilyMemberHistory',
      patient: subject,
      name: `Aunt ${person.middle} ${person.family}`,
      bornDate: '1950-03-04',
      relationship: { text: 'aunt' },
      condition: [{ code: { text: 'Huntington disease' } }],
    },
    {
      resourceType: 'ServiceRequest',
      requisition: identifier('order', `ORD${person.account}`),
      code: loinc('24331-1', 'Lipid 1996 panel'),
      subject,
      requester: by,
      occurrenceDateTime: '2023-05-01',
      patientInstruction: `${person.given} should fast.`,
    },
    {
      resourceType: 'Claim',
      identifier: [identifier('claim', `CLM${person.account}`)],
      patient: subject,
      billablePeriod: { start: '2023-04-05' },
      created: '2023-04-06T00:00:00Z',
      insurance: [{ preAuthRef: [`PA${person.account}`], coverage: { reference: `Coverage/cov-${person.account}` } }],
      total: { value: 129.16, currency: 'USD' },
    },
    {
      resourceType: 'Communication',
      subject,
      payload: [{ contentString: note(person, doctor) }],
      sent: '2023-04-07T12:00:00Z',
      sender: by,
    },
    {
      resourceType: 'QuestionnaireResponse',
      source: subject,
      author: by,
      authored: '2023-04-07T12:00:00Z',
      item: [
        {
          linkId: '1',
          text: 'Emergency contact',
          answer: [{ valueString: `${doctor.middle} ${person.family}, ${dashed(doctor.phone)}` }],
        },
        { linkId: '2', text: 'Pain (0-10)', answer: [{ valueInteger: 4 }] },
      ],
    },
  ];
}

function attachments(person: Person, doctor: Person): readonly object[] {
  const plain = note(person, doctor);
  const html = `<html><body><h1>${person.given} ${person.family}</h1><p>${plain}</p></body></html>`;
  const cda = `<ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><id extension="${person.mrn}"/><patient><name><given>${person.given}</given><family>${person.family}</family></name></patient></patientRole></recordTarget></ClinicalDocument>`;
  const inner = JSON.stringify({ resourceType: 'Patient', name: [{ family: person.family }], birthDate: person.birth });
  const content = (contentType: string, data: string, title: string) => ({
    attachment: { contentType, data, title, url: `Binary/${person.mrn}`, creation: '2023-04-05T10:00:00Z' },
  });
  return [
    {
      resourceType: 'DocumentReference',
      masterIdentifier: identifier('doc', `D${person.account}`),
      subject: { reference: `Patient/${person.uuid}` },
      author: [{ display: `${doctor.given} ${doctor.family}` }],
      date: '2023-04-05T10:00:00Z',
      description: `Letter for ${person.given} ${person.family}`,
      content: [
        content('text/plain', base64(plain), `${person.family}_${person.given}_note.txt`),
        content('text/html', base64(html), 'note'),
        content('application/xml', base64(cda), 'summary'),
        content('application/fhir+json', base64(inner), 'bundle'),
        content('text/plain', base64(`Seen today: ${person.family}`), 'one name'),
      ],
      context: { period: { start: '2023-04-05' }, related: [{ reference: `Patient/${person.uuid}` }] },
    },
    {
      resourceType: 'Binary',
      id: `bin-${person.mrn}`,
      contentType: 'text/plain',
      securityContext: { reference: `Patient/${person.uuid}` },
      data: base64(`${person.given} ${person.family}`),
    },
    {
      resourceType: 'Media',
      subject: { display: `${person.given} ${person.family}` },
      createdDateTime: '2023-04-05',
      content: {
        contentType: 'image/png',
        title: `${person.family}.png`,
        data: base64('\u0000\u0001\u0002\u0089PNG not a picture \u0003\u0004\u0005\u0006'),
      },
    },
    {
      resourceType: 'DiagnosticReport',
      contained: [patient(person, doctor, doctor)],
      subject: { reference: `#${person.uuid}` },
      code: loinc('58410-2', 'CBC panel'),
      effectiveDateTime: '2023-04-05',
      conclusion: note(person, doctor),
      presentedForm: [{ contentType: 'text/plain', data: base64(plain) }],
      performer: [{ display: `${doctor.town} Laboratory Services` }],
    },
  ];
}

const entryOf = (resource: object, person: Person, index: number) => ({
  fullUrl: index % 2 === 0 ? `urn:uuid:${person.uuid}` : `https://ehr.example.org/fhir/Patient/${person.mrn}`,
  resource,
  request: { method: 'PUT', url: `Patient/${person.mrn}` },
});

/** FHIR R4 bundles and resources about invented persons: minified, indented, escaped, and as lines. */
export function fhirDocuments(person: Person, doctor: Person, kin: Person): readonly string[] {
  const resources = [
    patient(person, doctor, kin),
    ...people(person, doctor, kin),
    ...clinical(person, doctor),
    ...attachments(person, doctor),
  ];
  const bundle = {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: '2023-04-08T00:00:00Z',
    identifier: identifier('bundle', `B${person.account}`),
    entry: resources.map((resource, index) => entryOf(resource, person, index)),
  };
  const escaped = JSON.stringify(bundle).replaceAll(
    /[\u0080-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return [
    JSON.stringify(bundle),
    JSON.stringify(bundle, null, 2),
    escaped,
    resources.map((resource) => JSON.stringify(resource)).join('\n'),
    ...resources.map((resource) => JSON.stringify(resource, null, '\t')),
  ];
}
