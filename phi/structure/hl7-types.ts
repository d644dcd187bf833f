import type { Entity } from '#contract/entity.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import type { Marks } from './hl7-escape.ts';
import type { Range } from './lines.ts';

/** A piece of an HL7 v2 message with what its field says of it. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly rule: FieldRule;
}

export type Take = (piece: Piece) => void;

const CODE: FieldRule = { code: true };
const DATE: FieldRule = { expects: 'date' };

/**
 * Entities of the components of a data type, by position from 1 (HL7 v2.5.1 §2.A): '-' is looked at as text, '' as a code.
 * Components behind the last one are codes.
 */
const COMPONENTS: Readonly<Record<string, readonly (Entity | '-' | '' | 'time')[]>> = {
  XAD: ['location', 'location', 'location', '', 'location', '', '', 'location', 'location', 'location', '', 'time'],
  XTN: ['phone', '', '', 'email', '', 'phone', 'phone', 'phone', '-', '', '', 'phone'],
  TN: ['phone'],
  CX: ['mrn', '', '', '-', '', '-', 'time', 'time'],
  ACC: ['account', '', '', '-'],
  PLAN: ['health_plan'],
  SSN: ['ssn'],
  LIC: ['license', '', 'time'],
  DEV: ['device'],
  OTH: ['other'],
  LOC: ['location'],
  XON: ['facility', '', 'other', '', '', '-', '', '-', '', 'license'],
  HD: ['facility', 'facility'],
  HDA: ['-', '-'],
  SITE: ['facility', 'facility'],
  PL: ['facility', 'facility', 'facility', 'facility', '', '', 'facility', 'facility', 'facility'],
  EI: ['other', '-', 'other'],
  RP: ['url', '-'],
  FC: ['', 'time'],
};
/** What an identifier is, by its type code (HL7 table 0203). */
const BY_TYPE: Readonly<Record<string, Entity>> = {
  SS: 'ssn',
  DL: 'license',
  NPI: 'license',
  DEA: 'license',
  PPN: 'license',
  AN: 'account',
  MC: 'health_plan',
  MA: 'health_plan',
  SN: 'health_plan',
  HC: 'health_plan',
};

const TIMES = new Set(['TS', 'DTM', 'DT', 'TQ', 'DR']);
const NAMES = new Set(['XPN', 'PN']);
const IDENTIFIED = new Set(['XCN', 'CN', 'PPN']);
const MEASURES = new Set(['NM', 'SN', 'TM', 'ID', 'IS', 'SI', 'MO', 'CQ', 'NA', 'MA', 'CP', 'CODE']);

/** How a message is written, and where its pieces go. */
export interface Reading {
  readonly marks: Marks;
  readonly take: Take;
}

/** Takes what one repetition of a field holds, by its data type; '' when nothing is known of it. */
export function readField(text: string, range: Range, type: string, { marks, take }: Reading): void {
  const components = split(text, range, marks.component);
  const kind = type === '' || type === 'CE' || type === 'CWE' ? guessType(text, components, type) : type;
  const piece = { text, marks, take };
  if (NAMES.has(kind)) return takeName(components, 0, piece);
  if (IDENTIFIED.has(kind)) return takeIdentified(components, piece);
  if (kind === 'NDL') return takeLocated(components, piece);
  if (kind === 'EIP') {
    for (const each of components) takeComponents(split(text, each, marks.sub), 'EI', piece);
    return;
  }
  if (kind === 'ED') return takeData(components, piece);
  if (kind === 'NAME?') return takeRest(components, 0, piece, { expects: 'name' });
  if (MEASURES.has(kind)) return takeRest(components, 0, piece, CODE);
  if (TIMES.has(kind)) {
    for (const component of components)
      for (const [start, end] of split(text, component, marks.sub)) take({ start, end, rule: DATE });
    return;
  }
  // A mother's name where her number should be: an identifier of letters, with further name parts behind.
  if (kind === 'CX' && components.length > 1 && isPersonName(text, components)) return takeName(components, 0, piece);
  takeComponents(components, kind, piece);
}

interface Taking extends Reading {
  readonly text: string;
}

function takeComponents(components: readonly Range[], kind: string, { text, marks, take }: Taking): void {
  const known = COMPONENTS[kind];
  const type = kind === 'CX' ? text.slice(...(components[4] ?? [0, 0])) : '';
  components.forEach(([start, end], index) => {
    const entity = known?.[index] ?? '';
    if (known === undefined) return take({ start, end, rule: PROSE });
    if (entity === 'time' || entity === '') return take({ start, end, rule: entity === '' ? CODE : DATE });
    // Street addresses and places are made of parts; elsewhere a namespace and its OID follow the value (HD, EI).
    const parts = split(text, [start, end], marks.sub);
    for (const [i, [from, to]] of parts.entries()) {
      const value = text.slice(from, to);
      const kind = (index === 0 ? BY_TYPE[type] : undefined) ?? entity;
      const rule = i > 0 && entity !== 'location' && entity !== '-' ? CODE : ruleOf(value, kind);
      take({ start: from, end: to, rule });
    }
  });
}

