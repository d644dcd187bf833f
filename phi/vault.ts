import type { Entity } from '#contract/entity.ts';
import type { Phi } from '#contract/phi.ts';

/** One surrogate of an exchange and what it stands for. */
export interface VaultEntry {
  readonly surrogate: string;
  readonly entity: Entity;
  /** Decoded text (JSON escapes resolved); restoring writes exactly this. */
  readonly original: Phi;
  /** The original was a JSON number, so its surrogate had to be put in quotes; restoring takes them away. */
  readonly number?: true;
}

/** The surrogates issued in one exchange. Holds PHI: it is sealed with the record and dies with the exchange. */
export class Vault {
  readonly #entries: readonly VaultEntry[];
  #bySurrogate: ReadonlyMap<string, VaultEntry> | undefined;

  /** @param entries of different surrogates; nobody changes them after */
  constructor(entries: readonly VaultEntry[]) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** @returns the original of exactly this surrogate, or undefined when this exchange did not issue it. */
  original(surrogate: string): Phi | undefined {
    this.#bySurrogate ??= new Map(this.#entries.map((entry) => [entry.surrogate, entry]));
    return this.#bySurrogate.get(surrogate)?.original;
  }

  /** All entries in the order they were issued; the only way out, for sealing and restoring. */
  entries(): readonly VaultEntry[] {
    return this.#entries;
  }
}
