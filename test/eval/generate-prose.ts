import type { Part } from './generate.ts';

/**
 * Prose with what public sets lack or hold little of: identifiers that are split, spelt out or misread, addresses and towns of many
 * countries, hard negatives by class. The halves share no name, town or street; none of them is in a list of the engine by intent.
 */
const NAMES = [
  [
    'Oyelaranmi Adunni',
    'Zubkovskaya Yevheniya',
    'Hrafnkell Bjarnhéðinsson',
    'Siriwimon Lertsirikul',
    'Thandolwethu Mkhabelane',
  ],
  [
    'Kahealani Makoanui',
    'Wojciechna Szczepaniuk',
    'Gulnozakhon Umurzakova',
    'Anantharaman Jayasuriyage',
    'Xhelilaj Arbnora',
  ],
] as const;
const KNOWN = [
  ['maria gonzalez', 'david okafor', 'anna petrov'],
  ['james hernandez', 'susan nguyen', 'laura schmidt'],
] as const;
const STREETS = [
  [
    '44 Rua das Hortas',
    '12 Quarnmere Road',
    'Lindwurmgasse 17',
    'ul. Wierzbowa 8',
    'Calle de los Olmos 23',
    'Fenyves utca 14',
    'P.O. Box 7731',
  ],
  [
    '9 Avenue des Tilleuls',
    '301 Brackenwold Lane',
    'Amselweg 5',
    'Via dei Salici 40',
    'Bjørkelundveien 62',
    'Rua do Moinho 118',
    'Postfach 2204',
  ],
] as const;
const TOWNS = [
  ['Tillersby', 'Quarnford', 'Wexhollow', 'Saltcombe-on-Sea'],
  ['Dunmarrow', 'Penhallow Cross', 'Ashgrove Mills', 'Brackenwold'],
] as const;
const UNITS = ['Apt. 4', 'Suite 210', 'Apt 12B'];
const COUNTRIES = ['Portugal', 'Norway', 'Poland', 'Chile'];
const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

export function proseMakers(half: 0 | 1, random: (below: number) => number): readonly (() => readonly Part[])[] {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const name = (): string => pick(NAMES[half]);
  const known = (): readonly [string, string] => capital(pick(KNOWN[half]));
  const digits = (count: number): string => Array.from({ length: count }, () => String(random(10))).join('');
  return [
    ...noisy(known, random),
    ...spelled(known, random, pick),
    () => [
      'Please send the results to ',
      ['ADDRESS', `${pick(STREETS[half])}\n ${pick(UNITS)}\n ${pick(TOWNS[half])}\n ${pick(COUNTRIES)} ${digits(5)}`],
      '\n',
    ],
    () => ['He lives at ', ['ADDRESS', `${pick(STREETS[half])}, ${pick(TOWNS[half])}`], '.'],
    () => [
      'She grew up in ',
      ['LOCATION', pick(TOWNS[half])],
      ' and moved here from ',
      ['LOCATION', pick(TOWNS[half]).toLowerCase()],
      '.',
    ],
    () => [
      'He fell at the corner of ',
      ['ADDRESS', `${pick(TOWNS[half])} Street and ${pick(TOWNS[half])} Avenue`],
      '.',
    ],
    () => ['Dr. ', ['NAME', `${name()} PhD`], ' was told by ', ['NAME', `Mr. ${name()} Jr`], ' to wait.'],
    () => [['NAME', name()], "'s daughter called; ", ['NAME', name()], ' said yes.'],
    () => ["What's your name? ", ['NAME', name()], '\nThank you.'],
    ...negatives(pick),
  ];
}

function capital(name: string): readonly [string, string] {
  const [given = '', family = ''] = name.split(' ').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return [given, family];
}

/** Split by markup, misread by a scanner. */
function noisy(
  known: () => readonly [string, string],
  random: (below: number) => number,
): readonly (() => readonly Part[])[] {
  const split = (word: string, open: string, close: string): string =>
    `${word.slice(0, 3)}${open}${word.slice(3)}${close}`;
  return [
    () => {
      const [given, family] = known();
      const [open, close] = random(2) === 0 ? ['<b>', '</b>'] : ['<em class="x">', '</em>'];
      return [
        'Patient ',
        ['NAME', `${split(given, open ?? '', close ?? '')} ${split(family, '<i>', '</i>')}`],
        ' was seen.',
      ];
    },
    () => {
      const [given, family] = known();
      return ['Patient ', ['NAME', `${given} ${family.replace('o', '0').replace('e', 'e')}`], ' was admitted.'];
    },
    () => ['DOB ', ['DATE', `O${1 + random(9)}/l${random(3)}/19${50 + random(40)}`], ' per the scan.'],
  ];
}

/** Numbers, addresses and ages in words. */
function spelled(
  known: () => readonly [string, string],
  random: (below: number) => number,
  pick: (list: readonly string[]) => string,
): readonly (() => readonly Part[])[] {
  const words = (count: number): string => Array.from({ length: count }, () => pick(DIGITS)).join(' ');
  return [
    () => ['You can call me at ', ['PHONE', `${words(3)}, ${words(4)}`], ' after six.'],
    () => ['Her number is ', ['PHONE', `${words(3)} ${words(3)} ${words(4)}`], '.'],
    () => {
      const [given, family] = known();
      return [
        'Write to ',
        ['EMAIL', `${given.toLowerCase()} dot ${family.toLowerCase()} at example dot org`],
        ' please.',
      ];
    },
    () => ['A ', ['AGE', pick(['ninety', 'ninety-two', 'ninety four'])], ' year old man, who is well.'],
    () => ['She is in her ', ['AGE', 'nineties'], ` and walks ${1 + random(5)} miles.`],
  ];
}

/** Texts without an identifier, by class: drugs, eponyms, scales, laboratory, places in names of diseases, words, computing. */
function negatives(pick: (list: readonly string[]) => string): readonly (() => readonly Part[])[] {
  return [
    () => [
      `${pick(['Start', 'Hold', 'Continue'])} ${pick(['Brintellix', 'Xolair', 'Entresto', 'Humira'])} ${pick(['5', '10', '40'])} mg at bedtime.`,
    ],
    () => [
      `${pick(["Graves' disease", "Bell's palsy", 'Sjögren syndrome', 'a Colles fracture', 'Hashimoto thyroiditis'])} was on the differential.`,
    ],
    () => [
      `${pick(['Glasgow Coma Scale 15', 'Bristol stool chart type 4', 'New York Heart Association class II', 'Rome IV criteria'])} today.`,
    ],
    () => [`${pick(['Lyme', 'West Nile', 'Ebola', 'Marburg'])} virus testing is pending; ferritin 120, troponin 0.02.`],
    () => [`Take one or two tablets three times a day for ${pick(['five', 'seven', 'ten'])} days.`],
    () => [`MSK: full range of motion. ${pick(['Neuro', 'Psych', 'Resp'])}: Alert and oriented times three.`],
    () => [
      `A ${pick(['thirty-four', 'fifty', 'eighty-nine'])}-year-old with ${pick(['reflux', 'sciatica', 'tinnitus'])} at the corner of the jaw.`,
    ],
    () => [`Use <b>${pick(['bold', 'strong'])}</b> text and a*b notation in the ${pick(['readme', 'protocol'])}.`],
  ];
}
