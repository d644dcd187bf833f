import type { Clock } from '#controller/clock.ts';

/** A clock that a test turns: who sleeps wakes when its time has come. */
export interface TestClock extends Clock {
  readonly advance: (ms: number) => void;
  /** How many sleep now: before turning the clock, a test waits for those that it means to wake. */
  readonly asleep: () => number;
}

export function createTestClock(start = Date.parse('2026-11-22T00:00:00Z')): TestClock {
  let now = start;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { at: now + ms, wake: resolve };
        if (signal.aborted) return resolve();
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          resolve();
        });
      }),
    asleep: () => sleepers.size,
    advance: (ms) => {
      now += ms;
      for (const sleeper of sleepers)
        if (sleeper.at <= now) {
          sleepers.delete(sleeper);
          sleeper.wake();
        }
    },
  };
}
