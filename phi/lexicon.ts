import { BIT } from './bit.ts';
import { LEXICON_GROUPS } from './lexicon.data.ts';
import { phraseStarts } from './phrase-list.ts';
import { curatedWords } from './words/curated.ts';
import { hashWord } from './word-hash.ts';
import { decodeHashes } from './hash-list.ts';

interface Table {
  readonly keys: Int32Array;
  readonly flags: Int32Array;
  readonly labels: Uint8Array;
}

interface LookupTarget {
  readonly flags: Int32Array;
  readonly label: Uint8Array;
}

const SLOTS = 1 << 19;
let table: Table | undefined;

/** Writes the flags and label of a word into the token at an index; zeros when it is unknown. */
export function lookUp(hash: number, at: number, target: LookupTarget): void {
  const { keys, flags, labels } = (table ??= build());
  const slot = slotOf(keys, hash);
  target.flags[at] = slot < 0 ? 0 : (flags[slot] as number);
  target.label[at] = slot < 0 ? 0 : (labels[slot] as number);
}

/** @returns where a word stands in the table, -1 when it is unknown */
function slotOf(keys: Int32Array, hash: number): number {
  let slot = hash & (SLOTS - 1);
  let key = keys[slot] as number;
  while (key !== 0 && key !== hash) {
    slot = (slot + 1) & (SLOTS - 1);
    key = keys[slot] as number;
  }
  return key === 0 ? -1 : slot;
}

/** Loads the lexicon now instead of at the first text. */
export function loadLexicon(): void {
  table ??= build();
}

function build(): Table {
  const made = {
    keys: new Int32Array(SLOTS),
    flags: new Int32Array(SLOTS),
    labels: new Uint8Array(SLOTS),
  };
  for (const [bits, hashes] of LEXICON_GROUPS) {
    decodeHashes(hashes, (hash) => {
      const slot = slotFor(made, hash);
      made.flags[slot] = (made.flags[slot] as number) | bits;
    });
  }
  for (const { bits, label, words } of curatedWords()) {
    for (const word of words.split(/\s+/)) {
      if (word === '') continue;
      const slot = slotFor(made, hashWord(word));
      made.flags[slot] = (made.flags[slot] as number) | bits;
      if (label !== 0) made.labels[slot] = label;
    }
  }
  for (const hash of phraseStarts()) {
    const slot = slotFor(made, hash);
    made.flags[slot] = (made.flags[slot] as number) | BIT.PHRASE;
  }
  return made;
}

function slotFor(made: Table, hash: number): number {
  let slot = hash & (SLOTS - 1);
  while (made.keys[slot] !== 0 && made.keys[slot] !== hash) slot = (slot + 1) & (SLOTS - 1);
  made.keys[slot] = hash;
  return slot;
}

/** @returns the lexicon bits of a word, 0 when it is unknown */
export function lexiconBits(hash: number): number {
  const { keys, flags } = (table ??= build());
  const slot = slotOf(keys, hash);
  return slot < 0 ? 0 : (flags[slot] as number);
}
