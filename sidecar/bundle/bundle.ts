import { open } from 'node:fs/promises';
import type { BundlePayload } from '#contract/bundle.ts';
import { isStale, refuseBundle } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import { nextTurn } from '#contract/policy-connection.ts';
import type { Policy } from '#contract/policy.ts';
import type { TrustedKey } from './bundle-key.ts';
import { readTrustedKeys, trustNextKey, verifyBundle } from './bundle-key.ts';

/** Where the bundle lies and how it is looked at. */
export interface BundleOptions {
  /** The signed bundle: one compact JWS. */
  readonly file: string;
  /** The public keys that may have signed it: a JWK or a JWK Set. */
  readonly keyFile: string;
  /** Now, ms since the epoch. */
  readonly now: () => number;
  /** Told why a new bundle was not taken, once for each content; the last good one stays in force. */
  readonly onFault?: (sentence: string) => void;
  /** How often the file is looked at; default `LIMIT.bundlePollMs`. */
  readonly pollMs?: number;
}

/** Whether there is a policy to decide by: none was ever verified, one is in force, or the last one is too old. */
export type BundleState = 'missing' | 'current' | 'stale';

/** The policy bundle of this process. */
export interface Bundle {
  state(): BundleState;
  /** @returns the policy to decide by at this moment; null when it is missing or stale, and then everything is refused */
  current(): Policy | null;
  /** @returns the last verified bundle with serial and age, stale or not */
  payload(): BundlePayload | null;
  /**
   * Calls back when decisions may have changed: after each new bundle, and within one look after a grant or an agreement began or
   * ended or the bundle became stale. @returns the way to stop that
   */
  onChange(listener: (payload: BundlePayload) => void): () => void;
  /** Looks at the file now. @returns when what it holds was taken or not */
  check(): Promise<void>;
  /** Stops looking. The last bundle stays in force until it is stale. */
  close(): void;
}

/**
 * Opens the bundle: reads and verifies it, then looks for a new one at intervals. A missing or bad file is no error here: there is
 * no policy then, and no policy refuses.
 */
export async function openBundle(options: BundleOptions): Promise<Bundle> {
  const keeper = new BundleKeeper(options);
  await keeper.check();
  keeper.watch();
  return keeper;
}

/** Keeps the last good bundle within its age bound. */
class BundleKeeper implements Bundle {
  readonly #options: BundleOptions;
  readonly #listeners = new Set<(payload: BundlePayload) => void>();
  #payload: BundlePayload | null = null;
  #nextKey: TrustedKey | null = null;
  #seen: string | null = null;
  /** When the bundle in force will decide otherwise by itself; ms since the epoch. */
  #turn: number | null = null;
  #reported: string | null = null;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | null = null;

  constructor(options: BundleOptions) {
    this.#options = options;
  }

  state(): BundleState {
    if (this.#payload === null) return 'missing';
    return isStale(this.#payload, this.#options.now()) ? 'stale' : 'current';
  }

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

  check(): Promise<void> {
    // One look at a time: two could take their bundles in the wrong order.
    this.#checking ??= this.#look().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  watch(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(
      () => void this.check().then(() => this.watch()),
      this.#options.pollMs ?? LIMIT.bundlePollMs,
    );
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    this.#meetTurn();
    try {
      const text = await readBounded(this.#options.file);
      if (text === this.#seen) return;
      await this.#take(text);
      // What was not taken is tried again: its key, or a clock, may be set right meanwhile.
      this.#seen = text;
    } catch (error) {
      this.#report(error instanceof Error ? error.message : 'it could not be read');
    }
  }

  async #take(text: string): Promise<void> {
    const trusted = await readTrustedKeys(await readBounded(this.#options.keyFile));
    const next = await verifyBundle(text, this.#nextKey === null ? trusted : [...trusted, this.#nextKey]);
    const refused = refuseBundle(next, this.#payload, this.#options.now());
    if (refused !== null) throw new Error(refused);
    this.#nextKey = next.nextKey === undefined ? this.#nextKey : await trustNextKey(next.nextKey);
    this.#payload = next;
    this.#reported = null;
    this.#tell(next);
  }

  /** Ends are enforced by our own clock: what was decided before one must be looked at again. */
  #meetTurn(): void {
    if (this.#payload !== null && this.#turn !== null && this.#options.now() >= this.#turn) this.#tell(this.#payload);
  }

  #tell(payload: BundlePayload): void {
    const now = this.#options.now();
    const stale = payload.issuedAt + LIMIT.policyStaleMs;
    const turns = [nextTurn(payload.policy, now), stale > now ? stale : null].filter((at) => at !== null);
    this.#turn = turns.length === 0 ? null : Math.min(...turns);
    for (const listener of this.#listeners) listener(payload);
  }

  #report(why: string): void {
    if (why === this.#reported) return;
    this.#reported = why;
    this.#options.onFault?.(`The policy bundle was not taken: ${why}.`);
  }
}

/** @throws Error naming what is wrong with the file, without its content */
async function readBounded(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => {
    throw new Error('its file cannot be opened');
  });
  try {
    const { size } = await file.stat();
    if (size > LIMIT.bundleBytes) throw new Error(`its file is larger than ${LIMIT.bundleBytes} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
