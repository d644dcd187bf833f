/** Words with what is known of them; folded (lower case, no diacritics, no apostrophes), separated by white space. */
export interface WordGroup {
  readonly bits: number;
  /** Label code (labels.ts), 0 for none. */
  readonly label: number;
  readonly words: string;
}

/** @param bits of BIT (bit.ts). @param label a code of LABEL (labels.ts) */
export function group(bits: number, words: string, label = 0): WordGroup {
  return { bits, label, words };
}
