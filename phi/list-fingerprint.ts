import type { ListKey } from '#contract/list-key.ts';
import { type SipKey, sipHash, type SipValue } from './sip-hash.ts';

/**
 * Fingerprints of a list's entries. An entry's is the sum of its words' keyed hashes and of one for its form, so that the order of
 * words does not matter (`Gonzalez, Maria`) and a window that moves over a text costs one hash a word.
 */

/** A form is hashed like a word; no folded word has a capital. */
const FORMS = {
  /** One word alone. */
  word: 'W',
  /** First given and first family name of a person; what stands between them does not matter. */
  person: 'P',
  /** Letters and digits of a number run together. */
  number: 'N',
} as const;

/** @param words how many, two or more */
function phraseForm(words: number): string {
  return `F${words}`;
}

/** A sum of 64-bit numbers in two halves, modulo 2^64. */
export class Fingerprint implements SipValue {
  low = 0;
  high = 0;

  set(value: SipValue): this {
    this.low = value.low;
    this.high = value.high;
    return this;
  }

  add(value: SipValue): this {
    const low = this.low + value.low;
    this.low = low >>> 0;
    this.high = (this.high + value.high + (low > 0xffff_ffff ? 1 : 0)) >>> 0;
    return this;
  }
}

/** The forms' own hashes under one key. */
export interface FormHashes {
  readonly word: SipValue;
  readonly person: SipValue;
  readonly number: SipValue;
  /** By number of words. */
  readonly phrase: readonly SipValue[];
}

/** @param most words of a phrase */
export function hashForms(key: ListKey, most: number): FormHashes {
  const hash = (form: string): SipValue => sipHash(key.words, form, { low: 0, high: 0 });
  return {
    word: hash(FORMS.word),
    person: hash(FORMS.person),
    number: hash(FORMS.number),
    phrase: Array.from({ length: most + 1 }, (_, words) => hash(phraseForm(words))),
  };
}

const scratch: SipValue = { low: 0, high: 0 };

/** The bit of a filter that belongs to a word's hash (word-hash.ts). @param bits a power of two */
export function filterBit(key: SipKey, hash: number, bits: number): number {
  return sipHash(key, String.fromCharCode(hash & 0xffff, hash >>> 16), scratch).low & (bits - 1);
}
