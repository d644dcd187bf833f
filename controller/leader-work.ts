import type { Clock } from './clock.ts';

/** Work that one replica does at a time. */
export interface LeaderWork {
  readonly close: () => void;
}

/** Between two looks whether this replica leads. */
const LOOK_MS = 1_000;

/**
 * Starts work when this replica begins to lead and closes it when it ceases, until the signal aborts. Two replicas may
 * overlap for a moment: the work itself must bear that, by writing only on the condition that nobody wrote since.
 */
export async function followLeadership(
  isLeader: () => boolean,
  start: () => readonly LeaderWork[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let work: readonly LeaderWork[] | null = null;
  while (!signal.aborted) {
    if (isLeader()) work ??= start();
    else if (work !== null) {
      for (const one of work) one.close();
      work = null;
    }
    await clock.sleep(LOOK_MS, signal);
  }
  for (const one of work ?? []) one.close();
}
