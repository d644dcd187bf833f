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
  'subject patient individual actor performer generalpractitioner requester asserter recorder author practitioner enterer informationsource source who agent interpreter collector operator supervisor verifier witness signatory payee caregiver relatedperson interpretedby resultsinterpreter sender recipient receiver authenticator attester beneficiary subscriber policyholder payee member focus responsible';
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
export function jsonRule(leaf: Pick<JsonLeaf, 'key' | 'parent'>, text: string, context: JsonContext): FieldRule {
  const key = leaf.key.toLowerCase();
  const parent = leaf.parent.toLowerCase();
  if (key === 'resourcetype') context.resourceType = text;
  if (key === 'url') context.url = text;
  const pair = PAIRS[`${parent}.${key}`];
  if (pair !== undefined) return pair.whole === 'phone' && text.includes('@') ? { whole: 'email' } : pair;
  if (key === 'display' || key === 'reference') return referenceRule(key, parent, text);
  if (key === 'id' || key === 'fullurl') return idRule(parent, text, context);
  if (key === 'url' && RELATIVE.test(text)) return { whole: 'other', skip: prefixOf(text) };
  if (key === 'url')
    return text.startsWith('http://hl7.org') || parent.includes('extension') ? { code: true } : { expects: 'url' };
  if (key === 'name') return nameRule(parent, context);
  if (key.startsWith('value')) {
    const named = EXTENSIONS[context.url.slice(context.url.lastIndexOf('/') + 1).toLowerCase()];
    if (named !== undefined) return { whole: named };
    return parent.includes('extension') ? PROSE : fieldRule(leaf.parent);
  }
  if (key === 'data' && context.resourceType !== '' && parent !== 'valuesampleddata') return { encoded: true };
  const own = fieldRule(leaf.key);
  return own === PROSE && /^\d*$/.test(key) ? fieldRule(leaf.parent) : own;
}

/** Resources and objects whose `name` is a thing's. */
const THINGS =
  /^(?:parameters?|valueset|codesystem|structuredefinition|questionnaire|library|measure|plandefinition|activitydefinition|searchparameter|operationdefinition|capabilitystatement|implementationguide|conceptmap|device|devicename|devicedefinition|medication|medicationknowledge|substance|class|labs?|tests?|results?|observations?|panels?|analytes?|components?|medications?|meds|drugs?|prescriptions?|allerg(?:y|ies)|conditions?|diagnos[ei]s|problems?|procedures?|immunizations?|vaccines?|vitals?|symptoms?|items?|products?|functions?|tools?|properties|fields?|columns?|files?|models?|programs?|plans?|units?)$/;

/** A `name` that is a text: a person's where nothing says that it is a place's or a thing's. */
function nameRule(parent: string, { resourceType }: JsonContext): FieldRule {
  if (PLACES.has(resourceType) && parent !== 'contact') return { whole: 'facility' };
  if (THINGS.test(parent)) return PROSE;
  const isOfResource = parent === '' || parent === 'resource' || parent === 'contained';
  return resourceType !== '' && isOfResource && THINGS.test(resourceType.toLowerCase()) ? PROSE : { whole: 'name' };
}

/** A resource by type and id, by UUID or OID, by its place in the same resource, or by its address (FHIR R4 §2.1.3.0.4). */
const REFERENCE =
  /^(?:[A-Z][A-Za-z]{2,40}\/[\w.:-]{1,64}(?:\/_history\/[\w.-]{1,64})?|urn:(?:uuid|oid):\S{1,100}|#[\w.-]{1,64}|https?:\/\/\S{1,500})$/;
const RELATIVE = /^[A-Z][A-Za-z]{2,40}\/[\w.:-]{1,64}(?:\/_history\/[\w.-]{1,64})?$/;

/** The id alone is the same wherever it stands: in `id`, behind `Patient/` and behind `urn:uuid:`. */
function prefixOf(text: string): number {
  return /^(?:urn:(?:uuid|oid):|[A-Z][A-Za-z]{2,40}\/|#)/.exec(text)?.[0].length ?? 0;
}

/** A resource's own id, or one that is long enough to be somebody's; ids of elements and of other JSON are links. */
function idRule(parent: string, text: string, { resourceType }: JsonContext): FieldRule {
  const ofResource = resourceType !== '' && (parent === '' || parent === 'resource' || parent === 'contained');
  if (ofResource || /\d{4}|[0-9a-f]{8}-/.test(text)) return { whole: 'other', skip: prefixOf(text) };
  return { code: true };
}

function referenceRule(key: string, parent: string, text: string): FieldRule {
  if (key === 'reference') return REFERENCE.test(text) ? { whole: 'other', skip: prefixOf(text) } : PROSE;
  return references.get(parent) ?? (parent === 'code' || parent === '' ? { code: true } : PROSE);
}
