import { compareSerials, type Serial } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { PolicyCache } from '../policy/policy-cache.ts';
import type { ClusterView, PodSummary, ProvenPod, ProveToken, SigningKeys } from '../ports.ts';
import type { BundleOutcome } from './bundle-metrics.ts';
import { BundleSigner, type SignedBundle } from './bundle-signer.ts';
import { type BundleTag, contentTag, parseTag } from './bundle-tag.ts';
import { CurrentPolicy } from './current-policy.ts';
import { awaitChange } from './await-change.ts';
import { ProofCache } from './proof-cache.ts';

/** What the desk knows of the cluster. */
export interface DeskOptions {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly prove: ProveToken;
  /** Null until the Secret was read. */
  readonly keys: () => SigningKeys | null;
  /** Ms since the epoch. */
  readonly now: () => number;
}

/** A request for a bundle. */
export interface BundleQuestion {
  readonly token: string;
  /** The serial in force at the caller, null when it has none. */
  readonly after: Serial | null;
  /** `if-none-match` as the caller sent it. */
  readonly tag: string | undefined;
  readonly waitMs: number;
  /** The caller went away. */
  readonly gone: AbortSignal;
}

/** A bundle, or why there is none. */
export type BundleAnswer =
  | { readonly outcome: 'bundle'; readonly bundle: SignedBundle }
  | { readonly outcome: Exclude<BundleOutcome, 'bundle'> };

/** Why a caller gets nothing. */
export interface NotAdmitted {
  readonly outcome: 'not_ready' | 'unproven' | 'unknown_pod' | 'unguarded';
}

interface Held {
  readonly look: () => void;
  readonly stop: AbortController;
}

interface Sent extends BundleTag {
  readonly serial: Serial;
}

