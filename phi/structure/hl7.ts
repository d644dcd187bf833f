import type { Entity } from '#contract/entity.ts';
import { PROSE, type FieldRule } from '../segment.ts';
import { fieldType } from './hl7-fields.ts';

/** A piece of an HL7 v2 message with what its field says of it. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly rule: FieldRule;
}

type Take = (piece: Piece) => void;

interface Marks {
  readonly field: string;
  readonly component: string;
  readonly repeat: string;
  readonly sub: string;
}

const DEFAULT_MARKS: Marks = { field: '|', component: '^', repeat: '~', sub: '&' };
const SEGMENT_LINE =
  /^(?:MSH|EVN|PID|PD1|NK1|PV[12]|MRG|ORC|OBR|OBX|SPM|SAC|NTE|IN[123]|GT1|AL1|DG1|PR1|ROL|PRT|TXA|RX[A-Z]|SCH|FT1|ACC|CTD|STF|BLG|MSA|ERR|TQ[12]|FHS|BHS|Z[A-Z0-9]{2})([^\w\s])/;

/**
 * Reads a line of a text as an HL7 v2 segment (HL7 v2.5.1 §2.5).
 * @param marks of the message so far. @returns the marks that hold now, or undefined when the line is no segment
 */
export function readSegment(
  text: string,
  [start, end]: readonly [number, number],
  marks: Marks | undefined,
  take: Take,
): Marks | undefined {
  const head = SEGMENT_LINE.exec(text.slice(start, Math.min(end, start + 9)));
  if (head?.[1] === undefined) return undefined;
  const name = text.slice(start, start + 3);
  const header = name === 'MSH' || name === 'FHS' || name === 'BHS';
  const now = header ? readMarks(text, start) : (marks ?? DEFAULT_MARKS);
  if (head[1] !== now.field) return undefined;
  let number = header ? 1 : 0;
  let valueType = '';
  let question = '';
  for (const [from, to] of split(text, [start + 4, end], now.field)) {
    number++;
    if (header && number === 2) continue;
    if (name === 'OBX' && number === 2) valueType = text.slice(from, to);
    if (name === 'OBX' && number === 3) question = text.slice(from, to);
    const asked = name === 'OBX' && number === 5 ? questionRule(question) : undefined;
    if (asked !== undefined && to > from && !text.slice(from, to).includes(now.component)) {
      take({ start: from, end: to, rule: asked });
      continue;
    }
    const type = name === 'OBX' && number === 5 ? valueType : fieldType(name, number);
    for (const repetition of split(text, [from, to], now.repeat))
      readField(text, repetition, { type, marks: now }, take);
  }
  return now;
}

function readMarks(text: string, start: number): Marks {
  const at = (offset: number, fallback: string): string => {
    const char = text.charAt(start + offset);
    return /[^\w\s]/.test(char) ? char : fallback;
  };
  return { field: at(3, '|'), component: at(4, '^'), repeat: at(5, '~'), sub: at(7, '&') };
}

