/** 32 bits of this process alone. */
export function secretNumber(): number {
  return crypto.getRandomValues(new Int32Array(1))[0] as number;
}

/** What a {@link HashTable} holds. */
export interface Hashed<T> {
  readonly hash: number;
  /** The next thing of the same slot, whatever its hash; only the table writes it. */
  chain: T | undefined;
}

const FIRST_SLOTS = 64;
/**
 * An odd number that nobody knows (multiplicative hashing, Dietzfelbinger et al. 1997): whoever writes a prompt cannot choose words that come into one
 * slot, where each would be compared with all.
 */
const SPREAD = secretNumber() | 1;
const EMPTY = Array.from({ length: FIRST_SLOTS }, () => undefined);

/**
 * Things by a 32-bit hash, several of one hash too, newest first. Most examinations hold a few dozen of them for a fraction of a millisecond,
 * where a `Map` costs more to make and to fill than to ask.
 */
export class HashTable<T extends Hashed<T>> {
  // A copy: quicker than to fill a new one.
  #slots: (T | undefined)[] = [...EMPTY];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns the newest thing of a hash */
  find(hash: number): T | undefined {
    return sameHash(this.#slots[slotOf(hash, this.#slots.length)], hash);
  }

  add(thing: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#size++;
    link(this.#slots, thing);
  }

  #grow(): void {
    const wider = Array.from<T | undefined>({ length: this.#slots.length * 4 });
    for (const slot of this.#slots) {
      let oldest: T | undefined;
      for (let each = slot; each !== undefined; ) {
        const next: T | undefined = each.chain;
        each.chain = oldest;
        oldest = each;
        each = next;
      }
      for (let each = oldest; each !== undefined; ) {
        const next: T | undefined = each.chain;
        link(wider, each);
        each = next;
      }
    }
    this.#slots = wider;
  }
}

/** The next older thing of the same hash. */
export function olderOf<T extends Hashed<T>>(thing: T): T | undefined {
  return sameHash(thing.chain, thing.hash);
}

function sameHash<T extends Hashed<T>>(first: T | undefined, hash: number): T | undefined {
  let each = first;
  while (each !== undefined && each.hash !== hash) each = each.chain;
  return each;
}

function link<T extends Hashed<T>>(slots: (T | undefined)[], thing: T): void {
  const at = slotOf(thing.hash, slots.length);
  thing.chain = slots[at];
  slots[at] = thing;
}

/** @param count of slots, a power of two */
function slotOf(hash: number, count: number): number {
  return (Math.imul(hash, SPREAD) >>> 13) & (count - 1);
}
