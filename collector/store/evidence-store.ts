import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { isChainId } from '#contract/chain.ts';
import { CHAIN_LAYOUT, chainFolder, STORE_LAYOUT } from '#contract/chain-layout.ts';
import {
  type Attestation,
  type EnrolClaim,
  jwksSchema,
  manifestSchema,
  type PublicJwks,
  readStatement,
  type Receipt,
} from '#contract/chain-protocol.ts';
import { parseJson, SIGNED_TYPE } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import { ChainStore, type StoredSegment } from './chain-store.ts';
import { ExpectedChains } from './expected-chains.ts';
import { makeFolder, orMissing, replaceFile } from './durable-file.ts';
import type { CollectorKey } from './signing-key.ts';

/** The pod that a key is attested for. */
export interface Enrolee {
  readonly workload: string;
  /** `NAMESPACE/POD`; null where the platform proves no pod. */
  readonly pod: string | null;
  readonly podUid: string | null;
}

interface ManifestLine {
  readonly chain: ChainId;
  readonly seq: number;
  readonly head: string;
}

/** The collector's evidence on a volume: chains, and what the collector signed about them. */
export class EvidenceStore {
  /** The chains that must exist, as the controller put them. */
  readonly expected: ExpectedChains;
  readonly #root: string;
  readonly #key: CollectorKey;
  readonly #now: () => number;
  readonly #chains = new Map<ChainId, Promise<ChainStore>>();
  readonly #lines = new Map<ChainId, ManifestLine>();
  /** Receipts that are signed and not yet written beside their chain. */
  readonly #fresh = new Map<ChainId, string>();
  #jwks: PublicJwks = { keys: [] };
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(root: string, key: CollectorKey, options: { now: () => number; expected: ExpectedChains }) {
    this.expected = options.expected;
    this.#root = root;
    this.#key = key;
    this.#now = options.now;
  }

  /**
   * Opens a store, or begins one.
   * @param now seconds since 1970
   * @param onFault told when signed statements could not be written; evidence itself is not affected
   */
  static async open(
    root: string,
    key: CollectorKey,
    options: { readonly now: () => number; readonly onFault: () => void },
  ): Promise<EvidenceStore> {
    await makeFolder(root);
    const expected = await ExpectedChains.load(root);
    const store = new EvidenceStore(root, key, { now: options.now, expected });
    await makeFolder(join(root, STORE_LAYOUT.chains));
    await store.#publishKey();
    await store.#readManifest();
    store.#timer = setInterval(() => void store.flush().catch(options.onFault), LIMIT.manifestMs).unref();
    return store;
  }

  /** Every public key this store's statements were signed with, and those that the controller signs its list with. */
  get jwks(): PublicJwks {
    return this.#jwks;
  }

