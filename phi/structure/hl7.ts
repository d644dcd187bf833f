import type { Entity } from '#contract/entity.ts';
import { type FieldRule, PROSE } from '../segment.ts';
import { DEFAULT_MARKS, type Marks, readMarks } from './hl7-escape.ts';
import { fieldType } from './hl7-fields.ts';
import { readField, split, type Take } from './hl7-types.ts';
import { linesOf, type Range } from './lines.ts';

const HL7_LINE =
  // oxlint-disable-next-line no-control-regex
  /(?:^|[\r\n\u000b]|\\[rn])[ \t]{0,8}(?:MSH[^\w\s]|[FB]HS[^\w\s]|(?:PID|PD1|OBX|OBR|NK1|PV[12]|ORC|EVN|IN[12]|GT1|NTE|SPM|AL1|DG1|MRG|Z[A-Z]\w)[|^])/;

/** Whether a text has a line that begins like a segment. */
export function mayHoldSegments(text: string): boolean {
  return (text.includes('|') || text.includes('MSH') || text.includes('^')) && HL7_LINE.test(text);
}

/** A line end that is written out (`\\r`), before a segment. */
const WRITTEN_END = /\\[rn](?:\\n)?(?=[A-Z][A-Z0-9]{2}[^\w\s])/g;

/** The lines of a text that holds segments, without indentation and the frame of MLLP. @param offset is added to all of them */
export function segmentLines(part: string, offset: number): readonly Range[] {
  return linesOf(part, 0).flatMap(([start, end]) => {
    const line = part.slice(start, end);
    // oxlint-disable-next-line no-control-regex
    const indent = /^[ \t\u000b\u001c]{0,8}/.exec(line)?.[0].length ?? 0;
    const ranges: Range[] = [];
    let from = indent;
    if (line.includes('\\')) {
      for (const match of line.matchAll(WRITTEN_END)) {
        ranges.push([offset + start + from, offset + start + match.index]);
        from = match.index + match[0].length;
      }
    }
    ranges.push([offset + start + from, offset + end]);
    return ranges.filter(([a, b]) => b > a);
  });
}

/** Begins a segment where nothing tells which message it is in. */
const KNOWN_LINE =
  /^(?:MSH|EVN|PID|PD1|NK1|PV[12]|MRG|ORC|OBR|OBX|SPM|SAC|NTE|IN[123]|GT1|AL1|DG1|DRG|PR1|ROL|PRT|TXA|RX[A-Z]|SCH|AI[GLPS]|RGS|FT1|ACC|CTD|CTI|STF|BLG|MSA|ERR|TQ[12]|FHS|BHS|FTS|BTS|DSC|Z[A-Z0-9]{2})([^\w\s])/;
const ANY_LINE = /^[A-Z][A-Z0-9]{2}([^\w\s]|$)/;
/** Data types of free text, whose repetitions are lines. */
const TEXTS = new Set(['FT', 'TX', 'ST']);

/**
 * Reads a line of a text as an HL7 v2 segment (HL7 v2.5.1 §2.5).
 * @param marks of the message so far. @returns the marks that hold now, or undefined when the line is no segment
 */
export function readSegment(
  text: string,
  [start, end]: Range,
  marks: Marks | undefined,
  take: Take,
): Marks | undefined {
  const line = marks === undefined ? KNOWN_LINE : ANY_LINE;
  const head = line.exec(text.slice(start, Math.min(end, start + 9)));
  if (head === null) return undefined;
  const name = text.slice(start, start + 3);
  const header = name === 'MSH' || name === 'FHS' || name === 'BHS';
  const now = header ? readMarks(text, start) : (marks ?? DEFAULT_MARKS);
  if (head[1] !== now.field) return head[1] === '' ? now : undefined;
  let number = header ? 1 : 0;
  const question = { type: '', asked: '' };
  for (const field of split(text, [start + 4, end], now.field)) {
    number++;
    if (header && number === 2) continue;
    if (name === 'OBX' && number === 2) question.type = text.slice(...field);
    if (name === 'OBX' && number === 3) question.asked = text.slice(...field);
    if (field[1] === field[0]) continue;
    if (name === 'OBX' && number === 5) readAnswer(text, field, { ...question, marks: now }, take);
    else readRepetitions(text, field, { type: fieldType(name, number), marks: now }, take);
  }
  return now;
}

interface FieldContext {
  readonly type: string;
  readonly marks: Marks;
}

function readRepetitions(text: string, field: Range, { type, marks }: FieldContext, take: Take): void {
  if (TEXTS.has(type)) return take({ start: field[0], end: field[1], rule: PROSE });
  for (const repetition of split(text, field, marks.repeat)) readField(text, repetition, type, { marks, take });
}

interface Answer extends FieldContext {
  /** OBX-3. */
  readonly asked: string;
}

/** An observation's value, by its own type (OBX-2) and by what was asked (OBX-3). */
function readAnswer(text: string, field: Range, { type, asked, marks }: Answer, take: Take): void {
  const rule = questionRule(asked);
  const plain = !text.slice(...field).includes(marks.component);
  if (rule !== undefined && plain) return take({ start: field[0], end: field[1], rule });
  readRepetitions(text, field, { type, marks }, take);
}

/** What an observation asks for, where it asks for an identifier: `Post-discharge provider name`, `Accession number`. */
function questionRule(question: string): FieldRule | undefined {
  const match =
    /\b(?:(provider|patient|mother|father|physician|guardian|contact|doctor|nurse|person|caregiver|parent|signer|author)\b.*\bname|(facility|hospital|organization|clinic|laboratory|practice|school|employer)\b.*\bname|(phone|telephone|fax)\b|(address|city|zip|postal|county)\b|((?:accession|bar ?code|medical record|record|card|kit|form|specimen|account|serial|order|filler|placer|facility|patient|provider|encounter|visit)\b.*\b(?:number|identifier|id))\b|((?:e-?mail)\b)|(birth ?date|date of birth|dob)\b)/i.exec(
      question,
    );
  if (match === null) return undefined;
  const entities: readonly Entity[] = ['name', 'facility', 'phone', 'location', 'other', 'email', 'date'];
  const entity = entities.find((_, index) => match[index + 1] !== undefined);
  if (entity === undefined) return undefined;
  return entity === 'date' ? { expects: 'date' } : { whole: entity };
}
