import { begins, isAnchor } from './anchor.ts';
import { BIT } from './bit.ts';
import { FORM } from './form.ts';
import { LEXICON_GROUPS } from './lexicon.data.ts';
import { phraseStarts } from './phrase-list.ts';
import { curatedWords } from './words/curated.ts';
import { CELL, type Tokens } from './tokens.ts';
import { hashWord } from './word-hash.ts';
import { decodeHashes } from './hash-list.ts';

// Bound here: view.ts says why.
const { BITS: WIDTH, HASH, FLAGS, FORM: FORMS } = CELL;
const { ANCHOR, LETTERS } = FORM;

/** Words by hash, open addressing. */
export interface Lexicon {
  /** The high bits of each slot's hash and the word's kind in the low ones; 0 is an empty slot. The slot itself says the hash's low bits. */
  readonly slots: Int32Array;
  /** Flags of each kind; words are of few kinds. */
  readonly flags: Int32Array;
  /** The part of a word's form (form.ts) that follows from its kind: its label, and whether it may begin an identifier in lower case. */
  readonly forms: Int32Array;
}

const SLOTS = 1 << 19;
/** Words are of at most so many kinds. */
const KINDS = 1 << 10;
const HIGH = ~(KINDS - 1);
let table: Lexicon | undefined;

/** Slots of the words that were asked last: most words of a text are few words, and the table is larger than the processor's nearest cache. */
const RECENT = 4_096;
const recent = new Int32Array(RECENT);

/** From WIDE_ANCHOR to ANCHOR, as from PLAIN to ANCHOR is one. */
const WIDE_SHIFT = 10;

/**
 * Writes what the lexicon knows of the words from a token on: apart from the lexer, so that slow looks at a large table wait for one another and
 * not for the text.
 */
export function lookUpWords({ cells, count }: Tokens, from: number): void {
  const { slots, flags, forms } = loadLexicon();
  const end = count << WIDTH;
  for (let at = from << WIDTH; at < end; at += 1 << WIDTH) {
    const own = cells[at + FORMS] as number;
    const hash = cells[at + HASH] as number;
    const slot = recent[hash & (RECENT - 1)] as number;
    const found = ((slot ^ hash) & HIGH) === 0 && slot !== 0 ? slot & ~HIGH : searchKind(slots, hash);
    // A number is no word, whatever its hash.
    const kind = found * (own & LETTERS);
    const known = forms[kind] as number;
    // ANCHOR for a word of other letters where WIDE_ANCHOR says so: by shifts, without a branch.
    const wide = (known >> WIDE_SHIFT) & ~(own << 1) & ANCHOR;
    cells[at + FLAGS] = flags[kind] as number;
    cells[at + FORMS] = own | known | wide;
  }
}

/** @returns the kind of a word, 0 when it is unknown. @param hash never 0 */
function searchKind(slots: Int32Array, hash: number): number {
  let slot = 0;
  for (let at = hash & (SLOTS - 1); ; at = (at + 1) & (SLOTS - 1)) {
    slot = slots[at] as number;
    if (slot === 0 || ((slot ^ hash) & HIGH) === 0) break;
  }
  recent[hash & (RECENT - 1)] = slot === 0 ? hash & HIGH : slot;
  return slot & ~HIGH;
}

/** The lexicon, made when it is first asked for. */
function loadLexicon(): Lexicon {
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

/**
 * Puts the high bits of a key and its kind into one number, in the array of the keys; words of the same flags and label are of one kind. Kind 0
 * is an unknown word's.
 */
function pack({ keys, flags, labels }: Draft): Lexicon {
  const names: Name[] = [{ bits: 0, label: 0 }];
  // A map of small numbers for each label: to look a word up takes less than to make one number of both.
  const byLabel: Map<number, number>[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    const key = keys[slot] as number;
    if (key === 0) continue;
    const bits = flags[slot] as number;
    const label = labels[slot] as number;
    const kinds = (byLabel[label] ??= new Map(label === 0 ? [[0, 0]] : []));
    let kind = kinds.get(bits);
    if (kind === undefined) {
      kind = names.push({ bits, label }) - 1;
      kinds.set(bits, kind);
    }
    keys[slot] = (key & HIGH) | kind;
  }
  if (names.length > KINDS) throw new Error('the lexicon has more kinds of words than its slots can tell');
  return {
    slots: keys,
    flags: Int32Array.from(names, ({ bits }) => bits),
    forms: Int32Array.from(names, formOf),
  };
}

/** What words of one kind have in common. */
interface Name {
  readonly bits: number;
  readonly label: number;
}

function formOf({ bits, label }: Name): number {
  const wide = isAnchor(bits, label) ? FORM.WIDE_ANCHOR : 0;
  return (label << FORM.LABEL) | wide | (wide !== 0 && begins(bits, label) ? FORM.ANCHOR : 0);
}

/** @returns the lexicon bits of a word, 0 when it is unknown */
export function lexiconBits(hash: number): number {
  const lexicon = loadLexicon();
  return lexicon.flags[searchKind(lexicon.slots, hash)] as number;
}
