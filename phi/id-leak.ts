import type { Vault } from './vault.ts';

/** Shorter words stand in random ids by chance. */
const MIN_WORD = 5;

/** Shorter whole names and numbers stand in a schema by chance. */
const MIN_NAME = 7;
const NUMBERED = /^\D{0,4}(?:\d[\s().-]{0,2}){7,}$/;

/**
 * Whether an id, which must come back unchanged and so cannot be rewritten, is made of an original of this vault: words run
 * together (`call_MariaGonzalez`), any case, any separators. A word of a name counts by itself.
 * @param ids as they would leave
 */
export function isIdOfOriginal(vault: Vault, ids: readonly string[]): boolean {
  if (ids.length === 0 || vault.size === 0) return false;
  const all = ids.map(squash).join('|');
  return vault.entries().some(({ entity, original }) => {
    const text = original.reveal();
    const words = entity === 'name' ? text.split(/[^\p{L}\p{N}]+/u) : [];
    return [text, ...words].some((word) => {
      const squashed = squash(word);
      return squashed.length >= MIN_WORD && all.includes(squashed);
    });
  });
}

/**
 * Whether a name of the application's schema (a tool, a property, an enumeration's value) is made of a person's whole name or
 * of a number of this vault (`maria_gonzalez`). Single words are too often words of a schema as well (`price`, `grace`).
 * @param names as they would leave
 */
export function isNameOfOriginal(vault: Vault, names: readonly string[]): boolean {
  if (names.length === 0 || vault.size === 0) return false;
  const all = names.map(squash).join('|');
  return vault.entries().some(({ entity, original }) => {
    const text = original.reveal();
    const isWhole = entity === 'name' ? /[\p{L}]{2,}[^\p{L}]+[\p{L}]{2,}/u.test(text) : NUMBERED.test(text);
    const squashed = isWhole ? squash(text) : '';
    return squashed.length >= MIN_NAME && all.includes(squashed);
  });
}

/** Letters and digits only, lower case, diacritics taken off: ids are ASCII. */
function squash(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '');
}
