import type { Entity } from '#contract/entity.ts';
import { type FieldRule, PROSE } from './segment.ts';

/**
 * What the name of a field says of its value. Names are compared without case, `_`, `-`, space, so that `birthDate`,
 * `birth_date` and `Birth Date` are one. Sources: FHIR R4, common EHR exports, 45 CFR 164.514(b)(2)(i).
 */
const WHOLE: Readonly<Partial<Record<Entity, string>>> = {
  name: `name patientname fullname firstname lastname middlename family given surname forename maidenname nickname displayname contactname guardianname mothersname mothername fathername fathersname
    providername physicianname doctorname attending referringprovider employername membername subscribername username authorname membernamefull preferredname givenname familyname
    nextofkin emergencycontact insuredname responsibleparty patientfirstname patientlastname fname lname mname pcp orderingprovider`,
  location: `address addressline addressline1 addressline2 line1 line2 address1 address2 street streetaddress line city county district zip zipcode postalcode postcode latitude longitude lat lng lon homeaddress
    mailingaddress birthplace placeofbirth streetaddress1 streetaddress2 streetname patientaddress town village precinct`,
  facility: 'hospital hospitalname facility facilityname clinic clinicname ward location organizationname',
  date: `date dob birthdate dateofbirth birthday birthtime admissiondate dischargedate admitdate servicedate visitdate deathdate dateofdeath deceaseddatetime encounterdate appointmentdate surgerydate effectivedatetime
    issued recordeddate onsetdatetime authoredon occurrencedatetime performeddatetime lastupdated start end created date_of_service dos collectiondate orderdate resultdate admitted discharged effectivetime`,
  phone:
    'phone phonenumber telephone mobile cell cellphone homephone workphone mobilephone tel phonehome phonework contactnumber contactphone',
  fax: 'fax faxnumber',
  email: 'email emailaddress mail',
  ssn: 'ssn socialsecuritynumber socialsecurity ssnumber taxid itin',
  mrn: 'mrn medicalrecordnumber patientid patientnumber pid empi fin csn visitid visitnumber encounterid encounternumber recordnumber chartnumber patientmrn medicalrecord hospitalnumber subjectid',
  health_plan:
    'memberid subscriberid policynumber policyid insuranceid groupnumber beneficiaryid medicarenumber medicaidid mbi hicn planid healthplanid insurancenumber membernumber',
  account:
    'account accountnumber accountid acct acctnumber iban cardnumber creditcard creditcardnumber routingnumber bankaccount invoicenumber billingaccount guarantoraccount claimnumber claimid',
  license:
    'license licensenumber driverslicense driverlicense npi dea deanumber passport passportnumber licence certificatenumber',
  vehicle: 'vin licenseplate plate vehicleid platenumber',
  device: 'serialnumber deviceid udi deviceidentifier udicarrier imei implantserial lotnumber',
  url: 'url website homepage portalurl',
  ip: 'ip ipaddress macaddress mac clientip remoteaddr',
  biometric: 'fingerprint voiceprint retinascan facetemplate biometricid',
  image: 'photo photourl imageurl picture portrait',
  other:
    'accession accessionnumber orderid ordernumber specimenid prescriptionnumber rxnumber casenumber referralnumber employeeid userid login handle',
};

/** Fields whose values are public: code systems, units, types, states. */
const CODES = `system code codesystem unit units use type resourcetype status gender sex profile language lang reference_range version extensionurl contenttype mediatype comparator state country
  currency maritalstatus role op method model tool tooltype rxnorm loinc snomed icd10 cpt ndc`;

const rules = new Map<string, FieldRule>();
for (const [entity, names] of Object.entries(WHOLE)) {
  for (const name of names.split(/\s+/)) rules.set(name.replaceAll('_', ''), { whole: entity as Entity });
}
for (const name of CODES.split(/\s+/)) rules.set(name.replaceAll('_', ''), { code: true });

const MAX_NAME = 64;