/** An OID names no place; an `@` makes an e-mail of a telephone. */
function ruleOf(value: string, entity: Entity | '-'): FieldRule {
  if ((entity === 'facility' || entity === 'other' || entity === '-') && /^\d+(?:\.\d+){2,}$/.test(value)) return CODE;
  if (entity === '-') return PROSE;
  return entity === 'phone' && value.includes('@') ? { whole: 'email' } : { whole: entity };
}

/** Family, given, further names: parts that are one person's, `ROE^JANE`. The rest are titles, degrees and dates. */
function takeName(components: readonly Range[], from: number, { text, marks, take }: Taking): void {
  const parts = components.slice(from, from + 3).flatMap((component) => split(text, component, marks.sub));
  const key = parts.map(([start, end]) => text.slice(start, end)).join(' ');
  for (const [start, end] of parts) take({ start, end, rule: { whole: 'name', key } });
  takeRest(components, from + 3, { text, marks, take }, CODE);
}

function takeIdentified(components: readonly Range[], piece: Taking): void {
  const [first = [0, 0]] = components;
  // A name where the number should be, with nothing behind it.
  const isName = components.length < 3 && /^[\p{L}' .,-]*$/u.test(piece.text.slice(...first));
  if (isName) return takeName(components, 0, piece);
  const [id = first] = split(piece.text, first, piece.marks.sub);
  piece.take({ start: id[0], end: id[1], rule: { whole: 'license' } });
  takeName(components, 1, piece);
}

/** A person with times and a place (NDL). */
function takeLocated(components: readonly Range[], piece: Taking): void {
  const [person = [0, 0]] = components;
  const { text, marks, take } = piece;
  takeIdentified(split(text, person, marks.sub), piece);
  for (const [start, end] of components.slice(1, 3)) take({ start, end, rule: DATE });
  for (const [start, end] of components.slice(3, 7)) take({ start, end, rule: { whole: 'facility' } });
}

/** Encapsulated data (ED): source, kind, subtype, encoding, data. */
function takeData(components: readonly Range[], piece: Taking): void {
  const encoding = piece.text.slice(...(components[3] ?? [0, 0])).toLowerCase();
  takeRest(components.slice(0, 4), 0, piece, CODE);
  const [start] = components[4] ?? [0, 0];
  const [, end] = components.at(-1) ?? [0, 0];
  if (components.length > 4) piece.take({ start, end, rule: encoding === 'a' ? PROSE : { encoded: true } });
}

function takeRest(components: readonly Range[], from: number, { take }: Taking, rule: FieldRule): void {
  for (const [start, end] of components.slice(from)) take({ start, end, rule });
}

/** What a field of an unknown segment looks like, by the components that only one data type has. */
function guessType(text: string, components: readonly Range[], type: string): string {
  if (isCoded(text, components)) return 'CODE';
  if (type !== '') return '';
  if (components.length < 2) return MOMENT.test(text.slice(...(components[0] ?? [0, 0]))) ? 'TS' : '';
  const at = (index: number): string => text.slice(...(components[index] ?? [0, 0]));
  if (
    /^(?:PH|FX|CP|BP|MD|SAT|Internet|X\.400)$/i.test(at(2)) &&
    /^(?:PRN|ORN|WPN|VHN|ASN|EMR|NET|BPN|PRS|)$/.test(at(1))
  )
    return 'XTN';
  if (/^[A-Z]{2}$/.test(at(3)) && /^\d{5}(?:-\d{4})?$/.test(at(4))) return 'XAD';
  if (/^(?:MR|PI|PT|AN|VN|SS|DL|MC|MA|MB|PRN|NPI|EI|PE)$/.test(at(4)) && /\d/.test(at(0))) return 'CX';
  if (isPersonName(text, components)) return 'NAME?';
  return /^\w*\d\w*$/.test(at(0)) && isPersonName(text, components.slice(1)) ? 'NAME?' : '';
}

/** Day, perhaps with a time (HL7 v2.5.1 §2.A.22). */
const MOMENT = /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{2}){0,3}(?:\.\d{1,4})?(?:[+-]\d{4})?$/;

function isPersonName(text: string, components: readonly Range[]): boolean {
  const [family, given] = components.map(([start, end]) => text.slice(start, end));
  return /^\p{L}[\p{L}' -]+$/u.test(family ?? '') && /^\p{L}[\p{L}' -]*$/u.test(given ?? '');
}

/** A coded element: its third component names the code system (HL7 table 0396). */
function isCoded(text: string, components: readonly Range[]): boolean {
  const system = text.slice(...(components[2] ?? [0, 0]));
  if (
    /^(?:LN|SCT|SNM\d?|I9C?P?|I10[CP]?|C[45]|CPT|HCPCS|NDC|RXNORM|UCUM|HL7\w*|ISO\+?|L|99\w*|CVX|MVX|FIPS\w*|CDC\w*|PHINQUESTION|NAICS|NUCC)$/i.test(
      system,
    )
  )
    return true;
  return components.length >= 2 && /^(?:\d{1,7}-\d|LA\d+-\d)$/.test(text.slice(...(components[0] ?? [0, 0])));
}

export function split(text: string, [start, end]: Range, mark: string): Range[] {
  const parts: Range[] = [];
  const code = mark.charCodeAt(0);
  let from = start;
  for (let at = start; at < end; at++) {
    if (text.charCodeAt(at) !== code) continue;
    parts.push([from, at]);
    from = at + 1;
  }
  parts.push([from, end]);
  return parts;
}
