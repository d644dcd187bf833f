import type { Contents, Held } from './held.ts';
import { type Element, readElements } from './xml-reader.ts';

/** What CDA R2 and C-CDA R2.1 say of elements: participants have names, addresses, telecoms and ids; acts have ids and times. */
const PERSONS =
  /^(?:patient|guardianPerson|assignedPerson|relatedPerson|associatedPerson|informationRecipient|maintainingPerson|subject|playingEntity|person|assignedAuthor|intendedRecipient)$/;
const PLACES =
  /[oO]rganization|[oO]rganisation|^(?:healthCareFacility|location|place|serviceProviderOrganization|birthplace|asOrganizationPartOf)$/;
const TIMES = /^(?:effectiveTime|low|high|center|time|signatureTime|deceasedTime|existenceTime|expirationTime)$/;

interface Reading {
  readonly held: Held[];
  readonly kept: [string, string][];
  readonly shape: string[];
  readonly texts: string[];
}

/** @param text a well-formed C-CDA document or fragment. @throws Error where it is not well-formed */
export function readCcda(text: string): Contents {
  const reading: Reading = { held: [], kept: [], shape: [], texts: [] };
  const top = readElements(text);
  reading.texts.push(top.text);
  for (const child of top.children) walk(child, [], reading);
  return { ...reading, shape: reading.shape.join(' ') };
}

function walk(element: Element, above: readonly string[], reading: Reading): void {
  const path = [...above, element.name];
  reading.shape.push(`<${element.name} ${[...element.attributes.keys()].join(' ')}`);
  for (const [key, value] of element.attributes) {
    reading.texts.push(value);
    judgeAttribute(element, { path, key, value }, reading);
  }
  const text = element.text.trim();
  reading.texts.push(element.text);
  const kind = text === '' ? undefined : textKind(path);
  if (kind !== undefined)
    reading.held.push({ kind, where: path.slice(-3).join('/'), value: text, at: reading.texts.length - 1 });
  for (const child of element.children) walk(child, path, reading);
  reading.shape.push('>');
}

function textKind(path: readonly string[]): Held['kind'] | undefined {
  const name = path.at(-1) ?? '';
  const parent = path.at(-2) ?? '';
  if (/^(?:given|family)$/.test(name)) return 'name';
  if (name === 'name') return PLACES.test(parent) ? 'facility' : PERSONS.test(parent) ? 'name' : undefined;
  if (/^(?:streetAddressLine|city|county|postalCode|streetName|houseNumber|additionalLocator|precinct)$/.test(name))
    return 'address';
  return name === 'addr' ? 'address' : undefined;
}

/** FHIR in XML keeps its values in attributes; its resources begin with a capital. */
const FHIR = /^[A-Z](?!linicalDocument)/;

function fhirKind(name: string, parent: string, value: string): Held['kind'] | undefined {
  if (/^(?:family|given)$/.test(name)) return 'name';
  if (/^(?:line|city|postalCode|district)$/.test(name)) return 'address';
  if (name === 'birthDate') return 'birth';
  if (name === 'value') return parent === 'telecom' ? 'telecom' : parent === 'identifier' ? 'id' : undefined;
  if (name === 'id' || name === 'reference') return 'id';
  if (name === 'display') return parent === 'coding' ? undefined : 'name';
  return /^\d{4}-\d\d-\d\d/.test(value) ? 'date' : undefined;
}

interface Attribute {
  readonly path: readonly string[];
  readonly key: string;
  readonly value: string;
}

function judgeAttribute(element: Element, { path, key, value }: Attribute, { held, kept, texts }: Reading): void {
  const where = `${path.slice(-3).join('/')}@${key}`;
  const put = (kind: Held['kind']): void => void held.push({ kind, where, value, at: texts.length - 1 });
  if (key === 'extension' && /^(?:id|setId)$/.test(element.name)) return put('id');
  if (key === 'value' && element.name === 'telecom') return put('telecom');
  if (key === 'value' && element.name === 'birthTime') return value.length > 4 ? put('birth') : undefined;
  if (key === 'value' && TIMES.test(element.name) && /^(?:19|20)\d{2}(?:0[1-9]|1[0-2])/.test(value)) return put('date');
  if (key === 'value' && FHIR.test(path[0] ?? '')) {
    const kind = fhirKind(element.name, path.at(-2) ?? '', value);
    if (kind !== undefined) return put(kind);
  }
  const coded =
    /^(?:code|codeSystem|codeSystemName|displayName|unit|root|typeCode|classCode|moodCode|nullFlavor|xsi:type)$/;
  const measured = key === 'value' && !TIMES.test(element.name) && element.name !== 'reference';
  // A root that is a UUID names one document or act.
  if (key === 'root' && /^[0-9a-f]{8}-/i.test(value)) return put('id');
  if (coded.test(key) || measured || (key === 'extension' && /^(?:templateId|typeId)$/.test(element.name)))
    kept.push([where, value]);
}
