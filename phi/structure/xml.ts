import { fieldRule } from '../field.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import { createJsonContext, type JsonContext } from './fhir.ts';
import { createXmlColumns, type XmlColumns } from './xml-columns.ts';
import { attributeRule, fhirRule, textRule } from './xml-rules.ts';

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
    ) ||
    isRecord(head.slice(0, 300))
  );
}

const HTML =
  /^<(?:html|head|body|div|p|span|b|i|u|em|strong|a|ul|ol|li|br|hr|h\d|tr|td|th|tbody|thead|meta|link|script|style|img|form|input|label|button|title|pre|code|small|su[bp]|font|center)\b/i;
/** Tags and attributes that are looked at. */
const LOOKED_AT = 6;

/** Whether an element, one in it or an attribute has the name of an identifier: `<record><mrn>`. HTML is prose with marks in it. */
function isRecord(head: string): boolean {
  if (!/^<[A-Za-z]/.test(head) || HTML.test(head)) return false;
  let count = 0;
  for (const [, tag, attribute] of head.matchAll(/<(?:\w+:)?([A-Za-z][\w.-]*)(?=[\s>])|\s([A-Za-z][\w.-]*)=["']/g)) {
    if (fieldRule(tag ?? attribute ?? '').whole !== undefined) return true;
    if (++count >= LOOKED_AT) break;
  }
  return false;
}

/**
 * Reads tags and text nodes (XML 1.0 §3), tolerant of what is not well-formed, since prompts hold fragments.
 * @param take is called for each attribute value and text node in text order
 * @returns the offset behind the last tag that was read
 */
export function readXml(text: string, from: number, take: (piece: XmlPiece) => void): number {
  const place: Place = { open: [], columns: createXmlColumns(), fhir: undefined, name: undefined };
  const { open } = place;
  let at = from;
  let end = from;
  while (at < text.length) {
    const tag = text.indexOf('<', at);
    const stop = tag < 0 ? -1 : tagEnd(text, tag);
    if (tag < 0 || stop < 0) break;
    if (tag > at) take({ start: at, end: tag, rule: ruleAt(text, [at, tag], place) });
    readTag(text, [tag, stop], place, take);
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
  /** Set in a FHIR resource, whose values stand in attributes. */
  fhir: JsonContext | undefined;
  /** The text of the `name` element that is open: its parts are one person's. */
  name: string | undefined;
}

/** A text node's rule: its element's, or else its table column's. White space between cells is neither. */
function ruleAt(text: string, [start, end]: readonly [number, number], { open, columns, name }: Place): FieldRule {
  const rule = textRule(open);
  if (rule.whole === 'name' && name !== undefined) return { whole: 'name', key: name };
  if (rule !== PROSE) return rule;
  return columns.ruleOf(() => text.slice(start, end), open);
}

function readTag(
  text: string,
  [start, end]: readonly [number, number],
  place: Place,
  take: (piece: XmlPiece) => void,
): void {
  const { open } = place;
  if (text.startsWith('<!--', start)) return take({ start: start + 4, end: end - 3, rule: PROSE });
  const name = /^<\/?(?:[\w.-]*:)?([A-Za-z][\w.-]*)/.exec(text.slice(start, start + 200))?.[1];
  if (name === undefined) return;
  if (text.charAt(start + 1) === '/') {
    const opened = open.lastIndexOf(name);
    if (opened >= 0) open.length = opened;
    if (name === 'name') place.name = undefined;
    return;
  }
  const pattern = /([A-Za-z][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
  const tag = text.slice(start, end);
  const attributes = [...tag.matchAll(pattern)];
  for (const match of attributes) {
    const value = match[2] ?? match[3] ?? '';
    const at = start + match.index + match[0].length - 1 - value.length;
    const attribute = match[1] ?? '';
    if (attribute.startsWith('xmlns') && value === 'http://hl7.org/fhir') place.fhir = createJsonContext();
    const rule =
      place.fhir === undefined
        ? attributeRule(attribute, name, { value, open })
        : fhirRule(attribute, name, { value, open }, place.fhir);
    take({ start: at, end: at + value.length, rule });
  }
  place.columns.open(name);
  if (name === 'name' && !tag.endsWith('/>')) place.name = nameAt(text, end);
  if (!tag.endsWith('/>') && open.length < MAX_DEPTH) open.push(name);
}

const MAX_NAME = 2_000;

/** What a `name` element says without its tags. */
function nameAt(text: string, start: number): string | undefined {
  const inner = text.slice(start, start + MAX_NAME);
  const end = inner.search(/<\/(?:[\w.-]+:)?name\s*>/);
  if (end < 0) return undefined;
  return decodeReferences(inner.slice(0, end).replaceAll(/<[^>]*>/g, ' '), 0, MAX_NAME).text.trim();
}

/** References of HTML to the letters of Latin-1 (HTML 4.01 §24.2), from U+00C0 on. */
const LETTERS =
  'Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'.split(
    ' ',
  );
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
  ['nbsp', ' '],
  ['lsquo', '\u2018'],
  ['rsquo', '\u2019'],
  ['ndash', '\u2013'],
  ['Scaron', '\u0160'],
  ['scaron', '\u0161'],
  ...LETTERS.map((name, at): [string, string] => [name, String.fromCharCode(0xc0 + at)]),
]);

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
        : (ENTITIES.get(match[3] ?? '') ?? (code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined));
    const piece = match === null || decoded === undefined ? text.charAt(i) : decoded;
    for (let unit = 0; unit < piece.length; unit++) offsets.push(i);
    out += piece;
    i += match === null || decoded === undefined ? 1 : match[0].length;
  }
  offsets.push(end);
  return { text: out, map: Int32Array.from(offsets) };
}
