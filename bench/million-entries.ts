import { createListBuilder } from '#cli/list-builder.ts';
import { deriveListKey, type ListKey } from '#contract/list-key.ts';

const ENTRIES = 1_000_000;
/** The secret of lists of the bench. */
export const LIST_SECRET = 'the bench needs no secret that anybody could not guess';

/** A table of a million invented persons and record numbers. @param from the first number: another one makes another table */
export function buildMillion(from = 10_000_000): ReturnType<ReturnType<typeof createListBuilder>['finish']> {
  const builder = createListBuilder(listKey());
  for (let i = 0; i < ENTRIES / 2; i++) {
    builder.add({ given: wordOf(i), family: wordOf(31 * i + 17 * Math.floor(i / 65_536)) }, 'name');
    builder.add(String(from + i * 13), 'mrn');
  }
  return builder.finish();
}

export function listKey(): ListKey {
  const key = deriveListKey(LIST_SECRET);
  if (key === null) throw new Error('no key');
  return key;
}

const SYLLABLES = 'ka lo mi ren tov as ur bel dor fin gal hes ix jun kel mor'.split(' ');

function wordOf(number: number): string {
  let word = '';
  for (let rest = number % 65_536, i = 0; i < 4; i++, rest = Math.floor(rest / 16)) word += SYLLABLES[rest % 16];
  return word;
}
