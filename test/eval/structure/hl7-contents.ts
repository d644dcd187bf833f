import type { Contents, Held } from './held.ts';

/**
 * Fields of HL7 v2.5.1 that hold persons, places, numbers and times of them, by data type. Written from the segment tables of chapters
 * 2 to 12 of the standard, apart from what the engine knows, so that a field that the engine forgot shows.
 */
const FIELDS: Readonly<Record<string, string>> = {
  MSH: '4HD 6HD 7DTM 10ST',
  FHS: '4HD 6HD 7DTM 9ST 11ST 12ST',
  BHS: '4HD 6HD 7DTM 11ST 12ST',
  EVN: '2DTM 3DTM 5XCN 6DTM 7HD',
  PID: '2CX 3CX 4CX 5XPN 6XPN 7BIRTH 9XPN 11XAD 12ADR 13XTN 14XTN 18CX 19ST 20CX 21CX 23ADR 29DTM 33DTM',
  PD1: '3XON 4XCN 8ST 20XON',
  NK1: '2XPN 4XAD 5XTN 6XTN 8DTM 9DTM 12CX 13XON 16BIRTH 26XPN 30XPN 31XTN 32XAD 33CX 37ST',
  PV1: '3PL 5CX 6PL 7XCN 8XCN 9XCN 17XCN 19CX 42PL 43PL 44DTM 45DTM 50CX 52XCN',
  PV2: '1PL 8DTM 9DTM 13XCN 23XON',
  MRG: '1CX 2CX 3CX 4CX 5CX 6CX 7XPN',
  ORC: '2EI 3EI 4EI 9DTM 10XCN 11XCN 12XCN 13PL 14XTN 15DTM 19XCN 21XON 22XAD 23XTN 24XAD',
  OBR: '2EI 3EI 6DTM 7DTM 8DTM 10XCN 14DTM 16XCN 17XTN 20ST 21ST 22DTM 28XCN 32NDL 33NDL 34NDL 35NDL 36DTM',
  OBX: '14DTM 15HD 16XCN 18EI 19DTM 23XON 24XAD 25XCN',
  SPM: '2EI 3EI 17DTM 18DTM',
  NTE: '5XCN 6DTM',
  IN1: '2ID 3CX 4XON 5XAD 6XPN 7XTN 8ST 11XON 12DTM 13DTM 16XPN 18BIRTH 19XAD 36ST 44XAD 49CX',
  IN2: '1CX 2ST 3XCN 5XPN 6ST 7XPN 8ST 9XPN 10ST 22XPN 25CX 26CX 40XPN 49XPN 50XPN 52XPN 61CX 63XTN 64XTN 69XON 70XON',
  IN3: '2CX 3XCN 8XCN 14XCN 16XTN 19XTN 25XCN',
  GT1: '2CX 3XPN 4XPN 5XAD 6XTN 7XTN 8BIRTH 12ST 13DTM 14DTM 16XPN 17XAD 18XTN 19CX 21XON 29CX 42XPN 45XPN 46XTN 51XON',
  ROL: '1EI 4XCN 11XAD 12XTN',
  PRT: '1EI 5XCN 8XON 9PL 10EI 14XAD 15XTN',
  TXA: '4DTM 5XCN 6DTM 7DTM 8DTM 9XCN 10XCN 11XCN 12EI 13EI 14EI 16ST 22XCN 23XCN',
  DG1: '5DTM 16XCN 19DTM',
  PR1: '5DTM 8XCN 11XCN 12XCN',
  AL1: '6DTM',
  RXA: '3DTM 4DTM 10XCN 11PL 15ST 16DTM',
  RXE: '13XCN 14XCN 15ST',
  SCH: '1EI 2EI 12XCN 13XTN 14XAD 16XCN 17XTN 18XAD 20XCN 26EI 27EI',
  AIP: '3XCN',
  AIL: '3PL',
  FT1: '4DTM 5DTM 20XCN 21XCN 23EI',
  ACC: '1DTM 3ADR',
  CTD: '2XPN 3XAD 4PL 5XTN 7CX',
  STF: '2CX 3XPN 6BIRTH 10XTN 11XAD',
  CON: '13DTM 24XPN',
};

