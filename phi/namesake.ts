import { HashTable, type Hashed, olderOf } from './hash-table.ts';

/** More persons with the same word than this make the word alone ambiguous. */
const MAX_NAMESAKES = 8;

/** A person as one of the names it has: each word's hash, then its first letter, negative where the word is that letter alone. */
interface Bearer<Person> extends Hashed<Bearer<Person>> {
  readonly person: Person;
  readonly words: readonly number[];
  /** Of this and the older ones. */
  readonly count: number;
}

/** Persons by the words of their names. */
export interface Namesakes<Person> {
  /** The one person that a name may mean, by the words it shares; undefined when there is none or more than one. */
  find(words: readonly number[]): Person | undefined;
  add(words: readonly number[], person: Person): void;
}

/** A word is its hash and its first letter, negative where the word is an initial. */
export function createNamesakes<Person>(): Namesakes<Person> {
  const bearers = new HashTable<Bearer<Person>>();
  return {
    find(words) {
      let found: Person | undefined;
      for (let i = 0; i < words.length; i += 2) {
        if ((words[i + 1] as number) < 0) continue;
        for (let each = bearers.find(words[i] as number); each !== undefined; each = olderOf(each)) {
          if (each.person === found || !areCompatible(words, each.words)) continue;
          if (found !== undefined) return undefined;
          found = each.person;
        }
      }
      return found;
    },
    add(words, person) {
      for (let i = 0; i < words.length; i += 2) {
        if ((words[i + 1] as number) < 0) continue;
        const hash = words[i] as number;
        const count = 1 + (bearers.find(hash)?.count ?? 0);
        if (count <= MAX_NAMESAKES) bearers.add({ hash, chain: undefined, person, words, count });
      }
    },
  };
}

/** Every full word of the shorter name is in the longer one, and initials fit. */
function areCompatible(a: readonly number[], b: readonly number[]): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  for (let i = 0; i < short.length; i += 2) if (!holds(long, short[i] as number, short[i + 1] as number)) return false;
  return true;
}

function holds(name: readonly number[], hash: number, letter: number): boolean {
  for (let i = 0; i < name.length; i += 2) {
    const other = name[i + 1] as number;
    if (name[i] === hash) return true;
    if ((letter < 0 || other < 0) && Math.abs(letter) === Math.abs(other)) return true;
  }
  return false;
}
