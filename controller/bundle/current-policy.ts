import { LIMIT } from '#contract/limit.ts';
import type { JudgedPolicy } from '../policy/judge.ts';
import type { PolicyCache } from '../policy/policy-cache.ts';
import type { ClusterView } from '../ports.ts';

/** What the current policy is made from. */
export interface CurrentPolicyOptions {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly now: () => number;
}

/**
 * The policy in force, read at most every `LIMIT.policyReadMs` while resources change, and the call that wakes those who wait for
 * a change. Its revision is always that of the inputs it was made of.
 */
export class CurrentPolicy {
  readonly #options: CurrentPolicyOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  #judged: JudgedPolicy | null = null;
  #readAt = 0;
  #due = true;
  #wokenAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #refreshing: Promise<void> | null = null;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CurrentPolicyOptions) {
    this.#options = options;
    this.#stop = options.view.onChange((change) => {
      if (change === 'policy') this.#wakeAt(this.#readAt + LIMIT.policyReadMs);
      if (change === 'pods') this.#wakeAt(this.#wokenAt + LIMIT.podLookMs);
    });
  }

  /** @param least a revision that the answer must not be older than, where the view has it */
  judged(least = 0): JudgedPolicy {
    const now = this.#options.now();
    const age = now - this.#readAt;
    const fresh = !this.#due && age >= 0 && age < LIMIT.policyReadMs;
    if (this.#judged !== null && fresh && this.#judged.revision >= least) return this.#judged;
    const judged = this.#options.policies.judge(this.#options.view.policy());
    this.#judged = judged;
    this.#readAt = now;
    this.#due = false;
    return judged;
  }

  /** Lists the resources afresh, once for all who ask at the same time and not more often than `LIMIT.policyRefreshMs`. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null) return this.#refreshing;
    const age = this.#options.now() - this.#refreshedAt;
    if (age >= 0 && age < LIMIT.policyRefreshMs) return Promise.resolve();
    this.#refreshing = this.#options.view.refreshPolicy().finally(() => {
      this.#refreshing = null;
      this.#refreshedAt = this.#options.now();
    });
    return this.#refreshing;
  }

  /** Calls back when what a caller gets may have changed. @returns the way to stop */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Wakes everybody now, as after a change of keys. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wokenAt = this.#options.now();
    this.#due = true;
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    this.#stop();
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #wakeAt(at: number): void {
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const wait = Math.min(Math.max(at - this.#options.now(), 0), LIMIT.podLookMs);
    this.#timer = setTimeout(() => this.wake(), wait).unref();
  }
}
