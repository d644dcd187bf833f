import type { Entity } from '#contract/entity.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import type { JsonLeaf } from './json.ts';

/**
 * What a JSON member says of its value, by its name and the name above it. FHIR R4 says more with two names than with one
 * (`identifier.value`, `telecom.value`, `performer.display`); other JSON is judged by the member's own name.
 */
const PAIRS: Readonly<Record<string, FieldRule>> = {
  'identifier.value': { whole: 'other' },
  'valueidentifier.value': { whole: 'other' },
  'masteridentifier.value': { whole: 'other' },
  'groupidentifier.value': { whole: 'other' },
  'requisition.value': { whole: 'other' },
  'accessionidentifier.value': { whole: 'other' },
  'telecom.value': { whole: 'phone' },
  'name.text': { whole: 'name' },
  'address.text': { whole: 'location' },
  'address.line': { whole: 'location' },
  'coding.display': { code: true },
  'type.text': { code: true },
  'code.text': { code: true },
  'category.text': { code: true },
  'quantity.value': { code: true },
  'valuequantity.value': { code: true },
  'udicarrier.carrierhrf': { whole: 'device' },
  'udicarrier.deviceidentifier': { whole: 'device' },
  'meta.profile': { code: true },
  'meta.versionid': { code: true },
};

const PERSON_REFERENCES =
  'subject patient individual actor performer generalpractitioner requester asserter recorder author practitioner enterer informationsource source who agent interpreter resultsinterpreter sender recipient receiver authenticator attester beneficiary subscriber policyholder payee member focus responsible';
const PLACE_REFERENCES =
  'location serviceprovider managingorganization custodian organization provider insurer facility payor origin destination';
const references = new Map<string, FieldRule>([
  ...PERSON_REFERENCES.split(' ').map((name): [string, FieldRule] => [name, { whole: 'name' }]),
  ...PLACE_REFERENCES.split(' ').map((name): [string, FieldRule] => [name, { whole: 'facility' }]),
]);

/** Resources whose `name` is an organization's or a place's. */
const PLACES = new Set(['Organization', 'Location', 'HealthcareService', 'Endpoint', 'InsurancePlan']);

/** Extensions whose value the last part of their URL names. */
const EXTENSIONS: Readonly<Record<string, Entity>> = {
  'patient-mothersmaidenname': 'name',
  'humanname-own-prefix': 'name',
  'patient-birthplace': 'location',
  latitude: 'location',
  longitude: 'location',
};

/** Remembers what members before said, in the order of the text. */
export interface JsonContext {
  resourceType: string;
  url: string;
}

export function createJsonContext(): JsonContext {
  return { resourceType: '', url: '' };
}

/** @param text the leaf's decoded text */
export function jsonRule(leaf: JsonLeaf, text: string, context: JsonContext): FieldRule {
  const key = leaf.key.toLowerCase();
  const parent = leaf.parent.toLowerCase();
  if (key === 'resourcetype') context.resourceType = text;
  if (key === 'url') context.url = text;
  const pair = PAIRS[`${parent}.${key}`];
  if (pair !== undefined) return pair.whole === 'phone' && text.includes('@') ? { whole: 'email' } : pair;
  if (key === 'display' || key === 'reference') return referenceRule(key, parent, text);
  if (key === 'id' || key === 'fullurl') return /\d{4}|[0-9a-f]{8}-/.test(text) ? { whole: 'other' } : { code: true };
  if (key === 'url')
    return text.startsWith('http://hl7.org') || parent.includes('extension') ? { code: true } : { expects: 'url' };
  if (key === 'name' && PLACES.has(context.resourceType)) return { whole: 'facility' };
  if (key.startsWith('value')) {
    const named = EXTENSIONS[context.url.slice(context.url.lastIndexOf('/') + 1).toLowerCase()];
    if (named !== undefined) return { whole: named };
    return parent.includes('extension') ? PROSE : fieldRule(leaf.parent);
  }
  const own = fieldRule(leaf.key);
  return own === PROSE && /^\d*$/.test(key) ? fieldRule(leaf.parent) : own;
}

function referenceRule(key: string, parent: string, text: string): FieldRule {
  if (key === 'reference') return /^[A-Za-z]+\/[\w.-]{6,}$/.test(text) ? { whole: 'other' } : PROSE;
  return references.get(parent) ?? (parent === 'code' || parent === '' ? { code: true } : PROSE);
}
