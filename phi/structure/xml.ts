import type { Entity } from '#contract/entity.ts';
import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import { createXmlColumns, type XmlColumns } from './xml-columns.ts';

/** A text node or attribute value of an XML text. */
export interface XmlPiece {
  readonly start: number;
  readonly end: number;
  readonly rule: FieldRule;
}

const MAX_TAG = 64 * 1024;
const MAX_DEPTH = 256;

/** Whether a text that begins with `<` is worth reading as XML: a declaration, a namespace, or an element of C-CDA or FHIR. */
export function looksLikeXml(text: string, at: number): boolean {
  const head = text.slice(at, at + 2_000);
  return (
    /^<\?xml\s/.test(head) ||
    /^<[A-Za-z][\w:.-]*(?:\s[^<>]*)?\sxmlns(?::\w+)?=/.test(head) ||
    /^<(?:\w+:)?(?:ClinicalDocument|Bundle|Patient|recordTarget|patientRole|patient|author|component|section|entry|addr|telecom|name|id|table)[\s>]/.test(
      head,
    )
  );
}

/**
 * Reads tags and text nodes (XML 1.0 §3), tolerant of what is not well-formed, since prompts hold fragments.
 * @param take is called for each attribute value and text node in text order
 * @returns the offset behind the last tag that was read
 */
export function readXml(text: string, from: number, take: (piece: XmlPiece) => void): number {
  const open: string[] = [];
  const columns = createXmlColumns();
  let at = from;
  let end = from;
  while (at < text.length) {
    const tag = text.indexOf('<', at);
    const stop = tag < 0 ? -1 : tagEnd(text, tag);
    if (tag < 0 || stop < 0) break;
    if (tag > at) take({ start: at, end: tag, rule: ruleAt(text, [at, tag], open, columns) });
    readTag(text, [tag, stop], { open, columns }, take);
    at = stop;
    end = stop;
    if (open.length === 0 && at > from && !/^\s*<[?!A-Za-z]/.test(text.slice(at, at + 64))) break;
  }
  return end;
}

/** @returns the offset behind the tag, comment, CDATA section or instruction, or -1 */
function tagEnd(text: string, at: number): number {
  if (text.startsWith('<!--', at)) return after(text, '-->', at);
  if (text.startsWith('<![CDATA[', at)) return at + 9;
  if (text.startsWith('<?', at)) return after(text, '?>', at);
  if (!/[A-Za-z/!]/.test(text.charAt(at + 1))) return at + 1;
  let quote = 0;
  for (let i = at + 1; i < Math.min(text.length, at + MAX_TAG); i++) {
    const code = text.charCodeAt(i);
    if (quote !== 0) quote = code === quote ? 0 : quote;
    else if (code === 34 || code === 39) quote = code;
    else if (code === 62) return i + 1;
  }
  return -1;
}

function after(text: string, mark: string, at: number): number {
  const found = text.indexOf(mark, at);
  return found < 0 ? -1 : found + mark.length;
}

/** Where in the text reading is: the elements that are open, and the headers of the table around. */
interface Place {
  readonly open: string[];
  readonly columns: XmlColumns;
}

/** A text node's rule: its element's, or else its table column's. White space between cells is neither. */
function ruleAt(
  text: string,
  [start, end]: readonly [number, number],
  open: readonly string[],
  columns: XmlColumns,
): FieldRule {
  const rule = textRule(open);
  if (rule !== PROSE) return rule;
  return columns.ruleOf(() => text.slice(start, end), open);
}

function readTag(
  text: string,
  [start, end]: readonly [number, number],
  { open, columns }: Place,
  take: (piece: XmlPiece) => void,
): void {
  if (text.startsWith('<!--', start)) return take({ start: start + 4, end: end - 3, rule: PROSE });
  const name = /^<\/?(?:[\w.-]*:)?([A-Za-z][\w.-]*)/.exec(text.slice(start, start + 200))?.[1];
  if (name === undefined) return;
  if (text.charAt(start + 1) === '/') {
    const opened = open.lastIndexOf(name);
    if (opened >= 0) open.length = opened;
    return;
  }
  const pattern = /([A-Za-z][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
  const tag = text.slice(start, end);
  const attributes = [...tag.matchAll(pattern)];
  for (const match of attributes) {
    const value = match[2] ?? match[3] ?? '';
    const at = start + match.index + match[0].length - 1 - value.length;
    take({ start: at, end: at + value.length, rule: attributeRule(match[1] ?? '', name, { value, open }) });
  }
  columns.open(name);
  if (!tag.endsWith('/>') && open.length < MAX_DEPTH) open.push(name);
}

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

function textRule(open: readonly string[]): FieldRule {
  const name = open.at(-1) ?? '';
  if (NAME_PARTS.has(name)) return { whole: 'name' };
  if (name === 'prefix') return { code: true };
  if (name === 'name') return { whole: isOrganization(open) ? 'facility' : 'name' };
  return TEXT_RULES[name] ?? PROSE;
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

interface AttributeContext {
  readonly value: string;
  readonly open: readonly string[];
}

function attributeRule(attribute: string, element: string, { value, open }: AttributeContext): FieldRule {
  if (attribute === 'extension')
    return element === 'id' || element === 'setId' ? { whole: idEntity(open) } : { code: true };
  if (attribute === 'value') {
    if (element === 'telecom' || element === 'url') return { expects: value.includes('@') ? 'email' : 'phone' };
    if (TIMES.has(element)) return { expects: 'date' };
    // FHIR XML keeps its values in attributes of this name.
    const rule = fieldRule(element);
    return rule.whole === undefined && rule.expects === undefined && /^[\d.+-]*$/.test(value) ? { code: true } : rule;
  }
  return attribute === 'root' || attribute === 'title' || attribute === 'alt' || attribute === 'ID'
    ? PROSE
    : { code: true };
}

function idEntity(open: readonly string[]): Entity {
  return open.at(-1) === 'patientRole' || open.at(-1) === 'encompassingEncounter' || open.at(-1) === 'encounter'
    ? 'mrn'
    : 'other';
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };

/** Decodes character references (XML 1.0 §4.1). @returns the text and the raw offset of each unit and of the end, where there were any */
export function decodeReferences(
  text: string,
  start: number,
  end: number,
): { readonly text: string; readonly map?: Int32Array } {
  const plain = text.slice(start, end);
  if (!plain.includes('&')) return { text: plain };
  const offsets: number[] = [];
  let out = '';
  for (let i = start; i < end; ) {
    const match =
      text.charCodeAt(i) === 38
        ? /^&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}));/.exec(text.slice(i, Math.min(end, i + 12)))
        : null;
    const code =
      match?.[1] === undefined ? (match?.[2] === undefined ? -1 : Number.parseInt(match[2], 16)) : Number(match[1]);
    const decoded =
      match === null
        ? undefined
        : (ENTITIES[match[3] ?? ''] ?? (code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined));
    const piece = match === null || decoded === undefined ? text.charAt(i) : decoded;
    for (let unit = 0; unit < piece.length; unit++) offsets.push(i);
    out += piece;
    i += match === null || decoded === undefined ? 1 : match[0].length;
  }
  offsets.push(end);
  return { text: out, map: Int32Array.from(offsets) };
}