/** @param name of a JSON member, an XML element, a column or a form field. @returns PROSE when it says nothing */
export function fieldRule(name: string): FieldRule {
  if (name.length > MAX_NAME) return PROSE;
  return rules.get(name.toLowerCase().replaceAll(/[\s_\-.*:#]/g, '')) ?? wordsRule(name);
}

const PERSON =
  'patient pt client member subscriber guarantor insured mother mothers father fathers parent spouse guardian contact emergency kin provider physician doctor attending surgeon nurse pcp referring ordering author clinician practitioner employee employer caregiver first last middle given family maiden full legal preferred resident consultant pharmacist therapist sender recipient applicant beneficiary holder cardholder dependent admitting responsible party next of birth former other second third primary';
const NUMBER = '(?:id|ids|no|nr|num|number|nbr|identifier|#)';

/** What the words of a name say where the name as a whole says nothing: `emergency_contact_phone`, `nhsNumber`. In order of trust. */
const BY_WORDS: readonly (readonly [RegExp, FieldRule])[] = [
  [/ (?:e ?mail) /, { whole: 'email' }],
  [/ (?:fax|facsimile) /, { whole: 'fax' }],
  [/ (?:phone|telephone|mobile|cellphone|cell phone|pager|tel|phones) /, { whole: 'phone' }],
  [/ (?:ssn|social security) /, { whole: 'ssn' }],
  [/ (?:dob|birthdate|birthday|birth (?:date|dt|day|time)|date of birth|date of death|death date) /, { whole: 'date' }],
  [
    new RegExp(
      ` (?:mrn|nhs ${NUMBER}|medical record|(?:patient|pt|chart|hospital|visit|encounter|subject|case|record|health card) ${NUMBER}) `,
    ),
    { whole: 'mrn' },
  ],
  [
    new RegExp(
      ` (?:mbi|(?:insurance|policy|member|subscriber|beneficiary|group|medicare|medicaid|insured|payer member) ${NUMBER}) `,
    ),
    { whole: 'health_plan' },
  ],
  [
    new RegExp(` (?:iban|(?:account|acct|invoice|claim|card|bank account|credit card|billing) ${NUMBER}) `),
    { whole: 'account' },
  ],
  [new RegExp(` (?:npi|dea|passport|(?:licen[cs]e|driver|drivers|certificate|dl) ${NUMBER}) `), { whole: 'license' }],
  [new RegExp(` (?:imei|(?:serial|device|implant|lot) ${NUMBER}) `), { whole: 'device' }],
  [
    new RegExp(
      ` (?:accession|order|specimen|referral|employee|badge|participant|sample|requisition|prescription|rx|authorization) ${NUMBER} `,
    ),
    { whole: 'other' },
  ],
  [/ (?:ip|mac) address /, { whole: 'ip' }],
  [
    / (?:street|address|city|town|zip|zipcode|zip code|postal code|postcode|county|residence) (?:line |\d )?/,
    { whole: 'location' },
  ],
  [/ (?:hospital|facility|clinic|practice|pharmacy|school|organization|organisation) name /, { whole: 'facility' }],
  [
    new RegExp(
      `^ (?:(?:${PERSON.replaceAll(' ', '|')}) )+(?:name|names|surname)(?: (?:first|last|middle|full|\\d))? $`,
    ),
    { whole: 'name' },
  ],
  [
    / (?:admit|admission|discharge|visit|service|appointment|surgery|collection|collected|encounter|onset|result|order|death) (?:date|dt|time|datetime) /,
    { whole: 'date' },
  ],
];

/** Any word that {@link BY_WORDS} looks for: most names have none. */
const HINT =
  /mail|fax|facs|phone|mobile|pager|tel|ssn|security|dob|birth|death|mrn|nhs|record|number|nbr|id|no|num|nr|mbi|iban|npi|dea|passport|imei|address|street|city|town|zip|post|county|resid|name|date|time|dt|#/i;

function wordsRule(name: string): FieldRule {
  if (!HINT.test(name)) return PROSE;
  const words = ` ${name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .replaceAll('#', ' # ')
    .replaceAll(/[^A-Za-z0-9#]+/g, ' ')
    .trim()
    .toLowerCase()} `;
  if (!words.includes(' ', 1) || words.trim().indexOf(' ') < 0) return PROSE;
  return BY_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? PROSE;
}
