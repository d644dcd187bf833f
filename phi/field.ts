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
  location: `address addressline addressline1 addressline2 address1 address2 street streetaddress line city county district zip zipcode postalcode postcode latitude longitude lat lng lon homeaddress
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
  return rules.get(name.toLowerCase().replaceAll(/[\s_\-.*:#]/g, '')) ?? PROSE;
}
