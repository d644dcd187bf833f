import type { Contents, Held } from './held.ts';

/** What FHIR R4 (hl7.org/fhir/R4/datatypes.html and the resource pages) says of the members of a resource. */
interface Reading {
  readonly held: Held[];
  readonly kept: [string, string][];
  readonly shape: string[];
  readonly texts: string[];
}

type Node = { readonly [key: string]: unknown };

interface Place {
  readonly path: string;
  readonly key: string;
  readonly resource: string;
  /** The nearest extension's URL. */
  readonly extension: string;
  readonly holder: Node;
}

const NAMED_RESOURCES = /^(?:Organization|Location|HealthcareService|Endpoint|InsurancePlan)$/;
const PERSON_KEYS =
  /^(?:subject|patient|individual|actor|performer|generalPractitioner|requester|asserter|recorder|author|practitioner|participant|enterer|informationSource|agent|who|interpreter|beneficiary|subscriber|policyHolder|member|operator|source|collector|receiver|sender|recipient|witness|reportOrigin|responsibleParty)$/;
const PLACE_KEYS =
  /^(?:serviceProvider|managingOrganization|location|custodian|organization|provider|insurer|facility|payor|origin|destination)$/;

/** @param text one JSON text, or several as lines (NDJSON) */
export function readFhir(text: string): Contents {
  const reading: Reading = { held: [], kept: [], shape: [], texts: [] };
  const place = { path: '', key: '', resource: '', extension: '', holder: {} };
  for (const value of parseAll(text)) walk(value, place, reading);
  return { ...reading, shape: reading.shape.join(' ') };
}

function parseAll(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown);
  }
}

function walk(value: unknown, place: Place, reading: Reading): void {
  if (Array.isArray(value)) {
    reading.shape.push('[');
    for (const each of value) walk(each, place, reading);
    reading.shape.push(']');
  } else if (value !== null && typeof value === 'object') walkObject(value as Node, place, reading);
  else {
    reading.shape.push('.');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    reading.texts.push(text);
    if (value !== null && text !== '') judge(text, place, reading);
  }
}

function walkObject(node: Node, place: Place, reading: Reading): void {
  const resource = typeof node['resourceType'] === 'string' ? node['resourceType'] : place.resource;
  const own = node['url'];
  const extension = typeof own === 'string' && /[eE]xtension$/.test(place.key) ? own : place.extension;
  reading.shape.push('{');
  for (const [key, value] of Object.entries(node)) {
    reading.shape.push(key);
    const path = `${resource === place.resource ? place.path : resource}.${key}`;
    // What stands in `address` and the like is known by that name, whatever an array or `_` stands between.
    walk(value, { path, key, resource, extension, holder: node }, reading);
  }
  reading.shape.push('}');
}

function judge(value: string, place: Place, reading: Reading): void {
  const kind = kindOf(value, place);
  if (kind !== undefined) reading.held.push({ kind, where: place.path, value, at: reading.texts.length - 1 });
  else if (isKept(place, value)) reading.kept.push([place.path, value]);
}

const parentOf = ({ path }: Place): string => path.split('.').at(-2) ?? '';

function kindOf(value: string, place: Place): Held['kind'] | undefined {
  const { key, resource, holder, extension } = place;
  const parent = parentOf(place);
  if (/^(?:family|given)$/.test(key) || (key === 'text' && parent === 'name')) return 'name';
  if (key === 'name') return NAMED_RESOURCES.test(resource) ? 'facility' : parent === 'contact' ? 'name' : undefined;
  if (/^(?:line|city|district|postalCode)$/.test(key)) return 'address';
  if (key === 'text' && /^(?:address|valueAddress)$/.test(parent)) return 'address';
  if (
    key === 'value' &&
    /^(?:phone|fax|email|pager|sms|url|other)$/.test(JSON.stringify(holder['system'] ?? '').slice(1, -1))
  )
    return 'telecom';
  if (key === 'value' && /[iI]dentifier$|^requisition$/.test(parent)) return 'id';
  if (/^(?:subscriberId|serialNumber|lotNumber|distinctIdentifier|carrierHRF|policyNumber)$/.test(key)) return 'id';
  if (/^(?:birthDate|bornDate|deceasedDateTime|deceasedDate|birthTime)$/.test(key)) return dated(value, 'birth');
  if (key === 'display') return displayKind(holder, parent);
  if (key.startsWith('value') && extension !== '') return extensionKind(key, extension, value);
  if (/^(?:id|reference|fullUrl)$/.test(key)) return /[0-9a-f]{8}-|\d{5}/.test(value) ? 'id' : undefined;
  if (/^(?:authorString|onsetString)$/.test(key)) return key === 'authorString' ? 'name' : undefined;
  if (/^\d{4}-\d\d(?:-\d\d(?:T.*)?)?$/.test(value) && !/version|profile/i.test(key)) return 'date';
  return undefined;
}

function displayKind(holder: Node, parent: string): Held['kind'] | undefined {
  if (holder['code'] !== undefined || holder['system'] !== undefined) return undefined;
  const target = [holder['reference'], holder['type']].find((each) => typeof each === 'string') ?? '';
  if (/(?:Patient|Practitioner|PractitionerRole|RelatedPerson|Person)(?:\/|\?|$)/.test(target)) return 'name';
  if (/(?:Organization|Location)(?:\/|\?|$)/.test(target)) return 'facility';
  return PERSON_KEYS.test(parent) ? 'name' : PLACE_KEYS.test(parent) ? 'facility' : undefined;
}

function extensionKind(key: string, url: string, value: string): Held['kind'] | undefined {
  if (/mothersMaidenName|humanname-|own-name/.test(url)) return 'name';
  if (/(?:latitude|longitude)$/.test(url)) return 'address';
  if (url.endsWith('birthTime')) return dated(value, 'birth');
  return /^value(?:Date|DateTime|Instant)$/.test(key) ? dated(value, 'date') : undefined;
}

function dated(value: string, kind: 'birth' | 'date'): 'birth' | 'date' | undefined {
  return /^\d{4}-\d\d/.test(value) ? kind : undefined;
}

/** Codes and measured values; not displays and texts, which may name a month or a place. */
function isKept({ key, holder, path }: Place, value: string): boolean {
  if (key === 'code' || key === 'status' || key === 'gender' || key === 'resourceType' || key === 'unit') return true;
  if (key === 'system') return true;
  if (key === 'display') return holder['code'] !== undefined;
  return (key === 'value' || /^value(?:Decimal|Integer|Boolean|Code)$/.test(key)) && /^-?[\d.]+$/.test(value)
    ? !/[lL]atitude|[lL]ongitude/.test(path)
    : false;
}