/** Components (from 1) of each data type and what they are; the others of the type are types, codes and OIDs. */
const COMPONENTS: Readonly<Record<string, Readonly<Record<number, Held['kind']>>>> = {
  XPN: { 1: 'name', 2: 'name', 3: 'name' },
  XCN: { 1: 'id', 2: 'name', 3: 'name', 4: 'name' },
  NDL: { 1: 'name', 2: 'date', 3: 'date' },
  XAD: { 1: 'address', 2: 'address', 3: 'address', 5: 'address', 8: 'address', 9: 'address' },
  XTN: { 1: 'telecom', 4: 'telecom', 7: 'telecom', 12: 'telecom' },
  XON: { 1: 'facility', 10: 'id' },
  PL: { 1: 'facility', 2: 'facility', 3: 'facility', 4: 'facility', 9: 'facility' },
  HD: { 1: 'facility' },
  CX: { 1: 'id' },
  EI: { 1: 'id' },
  ST: { 1: 'id' },
  ADR: { 1: 'address' },
  DTM: { 1: 'date' },
  BIRTH: { 1: 'birth' },
};
const KEPT = /^OBX-(?:2|3|6|7|8|11)$|^OBR-4$|^DG1-3$|^PR1-3$|^AL1-3$|^RXA-5$|^RXE-2$|^PID-8$|^NK1-3$/;

/** @param text one or more messages; segments end in CR, LF or both */
export function readHl7(text: string): Contents {
  const held: Held[] = [];
  const kept: [string, string][] = [];
  const shape: string[] = [];
  const texts: string[] = [];
  let marks = '|^~\\&';
  for (const line of text.split(/[\r\n]+/)) {
    const name = line.slice(0, 3);
    if (/^(?:MSH|FHS|BHS)/.test(name)) marks = line.slice(3, 8);
    const [field = '|', component = '^', repetition = '~', escape = '\\', sub = '&'] = marks;
    const shift = /^(?:MSH|FHS|BHS)/.test(name) ? 1 : 0;
    const fields = line.split(field);
    shape.push(name, String(fields.length));
    fields.forEach((raw, index) => {
      if (index === 0 || (shift === 1 && index === 1)) return;
      const number = index + shift;
      const where = `${name}-${number}`;
      const type = FIELDS[name]
        ?.split(' ')
        .find((each) => each.match(/^\d+/)?.[0] === String(number))
        ?.replace(/^\d+/, '');
      if (KEPT.test(where)) kept.push([where, raw]);
      for (const each of raw.split(repetition)) {
        const parts = each.split(component);
        shape.push(String(parts.length));
        parts.forEach((part, at) => {
          const value = unescape(part.split(sub)[0] ?? '', marks, escape);
          texts.push(unescape(part, marks, escape));
          const kind = COMPONENTS[type ?? '']?.[at + 1];
          if (kind !== undefined && tells(kind, value))
            held.push({ kind, where: `${where}.${at + 1}`, value, at: texts.length - 1 });
        });
      }
    });
  }
  return { held, kept, shape: shape.join(' '), texts };
}

function tells(kind: Held['kind'], value: string): boolean {
  if (kind === 'date' || kind === 'birth') return /^\d{6}/.test(value);
  return /[\p{L}\p{N}]/u.test(value) && value !== '""';
}

function unescape(
  text: string,
  [field = '', component = '', repetition = '', , sub = '']: string,
  escape: string,
): string {
  if (escape === '' || !text.includes(escape)) return text;
  const marks: Readonly<Record<string, string>> = {
    F: field,
    S: component,
    R: repetition,
    E: escape,
    T: sub,
    '.br': '\n',
  };
  const parts = text.split(escape);
  return parts
    .map((part, index) => {
      if (index % 2 === 0) return part;
      if (/^X(?:[0-9A-F]{2})+$/i.test(part)) return Buffer.from(part.slice(1), 'hex').toString('latin1');
      return marks[part] ?? (/^[HN]$|^\.\w+/.test(part) ? ' ' : part);
    })
    .join('');
}