function split(text: string, [start, end]: readonly [number, number], mark: string): [number, number][] {
  const parts: [number, number][] = [];
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

/** Entities of the components of a data type, by position from 1; `-` is looked at as text. */
const COMPONENTS: Readonly<Record<string, readonly (Entity | '-' | '')[]>> = {
  XAD: ['location', 'location', 'location', '', 'location', '', '', 'location', 'location'],
  XTN: ['phone', '', '', 'email', '', 'phone', 'phone', 'phone', '-', '', '', 'phone'],
  TN: ['phone'],
  CX: ['mrn', '', '', '-', '', '-'],
  ACC: ['account', '', '', '-'],
  PLAN: ['health_plan'],
  SSN: ['ssn'],
  LIC: ['license'],
  DEV: ['device'],
  OTH: ['other'],
  LOC: ['location'],
  XON: ['facility', '', '', '', '', '-', '', '', '', 'license'],
  PL: ['facility', 'facility', 'facility', 'facility', '', '', '', '', 'facility'],
  EI: ['other', 'other'],
};

interface FieldContext {
  readonly type: string;
  readonly marks: Marks;
}

function readField(text: string, range: readonly [number, number], { type, marks }: FieldContext, take: Take): void {
  const components = split(text, range, marks.component);
  if (type === 'XPN' || type === 'PN') return takeName(components, 0, take);
  if (type === 'XCN' || type === 'CN' || type === 'NDL') {
    const inner = type === 'NDL' && components[0] !== undefined ? split(text, components[0], marks.sub) : components;
    const [id] = inner;
    if (id !== undefined) take({ start: id[0], end: id[1], rule: { whole: 'license' } });
    takeName(inner, 1, take);
    if (type === 'NDL')
      for (const [start, end] of components.slice(1, 3)) take({ start, end, rule: { expects: 'date' } });
    return;
  }
  if (type === 'TS' || type === 'DTM' || type === 'DT' || type === 'TQ' || type === 'DR') {
    for (const [start, end] of components)
      for (const [from, to] of split(text, [start, end], marks.sub))
        take({ start: from, end: to, rule: { expects: 'date' } });
    return;
  }
  // A mother's name where her number should be: an identifier of letters, with further name parts behind.
  if (type === 'CX' && components.length > 1 && isPersonName(text, components)) return takeName(components, 0, take);
  const known = COMPONENTS[type];
  const coded = known === undefined && isCoded(text, components);
  components.forEach(([start, end], index) => {
    const entity = known?.[index] ?? (known === undefined ? '-' : '');
    if (entity === '') return;
    // The first subcomponent is the value; a namespace and its OID follow (HD, EI).
    const [first = [start, end]] = known === undefined ? [] : split(text, [start, end], marks.sub);
    take({
      start: first[0],
      end: first[1],
      rule: entity === '-' ? (coded ? { code: true } : PROSE) : { whole: entity },
    });
  });
}

/** Family, given, further names: one value, so that `ROE^JANE` is one person's name. */
function takeName(components: readonly (readonly [number, number])[], from: number, take: Take): void {
  let last = -1;
  for (let i = from; i < Math.min(components.length, from + 3); i++) {
    const [start, end] = components[i] ?? [0, 0];
    if (end > start) last = i;
  }
  const first = components.findIndex(([start, end], index) => index >= from && end > start);
  const [start] = components[first] ?? [];
  const [, end] = components[last] ?? [];
  if (start !== undefined && end !== undefined && last >= first) take({ start, end, rule: { whole: 'name' } });
}

/** What an observation asks for, where it asks for an identifier: `Post-discharge provider name`, `Accession number`. */
function questionRule(question: string): FieldRule | undefined {
  const match =
    /\b(?:(provider|patient|mother|father|physician|guardian|contact|doctor|nurse|person)\b.*\bname|(facility|hospital|organization|clinic|laboratory|practice)\b.*\bname|(phone|telephone|fax)\b|(address|city|zip|postal)\b|(accession|bar ?code|medical record|record|card|kit|form|specimen|account|serial|order|filler|placer)\b.*\b(?:number|identifier|id)\b)/i.exec(
      question,
    );
  if (match === null) return undefined;
  const entities: readonly Entity[] = ['name', 'facility', 'phone', 'location', 'other'];
  const entity = entities.find((_, index) => match[index + 1] !== undefined);
  return entity === undefined ? undefined : { whole: entity };
}

function isPersonName(text: string, components: readonly (readonly [number, number])[]): boolean {
  const [family, given] = components.map(([start, end]) => text.slice(start, end));
  return /^\p{L}[\p{L}' -]+$/u.test(family ?? '') && /^\p{L}[\p{L}' -]*$/u.test(given ?? '');
}

/** A coded element: its third component names the code system (HL7 table 0396). */
function isCoded(text: string, components: readonly (readonly [number, number])[]): boolean {
  const [start, end] = components[2] ?? [0, 0];
  if (
    /^(?:LN|SCT|SNM|I9C?|I10C?|C4|CPT|NDC|RXNORM|UCUM|UCUM|HL7\d*|ISO\+?|L|99\w*|CVX|MVX|FIPS\w*|CDCREC|PHINQUESTION)$/i.test(
      text.slice(start, end),
    )
  )
    return true;
  return components.length >= 2 && /^(?:\d{1,7}-\d|LA\d+-\d)$/.test(text.slice(...(components[0] ?? [0, 0])));
}
