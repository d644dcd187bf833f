import type { BundlePayload } from '#contract/bundle.ts';
import { isStale, refuseBundle } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import { nextTurn } from '#contract/policy-connection.ts';
import type { Policy } from '#contract/policy.ts';
import { readBounded } from './bundle-file.ts';
import type { TrustedKey } from './bundle-key.ts';
import { readTrustedKeys, trustNextKey, verifyBundle } from './bundle-key.ts';
import { createFaultReport, type FaultReport } from './fault-report.ts';

/** Whether there is a policy to decide by: none was ever verified, one is in force, or the last one is too old. */
export type BundleState = 'missing' | 'current' | 'stale';

/** What a keeper is given. */
export interface KeeperOptions {
  /** The public keys that may have signed a bundle: a JWK or a JWK Set; read anew for each. */
  readonly keyFile: string;
  /** Now, ms since the epoch. */
  readonly now: () => number;
  /** Told what is wrong, once for each cause; the last good bundle stays in force. */
  readonly onFault?: (sentence: string) => void;
}

/** Keeps the last good bundle within its age bound, wherever it came from. */
export class BundleKeeper {
  readonly #options: KeeperOptions;
  readonly #listeners = new Set<(payload: BundlePayload) => void>();
  readonly #faults: FaultReport;
  #payload: BundlePayload | null = null;
  /** From when the age of the bundle in force counts: a signer's clock that is ahead of ours must not make it last longer. */
  #since = 0;
  /** Keys that bundles named: the one that signed the bundle in force, if it is such a key, and the one that comes next. */
  #learned: readonly TrustedKey[] = [];
  /** When the bundle in force will decide otherwise by itself; ms since the epoch. */
  #turn: number | null = null;
  #warned = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#faults = createFaultReport((sentence) => options.onFault?.(sentence));
  }

  state(): BundleState {
    if (this.#payload === null) return 'missing';
    return isStale(this.#since, this.#options.now()) ? 'stale' : 'current';
  }

  /** @returns the policy to decide by at this moment; null when it is missing or stale */
  current(): Policy | null {
    return this.state() === 'current' ? (this.#payload?.policy ?? null) : null;
  }

  payload(): BundlePayload | null {
    return this.#payload;
  }

  onChange(listener: (payload: BundlePayload) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Trusts keys that an earlier process of this pod learned from verified bundles. */
  learn(keys: readonly TrustedKey[]): void {
    this.#learned = keys;
  }

  learned(): readonly TrustedKey[] {
    return this.#learned;
  }

  /**
   * Verifies a bundle and puts it in force.
   * @throws Error with half a sentence that says why it is not taken; what was in force stays so
   */
  async take(text: string): Promise<void> {
    const given = await readBounded(this.#options.keyFile, LIMIT.bundleBytes);
    if (given === null) throw new Error('the file with the keys that sign bundles is missing');
    const { payload, by } = await verifyBundle(text, [...(await readTrustedKeys(given)), ...this.#learned]);
    const refused = refuseBundle(payload, this.#payload, this.#options.now());
    if (refused !== null) throw new Error(refused);
    const next = payload.nextKey === undefined ? this.#learned.at(-1) : await trustNextKey(payload.nextKey);
    const kept = this.#learned.filter(({ kid }) => kid === by.kid && kid !== next?.kid);
    this.#learned = next === undefined ? kept : [...kept, next];
    this.#payload = payload;
    this.#since = Math.min(payload.issuedAt, this.#options.now());
    this.#warned = false;
    this.#faults.clear();
    this.#tell(payload);
    this.#warnOfAge();
  }

  /** Ends are enforced by our own clock: what was decided before one must be looked at again. */
  meetTimes(): void {
    if (this.#payload === null) return;
    if (this.#turn !== null && this.#options.now() >= this.#turn) this.#tell(this.#payload);
    this.#warnOfAge();
  }

  /** @param why half a sentence */
  refuse(why: string): void {
    this.#faults.tell(`The policy bundle was not taken: ${why}.`);
  }

  /** @param sentence a whole one */
  tell(sentence: string): void {
    this.#faults.tell(sentence);
  }

  /** The source is well: a fault that comes again is news. */
  recover(): void {
    this.#faults.clear();
  }

  close(): void {
    this.#listeners.clear();
  }

  #tell(payload: BundlePayload): void {
    const now = this.#options.now();
    const stale = this.#since + LIMIT.policyStaleMs;
    const turns = [nextTurn(payload.policy, now), stale > now ? stale : null].filter((at) => at !== null);
    this.#turn = turns.length === 0 ? null : Math.min(...turns);
    for (const listener of this.#listeners) listener(payload);
  }

  #warnOfAge(): void {
    if (this.#warned || this.#options.now() - this.#since < LIMIT.policyWarnMs) return;
    this.#warned = true;
    const [old, stale] = [LIMIT.policyWarnMs / 3_600_000, LIMIT.policyStaleMs / 3_600_000];
    this.#options.onFault?.(
      `The policy bundle in force is older than ${old} hours, and at ${stale} everything is refused: look at what signs it.`,
    );
  }
}
