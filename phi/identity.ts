import { ENTITIES, type Entity } from '#contract/entity.ts';
import { BIT as BITS } from './bit.ts';
import { isApostrophe, learn, UNIT as UNITS, UNIT_OF as UNITS_OF } from './character.ts';
import { HashTable, type Hashed, olderOf, secretNumber } from './hash-table.ts';
import { lexiconBits } from './lexicon.ts';
import { createNamesakes } from './namesake.ts';
import { formatSurrogate } from './surrogate.ts';
import { HASH_PRIME as PRIME, HASH_SEED as SEED } from './word-hash.ts';

// Bound here: view.ts says why.
const [BIT, UNIT, UNIT_OF, HASH_PRIME, HASH_SEED] = [BITS, UNITS, UNITS_OF, PRIME, SEED];

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

/** A value that means a thing; a hash alone proves nothing. */
interface Value extends Hashed<Value> {
  readonly kind: number;
  /** What makes two values the same thing, compared folded. */
  readonly text: string;
  readonly thing: Thing;
}

/** Numbers that are one thing wherever they stand, whatever their label said. */
const NUMBERS: readonly Entity[] = [
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
];
/** Values of different kinds are different things. */
const KINDS = new Map(ENTITIES.map((entity, at) => [entity, NUMBERS.includes(entity) ? ENTITIES.length : at]));

/** The surrogate of one value. */
export interface Given {
  readonly surrogate: string;
  readonly entity: Entity;
  readonly isNew: boolean;
}

/** The things of one exchange, numbered in order of first appearance. */
export interface Identities {
  /**
   * The surrogate of a value; the same value written the same way always gets the same.
   * @param key what makes two values the same thing; the folded text when undefined
   * @param number whether it was written as a JSON number
   */
  surrogateFor(entity: Entity, original: string, key: string | undefined, number: boolean): Given;
  /** Distinct things so far. */
  readonly size: number;
}

export function createIdentities(): Identities {
  const values = new HashTable<Value>();
  const namesakes = createNamesakes<Thing>();
  const ordinals: Partial<Record<Entity, number>> = {};
  let size = 0;
  const create = (entity: Entity): Thing => {
    const ordinal = (ordinals[entity] ?? 0) + 1;
    ordinals[entity] = ordinal;
    size++;
    return { entity, ordinal, form: undefined, surrogate: '', others: undefined };
  };
  const personOf = (original: string): Thing => {
    const words = nameWords(original);
    const thing = namesakes.find(words) ?? create('name');
    namesakes.add(words, thing);
    return thing;
  };
  return {
    get size() {
      return size;
    },
    surrogateFor(entity, original, key, number) {
      const kind = KINDS.get(entity) as number;
      // Parts of a name are one person's; the same part of another name keeps its surrogate.
      const isName = entity === 'name';
      const text = isName ? original : (key ?? original);
      const hash = hashFolded(text) ^ kind;
      let thing = thingOf(values.find(hash), kind, text);
      if (thing === undefined) {
        thing = isName ? personOf(key ?? original) : create(entity);
        values.add({ hash, chain: undefined, kind, text, thing });
      }
      const form = number ? `${original} number` : original;
      const given = thing.form === form ? thing.surrogate : thing.others?.get(form);
      if (given !== undefined) return { surrogate: given, entity: thing.entity, isNew: false };
      return { surrogate: addForm(thing, form), entity: thing.entity, isNew: true };
    },
  };
}

function thingOf(newest: Value | undefined, kind: number, text: string): Thing | undefined {
  for (let value = newest; value !== undefined; value = olderOf(value))
    if (value.kind === kind && (value.text === text || isSameFolded(value.text, text))) return value.thing;
  return undefined;
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

const TOKEN = UNIT.LETTER | UNIT.DIGIT;
/** Values whose hashes are equal are compared one by one; nobody can choose such values for a seed that nobody knows. */
const OWN_SEED = secretNumber();

/** What a unit folds to; 0 where it is no letter and no digit. */
function foldedUnit(text: string, at: number): number {
  const unit = UNIT_OF[text.charCodeAt(at)] as number;
  return (unit & TOKEN) === 0 ? 0 : unit & UNIT.VALUE;
}

function hashFolded(text: string): number {
  let hash = OWN_SEED;
  for (let i = 0; i < text.length; i++) {
    const unit = UNIT_OF[text.charCodeAt(i)] as number;
    if ((unit & TOKEN) !== 0) hash = Math.imul(hash ^ (unit & UNIT.VALUE), HASH_PRIME);
  }
  return hash;
}

/** Whether two texts have the same letters and digits, case and diacritics aside. Texts without any are the same only when they are equal. */
function isSameFolded(a: string, b: string): boolean {
  let i = 0;
  let j = 0;
  let seen = false;
  for (;;) {
    while (i < a.length && foldedUnit(a, i) === 0) i++;
    while (j < b.length && foldedUnit(b, j) === 0) j++;
    if (i >= a.length || j >= b.length) return seen && i >= a.length && j >= b.length;
    if (foldedUnit(a, i++) !== foldedUnit(b, j++)) return false;
    seen = true;
  }
}

/** The hashes of a name's words without titles and credentials, each with its length class and first letter (namesake.ts). */
function nameWords(original: string): readonly number[] {
  const words: number[] = [];
  let hash = HASH_SEED;
  let length = 0;
  let first = 0;
  for (let i = 0; i <= original.length; i++) {
    const code = i < original.length ? original.charCodeAt(i) : 0;
    if (UNIT_OF[code] === 0) learn(code);
    const unit = UNIT_OF[code] as number;
    if ((unit & UNIT.LETTER) !== 0) {
      const letter = unit & UNIT.VALUE;
      if (length++ === 0) first = letter;
      hash = Math.imul(hash ^ letter, HASH_PRIME);
    } else if (length > 0 && (unit & UNIT.SILENT) === 0 && !isApostrophe(code)) {
      if ((lexiconBits(hash) & BIT.TITLE) === 0) words.push(hash, length === 1 ? -first : first);
      hash = HASH_SEED;
      length = 0;
    }
  }
  return words;
}
