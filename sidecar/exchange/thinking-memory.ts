import { createHmac } from 'node:crypto';
import { LIMIT } from '#contract/limit.ts';
import { findLookalikes } from '#phi/surrogate.ts';
import type { Vault } from '#phi/vault.ts';

/**
 * Remembers what the surrogates in signed thinking stood for. Thinking comes back byte for byte, with the numbers of the
 * exchange that it was written in; when the application has cut or edited its history meanwhile, the same number may now be
 * another person (T3). A provider that reasons on with it would be answered with the wrong patient, so that is refused.
 * Only keyed digests are kept, in memory: neither text nor originals.
 */
export class ThinkingMemory {
  readonly #key: Uint8Array;
  readonly #known = new Map<string, string>();

  /** @param key random, and gone with the process */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Takes in the thinking of an answer, under the vault of its exchange. Thinking without surrogates needs no memory. */
  remember(thinking: string, vault: Vault): void {
    const meaning = this.#meaning(thinking, vault);
    if (meaning === null) return;
    const name = this.#digest(thinking);
    this.#known.delete(name);
    this.#known.set(name, meaning);
    const [oldest] = this.#known.keys();
    if (this.#known.size > LIMIT.thinkingBlocks && oldest !== undefined) this.#known.delete(oldest);
  }

  /**
   * Whether thinking that comes back still means what it meant. Of thinking that this process has not seen, every
   * surrogate must at least be one of this exchange.
   */
  holds(thinking: string, vault: Vault): boolean {
    const meaning = this.#meaning(thinking, vault);
    if (meaning === null) return true;
    const known = this.#known.get(this.#digest(thinking));
    if (known !== undefined) return known === meaning;
    return surrogatesIn(thinking).every((surrogate) => vault.original(surrogate) !== undefined);
  }

  /** What the surrogates in a text stand for, as one digest; null when there are none. */
  #meaning(thinking: string, vault: Vault): string | null {
    const surrogates = surrogatesIn(thinking);
    if (surrogates.length === 0) return null;
    return this.#digest(
      JSON.stringify(surrogates.map((surrogate) => [surrogate, vault.original(surrogate)?.reveal() ?? null])),
    );
  }

  #digest(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

function surrogatesIn(text: string): readonly string[] {
  const found = new Set<string>();
  findLookalikes(text, (start, end) => found.add(text.slice(start, end)));
  return [...found];
}

/** Gathers the thinking of one streamed answer, block by block. */
export class ThinkingBlocks {
  readonly #blocks = new Map<string, string>();
  #chars = 0;

  /** @param block the block's index; null for a whole text */
  add(text: string, block: string | null): void {
    this.#chars += text.length;
    // What is not remembered is judged more strictly when it comes back, so a bound may end the gathering.
    if (this.#chars > LIMIT.thinkingChars) return;
    const name = block ?? `whole ${this.#blocks.size}`;
    this.#blocks.set(name, (this.#blocks.get(name) ?? '') + text);
  }

  all(): readonly string[] {
    return [...this.#blocks.values()];
  }
}
