import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

/** 198.18.0.0/15 (RFC 2544), without the addresses that look like a network's own. */
const BASE = 198 * 2 ** 24 + 18 * 2 ** 16;
const SIZE = 2 ** 17;

/**
 * Gives every name one made address: the same in every run, and never one that another name has in this one.
 * Bounded by the range itself.
 */
export class MadeAddresses {
  readonly #byName = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** @param first names that must keep the address which their own hash gives: those that are served */
  constructor(first: readonly string[]) {
    for (const name of first) this.addressOf(name);
  }

  /** @param name in normal form; an address literal is its own address */
  addressOf(name: string): string {
    if (isIP(name) !== 0) return name;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    let offset = createHash('sha256').update(name).digest().readUInt32BE(0) % SIZE;
    while (this.#taken.has(toAddress(offset)) || isReserved(offset)) offset = (offset + 1) % SIZE;
    const address = toAddress(offset);
    this.#byName.set(name, address);
    this.#taken.add(address);
    return address;
  }
}

function isReserved(offset: number): boolean {
  const last = offset & 0xff;
  return last === 0 || last === 255;
}

function toAddress(offset: number): string {
  const value = BASE + offset;
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff].join('.');
}
