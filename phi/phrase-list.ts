import { CITY_PHRASES, CLINICAL_PHRASES, FACILITY_PHRASES, STATE_PHRASES } from './words/phrases.ts';
import { hashWord } from './word-hash.ts';

export type PhraseKind = 'city' | 'state' | 'facility' | 'clinical';

export interface Phrase {
  readonly kind: PhraseKind;
  /** Hashes of the second word and on. */
  readonly rest: readonly number[];
}

const phrases = new Map<number, Phrase[]>();
for (const [kind, list] of [
  ['city', CITY_PHRASES],
  ['state', STATE_PHRASES],
  ['facility', FACILITY_PHRASES],
  ['clinical', CLINICAL_PHRASES],
] as const) {
  for (const phrase of list.split(/\s+/)) {
    const [first, ...rest] = phrase.split('_').map(hashWord);
    if (phrase === '' || first === undefined) continue;
    const known = phrases.get(first) ?? [];
    known.push({ kind, rest });
    phrases.set(first, known);
  }
}

/** Hashes of the words that begin a phrase, for the lexicon's PHRASE bit. */
export function phraseStarts(): Iterable<number> {
  return phrases.keys();
}

/** Phrases that begin with the word of a hash. */
export function phrasesFrom(hash: number): readonly Phrase[] {
  return phrases.get(hash) ?? [];
}
