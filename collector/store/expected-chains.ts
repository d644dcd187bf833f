import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { STORE_LAYOUT } from '#contract/chain-layout.ts';
import { type Expected, expectedSchema, readStatement } from '#contract/chain-protocol.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { orMissing, replaceFile } from './durable-file.ts';

/** The controller's word which chains must exist, as it was last put. The collector keeps it and adds nothing. */
export class ExpectedChains {
  readonly #path: string;
  #jws: string | null = null;
  #iat: number | null = null;
  #pods: ReadonlyMap<ChainId, string> = new Map();

  private constructor(path: string) {
    this.#path = path;
  }

  /** Reads the list that lies in a store, where there is one. */
  static async load(root: string): Promise<ExpectedChains> {
    const expected = new ExpectedChains(join(root, STORE_LAYOUT.expected));
    const text = ((await orMissing(readFile(expected.#path, 'utf8'))) ?? '').trim();
    const read = readStatement(text, SIGNED_TYPE.expected, expectedSchema);
    if (read !== null) expected.#take(text, read.claim);
    return expected;
  }

  /** The signed list, or null when none was ever put. */
  get jws(): string | null {
    return this.#jws;
  }

  /** When the list was signed, in seconds since 1970; null when there is none. */
  get issuedAt(): number | null {
    return this.#iat;
  }

  /** How many chains must exist. */
  get size(): number {
    return this.#pods.size;
  }

  /** The pod (`NAMESPACE/POD`) that a chain was given to, or null when the list does not name the chain. */
  podOf(chain: ChainId): string | null {
    return this.#pods.get(chain) ?? null;
  }

  /** Keeps a verified list, durable. */
  async put(jws: string, claim: Expected): Promise<void> {
    await replaceFile(this.#path, `${jws}\n`);
    this.#take(jws, claim);
  }

  #take(jws: string, claim: Expected): void {
    this.#jws = jws;
    this.#iat = claim.iat;
    this.#pods = new Map(claim.chains.map(({ chain, pod }) => [chain, pod]));
  }
}
