/** How a number of a token's form (lexer.ts) is made. */
export const FORM = {
  /** WORD, NUMBER or MIXED, in the lowest bits. */
  KIND: 3,
  /** In WORD and MIXED, and not in NUMBER. */
  LETTERS: 1,
  /** Place and bits of LOWER and its kin. */
  SHAPE: 2,
  SHAPES: 7,
  /** All ASCII letters and digits, so that folding it is at most a change of case. */
  PLAIN: 32,
  /** A recognizer may begin here. */
  ANCHOR: 64,
  /** A word of two letters or more that begins with an upper-case letter. */
  CAPITAL: 128,
  /** Place of the word's label code (lexicon.ts), 0 for none. */
  LABEL: 8,
  LABELS: 255,
  /** As ANCHOR, of a word that is written with letters beyond ASCII: it may be no English word, whatever it folds to. */
  WIDE_ANCHOR: 1 << 16,
} as const;
