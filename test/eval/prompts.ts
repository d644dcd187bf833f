/**
 * Prompts as a clinic's application sends them: a note and a question, no two alike, and some twenty identifiers in each, which is more than clinicians write. Everybody in them is invented.
 * Deterministic, so that a figure can be measured again.
 */
const GIVEN =
  'Marguerite Tobias Ines Rashid Wanda Kofi Leonora Piotr Delphine Arturo Mei Hamza Greta Desmond Yuki Fatou'.split(
    ' ',
  );
const FAMILY =
  'Hollander Okonkwo Brandvold Castellanos Whitcomb Adeyemi Lindqvist Marchetti Farrow Nakashima Duarte Petrov Ashdown Villareal Quigley Sorensen'.split(
    ' ',
  );
const STREETS = ['Juniper Ridge Road', 'Mill Pond Lane', 'Harbor Avenue', 'Cedar Bluff Drive', 'Old Post Road'];
const TOWNS = ['Traverse City, MI 49684', 'Bangor, ME 04401', 'Yakima, WA 98902', 'Galveston, TX 77550'];
const PROBLEMS = [
  'heart failure with reduced ejection fraction (LVEF 30%)',
  'type 2 diabetes mellitus with nephropathy, A1c 8.4%',
  'stage 3b chronic kidney disease, creatinine 1.9 mg/dL from a baseline of 1.6',
  'atrial fibrillation on apixaban 5 mg twice daily',
  'chronic obstructive pulmonary disease, GOLD 3, on home oxygen at 2 L/min',
  "Parkinson's disease diagnosed in 2017, on carbidopa-levodopa 25-100 mg",
  'rheumatoid arthritis on methotrexate 15 mg weekly',
];
const SENTENCES = [
  'On arrival blood pressure was {n2}8/92 mmHg, heart rate 10{d}, oxygen saturation 8{d}% on room air.',
  'Chest radiograph showed bilateral pleural effusions and interstitial edema without focal consolidation.',
  'Troponin was not elevated and the electrocardiogram showed sinus tachycardia with nonspecific ST changes.',
  'Intravenous furosemide {d}0 mg twice daily was given with a net loss of {d}.2 L over four days.',
  'The patient denies fever, chills, chest pain, palpitations, or recent travel, and reports good appetite.',
  'Lungs were clear to auscultation bilaterally; there was no wheezing and no use of accessory muscles.',
  'She was counselled on a low-sodium diet, daily weights, and when to call about worsening dyspnea.',
  'Potassium was {d}.4 mmol/L and was repleted; magnesium remained within the reference range throughout.',
  'Physical therapy evaluated gait and recommended a rolling walker and home exercises twice a week.',
  'Repeat basic metabolic panel in one week; continue current medications until then.',
  'Wound edges were well approximated with scant serous drainage and no surrounding erythema.',
  'Sleep remains poor, with early awakening and low mood; PHQ-9 was 1{d} at this visit.',
];
const QUESTIONS = [
  'Write a discharge letter to the primary care physician in plain prose.',
  'List the medication changes and the follow-up that is due, as a table.',
  'Explain to the patient in simple words what happened and what to watch for.',
];

const LENGTH = 4_096;

/** @returns prompts of 4,096 characters each */
export function clinicalPrompts(count: number): readonly string[] {
  const random = randomFrom(20_261);
  return Array.from({ length: count }, () => {
    let text = noteOf(random);
    while (text.length < LENGTH) text += `\n\n${noteOf(random)}`;
    // A copy of its own: a piece of a longer text would keep all of it.
    return Buffer.from(text.slice(0, LENGTH)).toString();
  });
}

type Random = (below: number) => number;

function noteOf(random: Random): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const number = (digits: number): string => String(10 ** (digits - 1) + random(9 * 10 ** (digits - 1)));
  const date = `${1 + random(12)}/${1 + random(28)}/${2019 + random(7)}`;
  const [given, family] = [pick(GIVEN), pick(FAMILY)];
  const course = Array.from({ length: 18 }, () => filled(pick(SENTENCES), random)).join(' ');
  return [
    `DISCHARGE SUMMARY\n\nPatient: ${given} ${family}    MRN: ${number(8)}    DOB: ${1 + random(12)}/${1 + random(28)}/${1935 + random(60)}`,
    `Address: ${number(4)} ${pick(STREETS)}, ${pick(TOWNS)}\nPhone: (${200 + random(700)}) 555-${number(4)}`,
    `Admitted: ${date}    Attending: Dr. ${pick(GIVEN)} ${pick(FAMILY)}\n`,
    `${family} is a ${20 + random(68)}-year-old with ${pick(PROBLEMS)} and ${pick(PROBLEMS)}. ${course}`,
    `\nFollow-up with Dr. ${pick(FAMILY)} on ${date}. ${pick(QUESTIONS)}`,
  ].join('\n');
}

function filled(sentence: string, random: Random): string {
  return sentence.replaceAll(/\{d\}|\{n2\}/g, (mark) => String(mark === '{d}' ? random(10) : 10 + random(9)));
}

/** Mulberry32. */
function randomFrom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
