import type { Entity } from '#contract/entity.ts';
import { BIT } from './bit.ts';
import { CLASS_OF, FOLD_OF, KNOWN, LETTER, learn, SILENT } from './character.ts';
import { lexiconBits } from './lexicon.ts';
import { formatSurrogate } from './surrogate.ts';
import { fold } from './view.ts';
import { hashWord } from './word-hash.ts';

/** A person, number or place that was named, and the ways it was written. */
export interface Thing {
  readonly entity: Entity;
  readonly ordinal: number;
  /** Surrogate by written form. */
  readonly forms: Map<string, string>;
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

/** How a value was written. */
export interface Written {
  /** What makes two values the same thing; the folded text when undefined. */
  readonly key: string | undefined;
  /** As a JSON number. */
  readonly number: boolean;
}

/** The things of one exchange, numbered in order of first appearance. */
export interface Identities {
  /** The surrogate of a value; the same value written the same way always gets the same. */
  surrogateFor(
    entity: Entity,
    original: string,
    how: Written,
  ): { readonly surrogate: string; readonly entity: Entity; readonly isNew: boolean };
  /** Distinct things so far. */
  readonly size: number;
}

export function createIdentities(): Identities {
  const byKey = new Map<string, Thing>();
  const persons = new Map<string, Person[]>();
  const ordinals = new Map<Entity, number>();
  let size = 0;
  const create = (entity: Entity): Thing => {
    const ordinal = (ordinals.get(entity) ?? 0) + 1;
    ordinals.set(entity, ordinal);
    size++;
    return { entity, ordinal, forms: new Map() };
  };
  return {
    get size() {
      return size;
    },
    surrogateFor(entity, original, { key, number }) {
      const form = number ? `${original} number` : original;
      const canonical = keyOf(entity, original, key);
      let thing = byKey.get(canonical);
      if (thing === undefined) {
        thing = entity === 'name' ? (findPerson(persons, original) ?? create(entity)) : create(entity);
        byKey.set(canonical, thing);
        if (entity === 'name') addPerson(persons, original, thing);
      }
      const known = thing.forms.get(form);
      if (known !== undefined) return { surrogate: known, entity: thing.entity, isNew: false };
      const surrogate = formatSurrogate(thing.entity, thing.ordinal, thing.forms.size);
      thing.forms.set(form, surrogate);
      return { surrogate, entity: thing.entity, isNew: true };
    },
  };
}

function keyOf(entity: Entity, original: string, key: string | undefined): string {
  const text = key ?? (fold(original) || original);
  return `${NUMBERS.has(entity) ? 'number' : entity} ${text}`;
}

interface Person {
  readonly thing: Thing;
  readonly words: readonly string[];
}

/** The one person that a name may mean, by the words it shares; undefined when there is none or more than one. */
function findPerson(persons: ReadonlyMap<string, Person[]>, original: string): Thing | undefined {
  const words = nameWords(original);
  const found = new Set<Thing>();
  for (const word of words) {
    if (word.length < 2) continue;
    for (const person of persons.get(word) ?? []) if (areCompatible(words, person.words)) found.add(person.thing);
  }
  return found.size === 1 ? [...found][0] : undefined;
}

/** Every full word of the shorter name is in the longer one, and initials fit. */
function areCompatible(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return short.every((word) =>
    long.some((other) => other === word || (Math.min(word.length, other.length) === 1 && word[0] === other[0])),
  );
}

function addPerson(persons: Map<string, Person[]>, original: string, thing: Thing): void {
  const words = nameWords(original);
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
  let word = '';
  for (let i = 0; i <= original.length; i++) {
    const code = i < original.length ? original.charCodeAt(i) : 0;
    if (code > 127 && KNOWN[code] === 0) learn(code);
    const type = CLASS_OF[code];
    if (type === LETTER) word += String.fromCharCode(FOLD_OF[code] as number);
    else if (type !== SILENT && code !== 39 && code !== 0x2019 && word !== '') {
      words.push(word);
      word = '';
    }
  }
  return words.filter((each) => (lexiconBits(hashWord(each)) & BIT.TITLE) === 0);
}
