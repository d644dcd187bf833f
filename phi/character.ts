/** Classes of characters, and what a character folds to when words are compared. */

/** What stands between two tokens, as a set of bits. */
export const GAP = {
  SPACE: 1,
  NEWLINE: 2,
  COMMA: 4,
  PERIOD: 8,
  HYPHEN: 16,
  APOSTROPHE: 32,
  COLON: 64,
  SLASH: 128,
  OPEN: 256,
  CLOSE: 512,
  AT: 1024,
  HASH: 2048,
  UNDERSCORE: 4096,
  END: 8192, // ? ! ;
  OTHER: 16_384,
  PLUS: 32_768,
} as const;

export const LETTER = 1;
export const DIGIT = 2;
/** Belongs to the word it stands in and is not compared: combining marks, zero-width characters, soft hyphens. */
const SILENT = 3;

const ASCII_GAPS: Readonly<Record<string, number>> = {
  ' ': GAP.SPACE,
  '\t': GAP.SPACE | GAP.OTHER,
  '\n': GAP.NEWLINE,
  '\r': GAP.NEWLINE,
  ',': GAP.COMMA,
  '.': GAP.PERIOD,
  '-': GAP.HYPHEN,
  "'": GAP.APOSTROPHE,
  '`': GAP.APOSTROPHE,
  ':': GAP.COLON,
  '/': GAP.SLASH,
  '(': GAP.OPEN,
  '[': GAP.OPEN,
  '{': GAP.OPEN,
  '<': GAP.OPEN,
  '"': GAP.OPEN | GAP.CLOSE,
  ')': GAP.CLOSE,
  ']': GAP.CLOSE,
  '}': GAP.CLOSE,
  '>': GAP.CLOSE,
  '@': GAP.AT,
  '#': GAP.HASH,
  _: GAP.UNDERSCORE,
  '?': GAP.END,
  '!': GAP.END,
  ';': GAP.END,
  '+': GAP.PLUS,
};

/** Gap bits of a code unit that is no part of a token; 0 where it is a letter or digit. Filled for ASCII, others by {@link foldOf}. */
export const GAP_OF = new Uint16Array(65_536);
/** LETTER, DIGIT, SILENT or 0. For non-ASCII code units valid only after {@link foldOf} has seen the unit. */
export const CLASS_OF = new Uint8Array(65_536);
/** The code unit that a letter or digit compares as: lower case, without diacritics. */
export const FOLD_OF = new Uint16Array(65_536);
/** 1 where the code unit is an upper-case letter. */
const UPPER_OF = new Uint8Array(65_536);
/** All of the above in one number, for the lexer; 0 where the unit is not known yet. */
export const UNIT_OF = new Int32Array(65_536);

/** How a number of {@link UNIT_OF} is made. */
export const UNIT = {
  /** From the lowest bit on what a letter or digit folds to, or the gap bits of anything else. */
  VALUE: 0xff_ff,
  LETTER: 1 << 16,
  DIGIT: 1 << 17,
  /** An upper-case letter. */
  UPPER: 1 << 18,
  SILENT: 1 << 19,
  /** No ASCII. */
  WIDE: 1 << 20,
  /** Makes the number of a known unit not 0. */
  KNOWN: 1 << 21,
  /** No token goes on behind it: no letter, no digit, nothing silent, no apostrophe. */
  ENDS: 1 << 22,
} as const;

/** Letters of other scripts that look like Latin ones: an adversary's spelling, or a careless keyboard (UTS #39). */
const HOMOGLYPHS = 'аaеeоoрpсcхxуyіiјjѕsԁdһhαaοoρpνvιiκkτtυuεe';
const LIGATURES: Readonly<Record<string, string>> = {
  ß: 's',
  æ: 'a',
  œ: 'o',
  ø: 'o',
  đ: 'd',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
  þ: 't',
  ð: 'd',
};
const PUNCTUATION: Readonly<Record<string, number>> = {
  '‘': GAP.APOSTROPHE,
  '’': GAP.APOSTROPHE,
  ʼ: GAP.APOSTROPHE,
  '´': GAP.APOSTROPHE,
  '“': GAP.OPEN,
  '”': GAP.CLOSE,
  '«': GAP.OPEN,
  '»': GAP.CLOSE,
  '，': GAP.COMMA,
  '：': GAP.COLON,
  '＠': GAP.AT,
  '．': GAP.PERIOD,
  '／': GAP.SLASH,
};
const homoglyphs = new Map<string, string>();
for (let i = 0; i < HOMOGLYPHS.length; i += 2) homoglyphs.set(HOMOGLYPHS.charAt(i), HOMOGLYPHS.charAt(i + 1));

for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  const lower = char.toLowerCase();
  FOLD_OF[code] = lower.charCodeAt(0);
  if (lower >= 'a' && lower <= 'z') CLASS_OF[code] = LETTER;
  else if (char >= '0' && char <= '9') CLASS_OF[code] = DIGIT;
  else GAP_OF[code] = ASCII_GAPS[char] ?? GAP.OTHER;
  if (char !== lower) UPPER_OF[code] = 1;
  pack(code);
}

function pack(code: number): void {
  const type = CLASS_OF[code];
  const isToken = type === LETTER || type === DIGIT;
  UNIT_OF[code] =
    ((isToken ? FOLD_OF[code] : GAP_OF[code]) as number) |
    (type === LETTER ? UNIT.LETTER : type === DIGIT ? UNIT.DIGIT : type === SILENT ? UNIT.SILENT : 0) |
    (UPPER_OF[code] === 1 ? UNIT.UPPER : 0) |
    (code > 127 ? UNIT.WIDE : 0) |
    (isToken || type === SILENT || isApostrophe(code) ? 0 : UNIT.ENDS) |
    UNIT.KNOWN;
}

/** Whether a unit is an apostrophe that may stand inside a word. */
export function isApostrophe(code: number): boolean {
  return code === 39 || code === 0x2019;
}

/** Fills the tables for one non-ASCII code unit. @returns its number in {@link UNIT_OF} */
export function learn(code: number): number {
  const char = String.fromCharCode(code);
  FOLD_OF[code] = code;
  const punctuation = PUNCTUATION[char];
  if (punctuation !== undefined) GAP_OF[code] = punctuation;
  else if (/[\p{M}\p{Cf}]/u.test(char)) CLASS_OF[code] = SILENT;
  else if (/\p{Pd}/u.test(char) || code === 0x2212) GAP_OF[code] = GAP.HYPHEN;
  else if (/[\p{Zs}\p{Cc}]/u.test(char)) GAP_OF[code] = GAP.SPACE;
  else if (/[\p{Zl}\p{Zp}]/u.test(char)) GAP_OF[code] = GAP.NEWLINE;
  else learnToken(code, char);
  pack(code);
  return UNIT_OF[code] as number;
}

function learnToken(code: number, char: string): void {
  const plain = char.normalize('NFKD').charAt(0);
  const lower = plain.toLowerCase().charAt(0);
  const folded = homoglyphs.get(lower) ?? LIGATURES[lower] ?? lower;
  if (/\p{Nd}/u.test(char)) {
    CLASS_OF[code] = DIGIT;
    FOLD_OF[code] = plain.charCodeAt(0);
  } else if (/\p{L}/u.test(char)) {
    CLASS_OF[code] = LETTER;
    FOLD_OF[code] = folded.charCodeAt(0);
    if (char.toLowerCase() !== char) UPPER_OF[code] = 1;
  } else {
    GAP_OF[code] = GAP.OTHER;
  }
}
