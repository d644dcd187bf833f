/** FNV-1a over UTF-16 units: the key of a word in every table of the engine. */
export const HASH_SEED = 0x811c9dc5 | 0;
export const HASH_PRIME = 0x01000193;

/** @param word already folded: lower case, no diacritics, no apostrophes. @returns a 32-bit key, never 0 */
export function hashWord(word: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), HASH_PRIME);
  return hash === 0 ? 1 : hash;
}

/** Keys of words that are separated by white space, to be asked with a token's hash. */
export function wordSet(words: string): ReadonlySet<number> {
  return new Set(words.split(/\s+/).map(hashWord));
}
