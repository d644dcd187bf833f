import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import type { ListKey } from '#contract/list-key.ts';
import { BIT } from './bit.ts';
import { GAP } from './character.ts';
import { lex } from './lexer.ts';
import { CELL, createTokens, type Tokens } from './tokens.ts';
import { Fingerprint, type FormHashes } from './list-fingerprint.ts';
import { sipHash } from './sip-hash.ts';
import { fold } from './view.ts';
import { hashWord } from './word-hash.ts';

/** A given and a family name in fields of their own, or a text as it stands in a list. */
export type ListedValue = string | { readonly given: string; readonly family: string };

/** What a table keeps of an entry. */
export interface EncodedEntry {
  readonly fingerprint: Fingerprint;
  /** Hashes (word-hash.ts) of the words that a match may begin or end with, for the filter. */
  readonly hashes: readonly number[];
}

const NUMBERS: ReadonlySet<Entity> = new Set<Entity>([
  'mrn',
  'ssn',
  'health_plan',
  'account',
  'license',
  'vehicle',
  'device',
  'phone',
  'fax',
  'other',
]);
const MIN_NUMBER = 5;
const MIN_DIGITS = 3;
const MIN_WORD = 2;

/** Encodes entries under one key. @returns the entry, or why it cannot be one, in words that hold nothing of it */
export function createEntryEncoder(key: ListKey, forms: FormHashes) {
  const tokens = createTokens(256);
  return (value: ListedValue, entity: Entity): EncodedEntry | string => {
    if (NUMBERS.has(entity)) return encodeNumber(key, forms, textOf(value));
    const words =
      entity === 'name' ? personWords(tokens, value) : lexWords(tokens, textOf(value)).map((word) => word.text);
    const lost = words.every((word) => word.length < MIN_WORD);
    if (lost) return 'has no word of two letters';
    if (words.length > LIMIT.listWords) return `has more than ${LIMIT.listWords} words`;
    const [first = '', last = ''] = [words[0], words.at(-1)];
    const all = entity === 'name' && words.length > 1 ? [first, words[1] ?? last] : words;
    const form = all.length === 1 ? forms.word : entity === 'name' ? forms.person : forms.phrase[all.length];
    return { fingerprint: sumOf(key, form ?? forms.word, all), hashes: words.map(hashWord) };
  };
}

function textOf(value: ListedValue): string {
  return typeof value === 'string' ? value : `${value.given} ${value.family}`;
}

function encodeNumber(key: ListKey, forms: FormHashes, text: string): EncodedEntry | string {
  const folded = fold(text.normalize('NFKC'));
  if (folded.length < MIN_NUMBER || folded.replaceAll(/\D/g, '').length < MIN_DIGITS)
    return `is no number of ${MIN_NUMBER} letters and digits or more with ${MIN_DIGITS} digits`;
  return { fingerprint: sumOf(key, forms.number, [folded]), hashes: [hashWord(folded)] };
}

function sumOf(key: ListKey, form: { low: number; high: number }, words: readonly string[]): Fingerprint {
  const sum = new Fingerprint().set(form);
  for (const word of words) sum.add(sipHash(key.words, word, { low: 0, high: 0 }));
  return sum;
}

/** A word of an entry and what the lexicon knows of it. */
interface Word {
  readonly text: string;
  readonly flags: number;
  /** A hyphen joins it to the word before. */
  readonly joined: boolean;
}

function lexWords(tokens: Tokens, text: string): readonly Word[] {
  tokens.count = 0;
  lex(text, tokens);
  const words = Array.from({ length: tokens.count }, (_, i) => {
    const [start = 0, end = 0, , flags = 0, , gap] = tokens.cells.subarray(i << CELL.BITS, (i + 1) << CELL.BITS);
    return {
      text: fold(text.slice(start, end)),
      flags,
      joined: i > 0 && gap === GAP.HYPHEN,
      clitic: gap === GAP.APOSTROPHE,
    };
  });
  return words.filter((word) => !(word.clitic && word.text === 's'));
}

/** First given name, first family name, further words of the family name; or one word. */
function personWords(tokens: Tokens, value: ListedValue): readonly string[] {
  if (typeof value !== 'string')
    return order(namesIn(lexWords(tokens, value.given)), familyIn(lexWords(tokens, value.family)));
  const [head = [], ...parts] = value.split(',').map((part) => lexWords(tokens, part));
  const given = parts.find((part) => !(head.length > 1 && isCredentials(part)) && namesIn(part).length > 0);
  if (given !== undefined) return order(namesIn(given), familyIn(head));
  const names = namesIn(head);
  let family = names.length - 1;
  // `Maria Elena Gonzalez-Lopez`: what hyphens join to the last word is family name too.
  while (family > 1 && names[family]?.joined === true) family--;
  return order(names.slice(0, 1), names.slice(Math.max(1, family)));
}

function order(given: readonly Word[], family: readonly Word[]): readonly string[] {
  return [...given.slice(0, 1), ...family].map((word) => word.text);
}

const SUFFIXES: ReadonlySet<string> = new Set(['jr', 'sr', 'ii', 'iii', 'iv']);

function isCredentials(words: readonly Word[]): boolean {
  return words.every(({ text, flags }) => (flags & BIT.CREDENTIAL) !== 0 || SUFFIXES.has(text));
}

/** Without titles and suffixes, and without initials where a whole word is left. */
function namesIn(words: readonly Word[]): readonly Word[] {
  const names = words.filter(({ text, flags }) => (flags & BIT.TITLE) === 0 && !SUFFIXES.has(text));
  const long = names.filter(({ text }) => text.length >= MIN_WORD);
  return long.length > 0 ? long : names;
}

/** Without particles before the first other word. */
function familyIn(words: readonly Word[]): readonly Word[] {
  const names = namesIn(words);
  const first = names.findIndex(({ flags }) => (flags & BIT.PARTICLE) === 0);
  return first > 0 ? names.slice(first) : names;
}
