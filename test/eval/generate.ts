import { proseMakers } from './generate-prose.ts';
import type { GoldText } from './score.ts';

/**
 * Texts with known identifiers that public sets lack: lower case, capitals, old ages, codes beside numbers, names of many cultures that no
 * list of the engine was made from. Deterministic; `half` 0 is for tuning, 1 is reported.
 */
const FAMILY =
  'Abdulrashidov Bjarnhéðinsson Chukwuemeka Dlaminova Eshetaye Fjeldgaard Ghanbarizadeh Hosokawata Ikwuemesi Jayasuriyage Kolisnychenko Lertsirikul Mkhabelane Ngwenyama Oyelaranmi Przybylowska Quispehuaman Ranasingheva Szczepaniuk Tsegayewold Umurzakova Vaitkevičius Wickramarathna Xhelilaj Yuldashevna Zubkovskaya'.split(
    ' ',
  );
const GIVEN =
  'Oluwadamilare Þorbjörg Wojciechna Anantharaman Nkosinathi Siriwimon Yevheniya Tadesseh Kahealani Ruaridh Aurelijus Xochiquetzal Thandolwethu Gulnozakhon Hrafnkell Chidinmaka'.split(
    ' ',
  );
const TOWNS = 'Brackenwold Ashgrove Mills,Tillersby,Quarnford,Wexhollow,Dunmarrow,Saltcombe,Penhallow Cross'.split(',');

export type Part = string | readonly [type: string, value: string];

export function generate(half: 0 | 1, count = 800): readonly GoldText[] {
  const random = randomFrom(half * 7_919 + 17);
  return Array.from({ length: count }, (_, index) => build(`gen-${half}-${index}`, template(half, random)));
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function build(id: string, parts: readonly Part[]): GoldText {
  let text = '';
  const spans: { start: number; end: number; type: string }[] = [];
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      spans.push({ start: text.length, end: text.length + part[1].length, type: part[0] });
      text += part[1];
    }
  }
  return { id, text, spans };
}

function template(half: 0 | 1, random: (below: number) => number): readonly Part[] {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const digits = (length: number): string =>
    Array.from({ length }, (_, i) => (i === 0 ? 1 + random(9) : random(10))).join('');
  const name = `${pick(GIVEN)} ${pick(FAMILY)}`;
  const family = pick(FAMILY);
  const age = String(90 + random(15));
  const date = `${1 + random(12)}/${1 + random(28)}/${2010 + random(15)}`;
  const phone = `(${digits(3)}) 555-${digits(4)}`;
  const makers: readonly (() => readonly Part[])[] = [
    () => ['Patient ', ['NAME', name], ' (MRN ', ['MRN', digits(7)], ') seen on ', ['DATE', date], ' for cough.'],
    () => [
      'pt ',
      ['NAME', `${pick(['john', 'maria', 'karen'])} ${pick(['smith', 'lopez', 'nguyen'])}`],
      ' c/o cp since ',
      ['DATE', date],
    ],
    () => ['PATIENT: ', ['NAME', name.toUpperCase()], '\nDOB: ', ['DATE', date]],
    () => ['A ', ['AGE', age], '-year-old woman with hip fracture.'],
    () => ['Dr. ', ['NAME', family], ' will call you at ', ['PHONE', phone], '.'],
    () => ['He lives in ', ['LOCATION', pick(TOWNS)], ' and works nights.'],
    () => ['Seen at ', ['LOCATION', `${pick(TOWNS)} General Hospital`], ' last week.'],
    () => [
      'PID|1||',
      ['MRN', digits(8)],
      '^^^H^MR||',
      ['NAME', `${family.toUpperCase()}^${pick(GIVEN).toUpperCase()}`],
      '||',
      ['DATE', '19600214'],
      '|F',
    ],
    () => ['{"patient": {"name": "', ['NAME', name], '", "mrn": "', ['MRN', digits(8)], '"}, "a1c": 7.2}'],
    () => ['Member ID: ', ['PLAN', `XQ${digits(8)}`], ', account no. ', ['ACCOUNT', digits(9)]],
    () => [
      'SSN ',
      ['SSN', `${digits(3)}-${digits(2)}-${digits(4)}`],
      ' on file; email ',
      ['EMAIL', `user${digits(3)}@example.org`],
    ],
    () => ['serial number ', ['DEVICE', `PM-${digits(5)}`], ', battery replaced'],
    () => ['BP 128/76, HR 72, temp 98.6, SpO2 97%, pain 4/10, strength 5/5 throughout.'],
    () => ['Start lisinopril 10 mg daily; repeat BMP in 2 weeks. LOINC 2345-7, ICD-10 E11.9, CPT 99213.'],
    () => ["A 54-year-old man with Parkinson's disease since 2017, Foley catheter, positive Romberg sign."],
    () => ['Compare apixaban and warfarin for atrial fibrillation in chronic kidney disease stage 4.'],
    () => ['ASSESSMENT: COPD GOLD 3. PLAN: Continue Spiriva. RTC 3 months.'],
  ];
  const all = [...makers, ...proseMakers(half, random)];
  return all[random(all.length)]?.() ?? [];
}
