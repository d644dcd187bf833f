import { LIMIT } from '#contract/limit.ts';

/** Waits that grow with every fault, so that an API server that comes back is not met by all of us at once. */
export interface Backoff {
  readonly reset: () => void;
  /** Ends early when the signal aborts. */
  readonly wait: (signal: AbortSignal) => Promise<void>;
}

/** What waiting needs. */
export interface BackoffPorts {
  /** Ends early, without throwing, when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** Doubles from `LIMIT.watchRetryMs` to `LIMIT.watchBackoffMs`; half of each wait is chance. */
export function createBackoff({ sleep, random }: BackoffPorts): Backoff {
  let attempt = 0;
  return {
    reset: () => {
      attempt = 0;
    },
    wait: (signal) => {
      const whole = Math.min(LIMIT.watchBackoffMs, LIMIT.watchRetryMs * 2 ** Math.min(attempt, 16));
      attempt += 1;
      return sleep(whole / 2 + (whole / 2) * random(), signal);
    },
  };
}

/** Real waiting. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
