import type { Entity } from '#contract/entity.ts';
import { BIT } from './bit.ts';
import { CLASS_OF, FOLD_OF, LETTER, learn, SILENT, UNIT_OF } from './character.ts';
import { lexiconBits } from './lexicon.ts';
import { formatSurrogate } from './surrogate.ts';
import { fold } from './view.ts';
import { hashWord } from './word-hash.ts';

/** A person, number or place that was named, and the ways it was written. */
export interface Thing {
  readonly entity: Entity;
  readonly ordinal: number;
  /** How it was written first, and the surrogate of that; most things are written in one way. */
  form: string | undefined;
  surrogate: string;
  /** Surrogates by further written forms. */
  others: Map<string, string> | undefined;
}

/** Numbers that are one thing wherever they stand, whatever their label said. */
const NUMBERS: ReadonlySet<Entity> = new Set<Entity>([
  'phone',
  'fax',
  'ssn',
  'mrn',
  'health_plan',
  'account',
  'license',
  'vehicle',
  'device',
  'other',
]);

/** More persons with the same word than this make the word alone ambiguous. */
const MAX_NAMESAKES = 8;

/** The things of one exchange, numbered in order of first appearance. */
export interface Identities {
  /**
   * The surrogate of a value; the same value written the same way always gets the same.
   * @param key what makes two values the same thing; the folded text when undefined
   * @param number whether it was written as a JSON number
   */
  surrogateFor(
    entity: Entity,
    original: string,
    key: string | undefined,
    number: boolean,
  ): { readonly surrogate: string; readonly entity: Entity; readonly isNew: boolean };
  /** Distinct things so far. */
  readonly size: number;
}

export function createIdentities(): Identities {
  const byKey = new Map<string, Map<string, Thing>>();
  const persons = new Map<string, Person[]>();
  const ordinals = new Map<Entity, number>();
  let size = 0;
  const create = (entity: Entity): Thing => {
    const ordinal = (ordinals.get(entity) ?? 0) + 1;
    ordinals.set(entity, ordinal);
    size++;
    return { entity, ordinal, form: undefined, surrogate: '', others: undefined };
  };
  return {
    get size() {
      return size;
    },
    surrogateFor(entity, original, key, number) {
      const form = number ? `${original} number` : original;
      const kind = NUMBERS.has(entity) ? 'number' : entity;
      const known = byKey.get(kind) ?? new Map<string, Thing>();
      if (known.size === 0) byKey.set(kind, known);
      // Parts of a name are one person's; the same part of another name keeps its surrogate.
      const isName = entity === 'name';
      const value = fold(isName ? original : (key ?? original)) || original;
      let thing = known.get(value);
      if (thing === undefined) {
        thing = isName ? personFor(persons, key ?? original, create) : create(entity);
        known.set(value, thing);
      }
      const given = thing.form === form ? thing.surrogate : thing.others?.get(form);
      if (given !== undefined) return { surrogate: given, entity: thing.entity, isNew: false };
      return { surrogate: addForm(thing, form), entity: thing.entity, isNew: true };
    },
  };
}

function addForm(thing: Thing, form: string): string {
  const count = thing.form === undefined ? 0 : 1 + (thing.others?.size ?? 0);
  const surrogate = formatSurrogate(thing.entity, thing.ordinal, count);
  if (count === 0) {
    thing.form = form;
    thing.surrogate = surrogate;
  } else {
    thing.others ??= new Map();
    thing.others.set(form, surrogate);
  }
  return surrogate;
}

interface Person {
  readonly thing: Thing;
  readonly words: readonly string[];
}

/** The person of a name: the one that it may mean, or a new one. */
function personFor(persons: Map<string, Person[]>, original: string, create: (entity: Entity) => Thing): Thing {
  const words = nameWords(original);
  const thing = findPerson(persons, words) ?? create('name');
  addPerson(persons, words, thing);
  return thing;
}

/** The one person that a name may mean, by the words it shares; undefined when there is none or more than one. */
function findPerson(persons: ReadonlyMap<string, Person[]>, words: readonly string[]): Thing | undefined {
  let found: Thing | undefined;
  for (const word of words) {
    const namesakes = word.length < 2 ? undefined : persons.get(word);
    if (namesakes === undefined) continue;
    for (const person of namesakes) {
      if (person.thing === found || !areCompatible(words, person.words)) continue;
      if (found !== undefined) return undefined;
      found = person.thing;
    }
  }
  return found;
}

/** Every full word of the shorter name is in the longer one, and initials fit. */
function areCompatible(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return short.every((word) =>
    long.some((other) => other === word || (Math.min(word.length, other.length) === 1 && word[0] === other[0])),
  );
}

function addPerson(persons: Map<string, Person[]>, words: readonly string[], thing: Thing): void {
  for (const word of words) {
    if (word.length < 2) continue;
    const list = persons.get(word) ?? [];
    if (list.length < MAX_NAMESAKES) list.push({ thing, words });
    persons.set(word, list);
  }
}

/** The folded words of a name without titles and credentials. */
function nameWords(original: string): readonly string[] {
  const words: string[] = [];
  if (/^[A-Za-z -]*$/.test(original)) {
    for (const each of original.toLowerCase().split(/[ -]+/)) if (each !== '' && !isTitle(each)) words.push(each);
    return words;
  }
  let word = '';
  for (let i = 0; i <= original.length; i++) {
    const code = i < original.length ? original.charCodeAt(i) : 0;
    if (UNIT_OF[code] === 0) learn(code);
    const type = CLASS_OF[code];
    if (type === LETTER) word += String.fromCharCode(FOLD_OF[code] as number);
    else if (type !== SILENT && code !== 39 && code !== 0x2019 && word !== '') {
      if (!isTitle(word)) words.push(word);
      word = '';
    }
  }
  return words;
}

function isTitle(word: string): boolean {
  return (lexiconBits(hashWord(word)) & BIT.TITLE) !== 0;
}
