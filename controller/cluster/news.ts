import type { ClusterChange } from '../ports.ts';

/** Tells listeners what changed, each kind once for all changes of one turn of the event loop. */
export interface News {
  readonly tell: (change: ClusterChange) => void;
  /** @returns the way to stop */
  readonly listen: (listener: (change: ClusterChange) => void) => () => void;
  /** Resolves with true when the test holds, tried at once and after every change; with false when the signal aborts first. */
  readonly until: (test: () => boolean, signal: AbortSignal) => Promise<boolean>;
}

export function createNews(): News {
  const listeners = new Set<(change: ClusterChange) => void>();
  const pending = new Set<ClusterChange>();
  const deliver = (): void => {
    const changes = [...pending];
    pending.clear();
    for (const change of changes) for (const listener of listeners) listener(change);
  };
  const listen = (listener: (change: ClusterChange) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    listen,
    tell: (change) => {
      if (pending.size === 0) setImmediate(deliver);
      pending.add(change);
    },
    until: (test, signal) =>
      new Promise((resolve) => {
        if (test() || signal.aborted) return resolve(test());
        const end = (held: boolean): void => {
          stop();
          signal.removeEventListener('abort', abort);
          resolve(held);
        };
        const abort = (): void => end(test());
        const stop = listen(() => test() && end(true));
        signal.addEventListener('abort', abort);
      }),
  };
}
