/**
 * The kinds of identifier: the 18 of 45 CFR 164.514(b)(2)(i)(A)–(R), some in two kinds where policy may differ.
 * They are metric labels and policy keys, so the set is closed.
 */
export const ENTITIES = [
  'name', // A
  'location', // B: street, city, county, ZIP
  'facility', // B: hospitals, clinics, wards
  'date', // C
  'age', // C: over 89
  'phone', // D
  'fax', // E
  'email', // F
  'ssn', // G
  'mrn', // H: medical record, visit and encounter numbers
  'health_plan', // I
  'account', // J
  'license', // K
  'vehicle', // L
  'device', // M
  'url', // N
  'ip', // O: IP and MAC addresses
  'biometric', // P
  'image', // Q: references to photographs
  'other', // R: any other unique number or code; also text that only looks like a surrogate
] as const;

/** One kind of identifier. */
export type Entity = (typeof ENTITIES)[number];

/** What policy does with an entity: replace it, let it pass (only under a grant), or refuse the exchange. */
export type EntityAction = 'redact' | 'keep' | 'block';
