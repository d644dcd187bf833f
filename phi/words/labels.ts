import { BIT } from '../bit.ts';
import type { Entity } from '#contract/entity.ts';
import { group, type WordGroup } from './word-group.ts';

/**
 * Words that announce an identifier. A strong label takes what follows by itself ("MRN 4471902"); a weak one only with a word
 * such as "number" or "id", or with a value that could be nothing else.
 */
export const LABEL = {
  MRN: 1,
  SSN: 2,
  PHONE: 3,
  FAX: 4,
  PLAN: 5,
  ACCOUNT: 6,
  LICENSE: 7,
  VEHICLE: 8,
  DEVICE: 9,
  OTHER: 10,
  EMAIL: 11,
  BIRTH: 12,
  NAME: 13,
  ADDRESS: 14,
  ZIP: 15,
  BIOMETRIC: 16,
  AGE: 17,
  /** Names a code system: what follows is public. */
  CODE_SYSTEM: 18,
  WEAK_MRN: 19,
  WEAK_PLAN: 20,
  WEAK_ACCOUNT: 21,
  WEAK_LICENSE: 22,
  WEAK_VEHICLE: 23,
  WEAK_DEVICE: 24,
  WEAK_OTHER: 25,
  WEAK_PHONE: 26,
  IMAGE: 27,
  /** `corner of`: two streets follow. */
  CORNER: 28,
  /** A digit in words. */
  DIGIT: 29,
  /** `dot` of a spelt-out address. */
  DOT: 30,
} as const;

/** The entity that a label announces, and whether the label suffices alone. */
export const LABEL_ENTITY: readonly (readonly [entity: Entity, strong: boolean] | undefined)[] = entities();

function entities(): readonly (readonly [Entity, boolean] | undefined)[] {
  const map: ([Entity, boolean] | undefined)[] = [];
  const put = (strong: number, weak: number, entity: Entity): void => {
    map[strong] = [entity, true];
    if (weak > 0) map[weak] = [entity, false];
  };
  put(LABEL.MRN, LABEL.WEAK_MRN, 'mrn');
  put(LABEL.SSN, 0, 'ssn');
  put(LABEL.PHONE, LABEL.WEAK_PHONE, 'phone');
  put(LABEL.FAX, 0, 'fax');
  put(LABEL.PLAN, LABEL.WEAK_PLAN, 'health_plan');
  put(LABEL.ACCOUNT, LABEL.WEAK_ACCOUNT, 'account');
  put(LABEL.LICENSE, LABEL.WEAK_LICENSE, 'license');
  put(LABEL.VEHICLE, LABEL.WEAK_VEHICLE, 'vehicle');
  put(LABEL.DEVICE, LABEL.WEAK_DEVICE, 'device');
  put(LABEL.OTHER, LABEL.WEAK_OTHER, 'other');
  put(LABEL.ZIP, 0, 'location');
  put(LABEL.BIOMETRIC, 0, 'biometric');
  put(LABEL.IMAGE, 0, 'image');
  return map;
}

export const LABELS: readonly WordGroup[] = [
  group(
    0,
    'mrn mrns mr# medrec emrn empi fin csn har mpi umrn hrn chartnumber patientid ptid medicalrecordnumber',
    LABEL.MRN,
  ),
  group(
    0,
    'record records chart charts rec encounter visit admission ur hospital patient patients pt mr emr ehr',
    LABEL.WEAK_MRN,
  ),
  group(0, 'ssn ssns ss ssid itin socialsecurity', LABEL.SSN),
  group(0, 'social security tin soc sec', LABEL.SSN),
  group(
    0,
    'phone telephone tel cell cellphone mobile ph pager beeper callback telefono phones extension ext',
    LABEL.PHONE,
  ),
  group(
    0,
    'call called calling registered answering message messages text contact contacts reach reached dial desk office hotline line',
    LABEL.WEAK_PHONE,
  ),
  group(0, 'fax faxed facsimile fx', LABEL.FAX),
  group(0, 'mbi hicn medicare medicaid beneficiary subscriber memberid policyholder', LABEL.PLAN),
  group(
    0,
    'insurance ins plan member policy group claim auth authorization payer payor coverage hmo ppo healthplan aetna cigna humana anthem bcbs',
    LABEL.WEAK_PLAN,
  ),
  group(0, 'acct acc account accounts iban routing aba swift accountnumber', LABEL.ACCOUNT),
  group(
    0,
    'billing invoice card bank statement checking savings visa mastercard amex discover cc transaction guarantor payment receipt',
    LABEL.WEAK_ACCOUNT,
  ),
  group(0, 'npi dea dl licence license lic passport upin clia', LABEL.LICENSE),
  group(0, 'certificate permit driver drivers certification travel visa', LABEL.WEAK_LICENSE),
  group(0, 'vin', LABEL.VEHICLE),
  group(0, 'vehicle plate plates tag car truck', LABEL.WEAK_VEHICLE),
  group(0, 'serial udi imei sn', LABEL.DEVICE),
  group(0, 'device implant lot pacemaker model pump meter icd sensor monitor', LABEL.WEAK_DEVICE),
  group(0, 'accession uuid guid username userid specimenid', LABEL.OTHER),
  group(
    0,
    'id ids identifier ref reference case specimen order rx prescription referral study subject employee badge user login handle ticket confirmation tracking registration participant enrollment file sample requisition',
    LABEL.WEAK_OTHER,
  ),
  group(0, 'email mailto', LABEL.EMAIL),
  group(0, 'dob birthdate birthday born dod birth deceased died', LABEL.BIRTH),
  group(0, 'address addresses residence residing resides', LABEL.ADDRESS),
  group(0, 'corner intersection', LABEL.CORNER),
  group(0, 'zero oh one two three four five six seven eight nine', LABEL.DIGIT),
  group(0, 'dot', LABEL.DOT),
  group(0, 'nineties nonagenarian centenarian', LABEL.AGE),
  group(0, 'zip zipcode postal postcode', LABEL.ZIP),
  group(0, 'fingerprint fingerprints voiceprint retina iris faceid biometric', LABEL.BIOMETRIC),
  group(
    BIT.CLINICAL,
    'icd icd9 icd10 icd10cm cpt hcpcs loinc snomed snomedct rxnorm rxcui ndc cvx drg pmid pmcid doi nct ncit isbn issn umls cui mesh atc hgvs ensembl rs gtin unii icdo dsm',
    LABEL.CODE_SYSTEM,
  ),
];
