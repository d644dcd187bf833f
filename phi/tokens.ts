/**
 * The tokens of a conversation in one array, so that all that is known of a token, and of its neighbours, lies together in memory; index order
 * is text order.
 */
export interface Tokens {
  count: number;
  /** `1 << CELL.BITS` numbers for each token, see {@link CELL}. */
  cells: Int32Array;
  /** Gap bits behind the last token. */
  after: number;
}

/** Places of what is known of a token: that of the token `at` stands at `(at << CELL.BITS) + CELL.START` and so on. */
export const CELL = {
  BITS: 3,
  /** `[start, end)` in units of the segment's text. */
  START: 0,
  END: 1,
  HASH: 2,
  /** Lexicon bits (lexicon.ts). */
  FLAGS: 3,
  /** Kind, shape, label and more in one number (form.ts). */
  FORM: 4,
  /** Gap bits of what stands between this token and the one before (character.ts). */
  GAP: 5,
} as const;

/** @param size tokens expected; it grows when more come */
export function createTokens(size: number): Tokens {
  return { count: 0, cells: new Int32Array(size << CELL.BITS), after: 0 };
}

/** Makes room for twice as many tokens. */
export function growTokens(tokens: Tokens): void {
  const wider = new Int32Array(tokens.cells.length * 2);
  wider.set(tokens.cells);
  tokens.cells = wider;
}

/** For how many tokens there is room. */
export function roomOf({ cells }: Tokens): number {
  return cells.length >> CELL.BITS;
}
