/** Time and waiting, passed in so that every boundary can be tested. */
export interface Clock {
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Ends early, without throwing, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
