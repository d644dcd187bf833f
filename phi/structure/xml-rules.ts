import type { Entity } from '#contract/entity.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import { type JsonContext, jsonRule } from './fhir.ts';

const NAME_PARTS = new Set(['given', 'family', 'suffix']);
const TIMES = new Set([
  'birthTime',
  'effectiveTime',
  'low',
  'high',
  'center',
  'time',
  'birthDate',
  'deceasedTime',
  'start',
  'end',
  'date',
]);

/** What a text node holds, by the elements that are open around it. */
export function textRule(open: readonly string[]): FieldRule {
  const name = open.at(-1) ?? '';
  if (NAME_PARTS.has(name)) return { whole: 'name' };
  if (name === 'prefix') return { code: true };
  if (name === 'name') return { whole: isOrganization(open) ? 'facility' : 'name' };
  return TEXT_RULES[name] ?? (open[0] === CDA ? PROSE : valueRule(name));
}

const TEXT_RULES: Readonly<Record<string, FieldRule>> = {
  streetAddressLine: { whole: 'location' },
  streetName: { whole: 'location' },
  houseNumber: { whole: 'location' },
  additionalLocator: { whole: 'location' },
  city: { whole: 'location' },
  county: { whole: 'location' },
  postalCode: { whole: 'location' },
  precinct: { whole: 'location' },
  addr: { whole: 'location' },
  state: { code: true },
  country: { code: true },
};

function isOrganization(open: readonly string[]): boolean {
  return /[oO]rganization|[dD]evice|[lL]ocation|place|facility|[fF]acility|manufacturer|playingEntity/.test(
    open.slice(-3, -1).join(' '),
  );
}

const CDA = 'ClinicalDocument';
/** Attributes of CDA, HTML and FHIR that look like a person's and are none. */
const PUBLIC = new Set([
  'displayName',
  'name',
  'code',
  'class',
  'style',
  'date',
  'start',
  'end',
  'line',
  'title',
  'location',
]);

/** Elements that are persons in any XML. */
const PEOPLE =
  /^(?:patient|person|provider|physician|doctor|practitioner|member|contact|guarantor|subscriber|client)$/i;

/** What the name of an element or attribute of any XML says of its value; that it is a code says nothing of a text. */
function valueRule(name: string): FieldRule {
  const rule = fieldRule(name);
  return rule.whole === undefined ? PROSE : rule;
}

/** An attribute of a FHIR resource in XML (FHIR R4 §2.6.1): elements are what members are in JSON. */
export function fhirRule(
  attribute: string,
  element: string,
  { value, open }: AttributeContext,
  context: JsonContext,
): FieldRule {
  const resource = open.findLast((name) => /^[A-Z]/.test(name)) ?? '';
  context.resourceType = resource;
  const above = open.at(-1) ?? '';
  const parent = above === resource ? '' : above;
  if (attribute === 'url') context.url = value;
  if (attribute !== 'value') return attribute === 'id' ? PROSE : { code: true };
  return jsonRule({ key: element, parent }, value, context);
}

/** What a telephone, fax or mail address is behind its scheme. */
function telecomRule(value: string): FieldRule {
  const skip = /^(?:(?:tel|fax|mailto|sms|https?|direct)\s*:)?\s*/i.exec(value)?.[0].length ?? 0;
  return { whole: value.includes('@') ? 'email' : value.includes('//') ? 'url' : 'phone', skip };
}

/** An attribute's value, and the elements around its own. */
export interface AttributeContext {
  readonly value: string;
  readonly open: readonly string[];
}

/** What an attribute of CDA, HTML or other XML holds. */
export function attributeRule(attribute: string, element: string, { value, open }: AttributeContext): FieldRule {
  if (attribute === 'extension')
    return element === 'id' || element === 'setId' ? { whole: idEntity(open) } : { code: true };
  if (attribute === 'value') {
    if (element === 'telecom' || element === 'url') return telecomRule(value);
    if (TIMES.has(element)) return { expects: 'date' };
    // FHIR XML keeps its values in attributes of this name.
    const rule = fieldRule(element);
    return rule.whole === undefined && rule.expects === undefined && /^[\d.+-]*$/.test(value) ? { code: true } : rule;
  }
  if (attribute === 'root') return OID.test(value) ? { code: true } : { whole: 'other' };
  if (attribute === 'name' && PEOPLE.test(element)) return { whole: 'name' };
  if (open[0] !== CDA && !PUBLIC.has(attribute)) {
    const rule = valueRule(attribute);
    if (rule !== PROSE) return rule;
  }
  return attribute === 'assigningAuthorityName' || attribute === 'title' || attribute === 'alt' || attribute === 'ID'
    ? PROSE
    : { code: true };
}

/** Names a list of identifiers, a template or a code system. */
const OID = /^[\d.]*$/;

function idEntity(open: readonly string[]): Entity {
  return open.at(-1) === 'patientRole' || open.at(-1) === 'encompassingEncounter' || open.at(-1) === 'encounter'
    ? 'mrn'
    : 'other';
}
