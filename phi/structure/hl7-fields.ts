/**
 * What the fields of HL7 v2 segments hold, by data type: `XPN` person name, `XAD` address, `XTN` telephone, `CX` identifier,
 * `XCN` identified person, `XON` organization, `PL` location, `TS` time, `EI` order number, `NDL` person and time, `FT` text.
 * Sources: HL7 v2.5.1 chapters 2.A, 3, 4, 6, 7; IHE ITI De-Identification Handbook.
 */
const SEGMENTS: Readonly<Record<string, string>> = {
  MSH: '7TS 10EI',
  EVN: '2TS 3TS 5XCN 6TS 7XON',
  PID: '2CX 3CX 4CX 5XPN 6XPN 7TS 9XPN 11XAD 12LOC 13XTN 14XTN 18ACC 19SSN 20LIC 21CX 23LOC 29TS 33TS',
  PD1: '3XON 4XCN',
  NK1: '2XPN 4XAD 5XTN 6XTN 8TS 9TS 12CX 13XON 16TS 26XPN 30XPN 31XTN 32XAD 33CX 37SSN',
  PV1: '3PL 5CX 6PL 7XCN 8XCN 9XCN 11PL 17XCN 19CX 42PL 44TS 45TS 50CX 52XCN',
  PV2: '1PL 8TS 9TS 13XCN 14TS 17TS 23XON',
  MRG: '1CX 2CX 3ACC 4CX 5CX 6CX 7XPN',
  ORC: '2EI 3EI 4EI 7TQ 8EI 9TS 10XCN 11XCN 12XCN 13PL 14XTN 15TS 19XCN 21XON 22XAD 23XTN 24XAD 27TS',
  OBR: '2EI 3EI 6TS 7TS 8TS 10XCN 14TS 16XCN 17XTN 18EI 19EI 20EI 21EI 22TS 28XCN 29EI 32NDL 33NDL 34NDL 35NDL 36TS',
  OBX: '5OBX 14TS 16XCN 19TS 23XON 24XAD 25XCN',
  SPM: '2EI 3EI 17TS 18TS 19TS',
  SAC: '2EI 3EI 4EI 7TS',
  NTE: '3FT',
  IN1: '3CX 4XON 5XAD 6XPN 7XTN 8PLAN 9XON 10CX 11XON 12TS 13TS 14PLAN 16XPN 18TS 19XAD 29TS 30XCN 36PLAN 44XAD 49PLAN',
  IN2: '1CX 2SSN 3XCN 6PLAN 7XPN 8PLAN 9XPN 10PLAN 26PLAN 40XPN 41XTN 49XPN 52XPN 61PLAN 63XTN 64XTN',
  IN3: '2CX 3XCN 5TS 8XCN 14XCN 16XTN 19XTN 25XCN',
  GT1: '2CX 3XPN 4XPN 5XAD 6XTN 7XTN 8TS 12SSN 13TS 14TS 16XPN 17XAD 18XTN 19CX 21XON 42XPN 45XPN 46XTN 51XON',
  AL1: '6TS',
  DG1: '5TS 16XCN 19TS',
  PR1: '5TS 8XCN 11XCN 12XCN',
  ROL: '4XCN 5TS 6TS 11XAD 12XTN',
  PRT: '5XCN 8XON 9PL 10DEV 14XAD 15XTN',
  TXA: '4TS 5XCN 6TS 7TS 8TS 9XCN 10XCN 11XCN 12EI 13EI 14EI 16OTH 22XCN 23XCN',
  RXA: '3TS 4TS 10XCN 11PL 15DEV 16TS 22TS',
  RXE: '15OTH 18TS 24OTH 26LIC 32TS',
  SCH: '1EI 2EI 12XCN 13XTN 14XAD 16XCN 17XTN 18XAD 20XCN 26EI 27EI',
  FT1: '2OTH 4TS 5TS 20XCN 21XCN 23EI',
  ACC: '1TS 3LOC',
  CTD: '2XPN 3XAD 4PL 5XTN 7CX',
  STF: '2CX 3XPN 6TS 10XTN 11XAD 12TS 13TS',
  BLG: '3ACC',
  ZPI: '3XPN 5XAD',
};

const fields = new Map<string, string>();
for (const [segment, list] of Object.entries(SEGMENTS)) {
  for (const item of list.split(' ')) {
    const match = /^(\d+)(\w+)$/.exec(item);
    if (match?.[1] !== undefined && match[2] !== undefined) fields.set(`${segment}-${match[1]}`, match[2]);
  }
}

/** @returns the data type of a field, '' when nothing is known of it */
export function fieldType(segment: string, field: number): string {
  return fields.get(`${segment}-${field}`) ?? '';
}