/** Decides what each sidecar gets, and holds those that have what there is. */
export class BundleDesk {
  readonly #options: DeskOptions;
  readonly #proofs: ProofCache;
  readonly #policy: CurrentPolicy;
  readonly #signer: BundleSigner;
  readonly #held = new Map<string, Held>();
  #released = false;
  #looking = false;
  #due = false;
  /** The last bundle that each pod got from here, for callers that give no tag back. */
  readonly #sent = new Map<string, Sent>();

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#proofs = new ProofCache(options.prove, options.now);
    this.#policy = new CurrentPolicy(options);
    this.#signer = new BundleSigner(options.now);
    this.#policy.onChange(() => void this.#lookAll());
  }

  /**
   * Looks at everybody who is held, some at a time: a thousand signatures at once would cost memory for nothing. A change while
   * this runs is seen by a further round.
   */
  async #lookAll(): Promise<void> {
    this.#due = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#due) {
      this.#due = false;
      const held = [...this.#held.values()];
      for (let at = 0; at < held.length; at += LIMIT.bundleSlice) {
        for (const { look } of held.slice(at, at + LIMIT.bundleSlice)) look();
        await this.#signer.idle();
      }
    }
    this.#looking = false;
  }

  /** How many callers are held. */
  get held(): number {
    return this.#held.size;
  }

  /** Looks at everybody who is held, as after a change of keys. */
  wake(): void {
    this.#policy.wake();
  }

  /** Answers everybody who is held, and holds nobody from now on: this replica is about to end, and will hear of no change then. */
  release(): void {
    this.#released = true;
    for (const { stop } of this.#held.values()) stop.abort();
  }

  close(): void {
    this.release();
    this.#policy.close();
    this.#signer.close();
  }

  /** @throws when the API server does not answer */
  async answer(question: BundleQuestion): Promise<BundleAnswer> {
    const proven = await this.admit(question);
    if ('outcome' in proven) return proven;
    if (!(await this.#reach(question.after))) return { outcome: 'behind' };
    const answer = this.#offer(proven, question);
    return answer ?? this.#hold(proven, question);
  }

  /** Whose token it is, if it is that of a guarded pod. @throws when the API server does not answer */
  async admit({ token, gone }: Pick<BundleQuestion, 'token' | 'gone'>): Promise<ProvenPod | NotAdmitted> {
    const { view, keys } = this.#options;
    if (!view.synced() || keys() === null) return { outcome: 'not_ready' };
    const proven = token === '' ? null : await this.#proofs.prove(token);
    if (proven === null) return { outcome: 'unproven' };
    const pod = await this.#awaitPod(proven, gone);
    if (pod === null) return { outcome: 'unknown_pod' };
    return pod.chain === null ? { outcome: 'unguarded' } : proven;
  }

  /** A pod that was made a moment ago may be ahead of the watch. */
  async #awaitPod(proven: ProvenPod, gone: AbortSignal): Promise<PodSummary | null> {
    const known = this.#podOf(proven);
    if (known !== null) return known;
    await awaitChange(
      this.#options.view,
      () => this.#podOf(proven) !== null,
      AbortSignal.any([gone, AbortSignal.timeout(LIMIT.bundlePodMs)]),
    );
    return this.#podOf(proven);
  }

  #podOf({ namespace, name, uid }: ProvenPod): PodSummary | null {
    const pod = this.#options.view.pod(namespace, name);
    return pod?.uid === uid ? pod : null;
  }

  /** Whether we know as much as the caller; a replica whose watch is behind lists afresh once. */
  async #reach(after: Serial | null): Promise<boolean> {
    if (after === null || this.#knows(after)) return true;
    if (after.epoch === this.#options.keys()?.epoch) await this.#policy.refresh();
    return this.#knows(after);
  }

  #knows(after: Serial): boolean {
    const epoch = this.#options.keys()?.epoch;
    if (epoch === undefined) return false;
    const { revision } = this.#policy.judged(after.epoch === epoch ? after.revision : 0);
    return compareSerials(after, { epoch, revision }) <= 0;
  }

  /** @returns null when the caller has what there is */
  #offer(proven: ProvenPod, { after, tag }: BundleQuestion): BundleAnswer | null {
    const keys = this.#options.keys();
    const pod = this.#podOf(proven);
    if (keys === null) return { outcome: 'not_ready' };
    if (pod === null || pod.chain === null) return { outcome: 'unguarded' };
    const judged = this.#policy.judged();
    // A view that went back, as after a restore of the cluster, never gives a lower serial: the epoch has to grow first.
    if (after !== null && compareSerials(after, { epoch: keys.epoch, revision: judged.revision }) > 0)
      return { outcome: 'behind' };
    const compiled = this.#options.policies.compile(judged, pod);
    const has = this.#hasAlready(proven.uid, after, tag);
    const age = has === null ? 0 : this.#options.now() - has.issuedAt;
    if (has?.content === contentTag(compiled, keys) && age < LIMIT.bundleRenewMs) return null;
    const bundle = this.#signer.sign(compiled, keys, { revision: judged.revision, after: has?.issuedAt ?? 0 });
    this.#remember(proven.uid, { ...bundle.tag, serial: bundle.serial });
    return { outcome: 'bundle', bundle };
  }

  /** What the caller has: by its own tag, or else what it got from here, when its serial says that it took it. */
  #hasAlready(uid: string, after: Serial | null, tag: string | undefined): BundleTag | null {
    const named = parseTag(tag, this.#options.now());
    if (named !== null || after === null) return named;
    const sent = this.#sent.get(uid);
    return sent !== undefined && compareSerials(after, sent.serial) >= 0 ? sent : null;
  }

  #remember(uid: string, sent: Sent): void {
    this.#sent.delete(uid);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size >= LIMIT.compiledPolicies && oldest !== undefined) this.#sent.delete(oldest);
    this.#sent.set(uid, sent);
  }

  /** One request a pod is held: a new one takes the place of the last, so that no pod can fill the places of others. */
  async #hold(proven: ProvenPod, question: BundleQuestion): Promise<BundleAnswer> {
    if (question.waitMs <= 0 || this.#released) return { outcome: 'unchanged' };
    this.#held.get(proven.uid)?.stop.abort();
    const stop = new AbortController();
    let held: Held | undefined;
    try {
      return await new Promise<BundleAnswer>((resolve, reject) => {
        const look = (): void => {
          try {
            const answer = this.#offer(proven, question);
            if (answer !== null) resolve(answer);
          } catch (error) {
            reject(error);
          }
        };
        const timer = setTimeout(() => resolve({ outcome: 'unchanged' }), question.waitMs);
        stop.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve({ outcome: 'unchanged' });
        });
        held = { look, stop };
        this.#held.set(proven.uid, held);
        question.gone.addEventListener('abort', () => stop.abort(), { once: true });
        if (question.gone.aborted) stop.abort();
      });
    } finally {
      stop.abort();
      if (this.#held.get(proven.uid) === held) this.#held.delete(proven.uid);
    }
  }
}
