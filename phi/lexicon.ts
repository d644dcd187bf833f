import { ANCHOR, BIT } from './bit.ts';
import { LEXICON_GROUPS } from './lexicon.data.ts';
import { phraseStarts } from './phrase-list.ts';
import { curatedWords } from './words/curated.ts';
import { hashWord } from './word-hash.ts';
import { decodeHashes } from './hash-list.ts';

/** Words by hash, open addressing. A word's key and kind stand side by side, so that a look at the table is one look at memory. */
export interface Lexicon {
  /** Key and kind of each slot in turn; a key of 0 is an empty slot. */
  readonly slots: Int32Array;
  /** Flags and label of each kind; words are of few kinds. */
  readonly flags: Int32Array;
  readonly labels: Uint8Array;
  /** 1 where a lower-case word of the kind is worth a recognizer's look: it may begin an identifier, or nothing is known of it. */
  readonly anchors: Uint8Array;
}

const SLOTS = 1 << 19;
const LAST = 2 * SLOTS - 1;
let table: Lexicon | undefined;

/** Kinds of the words that were asked last: most words of a text are few words, and the table is larger than the processor's cache. */
const RECENT = 2_048;
const recentKeys = new Int32Array(RECENT);
const recentKinds = new Uint16Array(RECENT);

/** @returns the kind of a word, 0 when it is unknown. @param hash never 0 */
export function kindOf({ slots }: Lexicon, hash: number): number {
  const recent = hash & (RECENT - 1);
  if (recentKeys[recent] === hash) return recentKinds[recent] as number;
  let slot = (hash << 1) & LAST;
  let kind = 0;
  for (;;) {
    const key = slots[slot] as number;
    if (key === hash) kind = slots[slot + 1] as number;
    if (key === hash || key === 0) break;
    slot = (slot + 2) & LAST;
  }
  recentKeys[recent] = hash;
  recentKinds[recent] = kind;
  return kind;
}

/** The lexicon, made when it is first asked for. */
export function loadLexicon(): Lexicon {
  table ??= build();
  return table;
}

interface Draft {
  readonly keys: Int32Array;
  readonly flags: Int32Array;
  readonly labels: Uint8Array;
}

function build(): Lexicon {
  const draft = { keys: new Int32Array(SLOTS), flags: new Int32Array(SLOTS), labels: new Uint8Array(SLOTS) };
  const add = (hash: number, bits: number, label: number): void => {
    const slot = slotFor(draft.keys, hash);
    draft.flags[slot] = (draft.flags[slot] as number) | bits;
    if (label !== 0) draft.labels[slot] = label;
  };
  for (const [bits, hashes] of LEXICON_GROUPS) decodeHashes(hashes, (hash) => add(hash, bits, 0));
  for (const { bits, label, words } of curatedWords()) {
    for (const word of words.split(/\s+/)) if (word !== '') add(hashWord(word), bits, label);
  }
  for (const hash of phraseStarts()) add(hash, BIT.PHRASE, 0);
  return pack(draft);
}

function slotFor(keys: Int32Array, hash: number): number {
  let slot = hash & (SLOTS - 1);
  while (keys[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (SLOTS - 1);
  keys[slot] = hash;
  return slot;
}

/** Puts keys and kinds side by side; words of the same flags and label are of one kind. Kind 0 is an unknown word's. */
function pack({ keys, flags, labels }: Draft): Lexicon {
  const slots = new Int32Array(2 * SLOTS);
  const kinds = new Map<number, number>([[0, 0]]);
  for (let slot = 0; slot < SLOTS; slot++) {
    if (keys[slot] === 0) continue;
    const name = (flags[slot] as number) * 256 + (labels[slot] as number);
    const kind = kinds.get(name) ?? kinds.size;
    if (kind === kinds.size) kinds.set(name, kind);
    slots[2 * slot] = keys[slot] as number;
    slots[2 * slot + 1] = kind;
  }
  const names = [...kinds.keys()];
  return {
    slots,
    flags: Int32Array.from(names, bitsOf),
    labels: Uint8Array.from(names, labelOf),
    anchors: Uint8Array.from(names, (name) => {
      const bits = bitsOf(name);
      return bits === 0 || labelOf(name) !== 0 || (bits & ANCHOR) !== 0 || isLoneSurname(bits) ? 1 : 0;
    }),
  };
}

/** A surname that is no English word. */
function isLoneSurname(bits: number): boolean {
  return (bits & BIT.SURNAME) !== 0 && (bits & (BIT.COMMON | BIT.STOP | BIT.CLINICAL)) === 0;
}

function bitsOf(name: number): number {
  return Math.floor(name / 256) | 0;
}

function labelOf(name: number): number {
  return name & 255;
}

/** @returns the lexicon bits of a word, 0 when it is unknown */
export function lexiconBits(hash: number): number {
  const lexicon = loadLexicon();
  return lexicon.flags[kindOf(lexicon, hash)] as number;
}
