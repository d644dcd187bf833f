/** FNV-1a over UTF-16 units: the key of a word in every table of the engine. */
export const HASH_SEED = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;

/** @param word already folded: lower case, no diacritics, no apostrophes. @returns a 32-bit key, never 0 */
export function hashWord(word: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), HASH_PRIME);
  return hash === 0 ? 1 : hash;
}

/** A few words, asked with a token's hash; 0, what stands outside a text, is in none. */
export interface WordSet {
  has(hash: number): boolean;
}

/** @param words folded, separated by white space */
export function wordSet(words: string): WordSet {
  const hashes = words.split(/\s+/).map(hashWord);
  // A quarter full at most, so that most questions are one look.
  const size = 2 ** Math.ceil(Math.log2(4 * hashes.length));
  const last = size - 1;
  const slots = new Int32Array(size);
  for (const hash of hashes) {
    let at = hash & last;
    while (slots[at] !== 0 && slots[at] !== hash) at = (at + 1) & last;
    slots[at] = hash;
  }
  return {
    has(hash) {
      let at = hash & last;
      for (;;) {
        const slot = slots[at] as number;
        if (slot === 0) return false;
        if (slot === hash) return true;
        at = (at + 1) & last;
      }
    },
  };
}