  /** The collector's own keys: the only ones that a pod may take a receipt from. */
  get ownKeys(): PublicJwks {
    return { keys: this.#jwks.keys.filter(({ signs }) => signs === undefined) };
  }

  /** The controller's keys, the newest last. */
  get controllerKeys(): PublicJwks {
    return { keys: this.#jwks.keys.filter(({ signs }) => signs !== undefined) };
  }

  /** Publishes keys that the controller signs with, durable; the caller has proven that they are the controller's. */
  async trustController({ keys }: PublicJwks): Promise<void> {
    const fresh = new Set(keys.map(({ kid }) => kid));
    if (keys.every(({ kid }) => this.#jwks.keys.some((known) => known.kid === kid))) return;
    const earlier = this.controllerKeys.keys.filter(({ kid }) => !fresh.has(kid));
    const own = this.ownKeys.keys.filter(({ kid }) => !fresh.has(kid));
    await this.#publish([...own, ...[...earlier, ...keys].slice(-LIMIT.controllerKeys)]);
  }

  /** @returns the manifest as of now, signed; null when nothing was ever stored */
  async manifest(): Promise<string | null> {
    await this.flush();
    return (await orMissing(readFile(join(this.#root, STORE_LAYOUT.manifest), 'utf8')))?.trim() ?? null;
  }

  /** @returns the chain's store. Only chains of pods that enrolled stay in memory, the least used beyond a bound do not. */
  async chain(chain: ChainId): Promise<ChainStore> {
    const loading = this.#chains.get(chain) ?? ChainStore.load(this.#root, chain);
    this.#chains.delete(chain);
    this.#chains.set(chain, loading);
    try {
      const store = await loading;
      await this.#evict();
      return store;
    } catch (error) {
      this.#chains.delete(chain);
      throw error;
    }
  }

  /** Attests a pod's key, durable. @returns the signed attestation, or null when the chain is another pod's */
  async attest(claim: EnrolClaim, kid: string, enrolee: Enrolee): Promise<string | null> {
    const { workload, pod, podUid } = enrolee;
    const named = this.expected.podOf(claim.chain);
    if (pod !== null && named !== null && named !== pod) return null;
    const statement: Attestation = {
      v: 1,
      chain: claim.chain,
      kid,
      key: claim.key,
      workload,
      ...(podUid === null ? {} : { pod_uid: podUid }),
      iat: this.#now(),
    };
    const jws = this.#key.sign(SIGNED_TYPE.attestation, statement);
    const chain = await this.chain(claim.chain);
    return chain.exclusively(async () => {
      const { owner } = chain;
      if (owner !== null && (owner.workload !== workload || owner.podUid !== podUid)) return null;
      await chain.attest(statement, jws);
      return jws;
    });
  }

  /** Signs for what is stored of a segment, durable already. @returns the receipt */
  receipt(store: ChainStore, segment: StoredSegment): string {
    const { chain, contiguous, last } = store;
    const claim: Receipt = {
      v: 1,
      chain,
      segment: segment.name,
      bytes: segment.bytes,
      up_to_seq: segment.end.seq,
      head_hash: segment.end.hash.toString('base64url'),
      contiguous_seq: contiguous.seq,
      contiguous_hash: contiguous.hash.toString('base64url'),
      iat: this.#now(),
    };
    const jws = this.#key.sign(SIGNED_TYPE.receipt, claim);
    if (last === null || segment.name >= last.name) {
      this.#fresh.set(chain, jws);
      this.#lines.set(chain, { chain, seq: claim.up_to_seq, head: claim.head_hash });
    }
    return jws;
  }

  /** Writes the last receipts and the manifest, when there is news. */
  flush(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  /** How many chains the store holds. */
  get size(): number {
    return this.#lines.size;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.flush();
  }

  async #evict(): Promise<void> {
    if (this.#chains.size <= LIMIT.collectorChains) return;
    for (const [chain, loading] of this.#chains) {
      const store = await loading.catch(() => null);
      // Two stores of one chain would not see each other's appends: one that works stays.
      if (store?.busy === true) continue;
      this.#chains.delete(chain);
      return;
    }
  }

  async #write(): Promise<void> {
    if (this.#fresh.size === 0) return;
    const fresh = [...this.#fresh];
    this.#fresh.clear();
    for (const [chain, jws] of fresh)
      await replaceFile(join(this.#root, chainFolder(chain), CHAIN_LAYOUT.receipt), `${jws}\n`);
    const manifest = { v: 1, iat: this.#now(), chains: [...this.#lines.values()] };
    await replaceFile(join(this.#root, STORE_LAYOUT.manifest), `${this.#key.sign(SIGNED_TYPE.manifest, manifest)}\n`);
  }

  /** A store outlives its collector's key: earlier keys stay published, so that what they signed stays verifiable. */
  async #publishKey(): Promise<void> {
    const path = join(this.#root, STORE_LAYOUT.jwks);
    const stored = jwksSchema.safeParse(parseJson((await orMissing(readFile(path, 'utf8'))) ?? ''));
    const earlier = stored.success ? stored.data.keys.filter(({ kid }) => kid !== this.#key.kid) : [];
    const own = { ...this.#key.public, kid: this.#key.kid, alg: 'ES256', use: 'sig' } as const;
    await this.#publish([...earlier, own]);
  }

  async #publish(keys: PublicJwks['keys']): Promise<void> {
    await replaceFile(join(this.#root, STORE_LAYOUT.jwks), `${JSON.stringify({ keys })}\n`);
    this.#jwks = { keys };
  }

  async #readManifest(): Promise<void> {
    const text = (await orMissing(readFile(join(this.#root, STORE_LAYOUT.manifest), 'utf8'))) ?? '';
    const manifest = readStatement(text.trim(), SIGNED_TYPE.manifest, manifestSchema)?.claim;
    for (const line of manifest?.chains ?? []) this.#lines.set(line.chain, line);
    // A crash may have come between a chain's first bytes and the manifest that names it.
    for (const name of await readdir(join(this.#root, STORE_LAYOUT.chains))) {
      if (!isChainId(name) || this.#lines.has(name)) continue;
      const store = await this.chain(name);
      if (store.last !== null) this.receipt(store, store.last);
    }
  }
}
