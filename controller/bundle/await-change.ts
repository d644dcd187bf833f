import type { ClusterView } from '../ports.ts';

/** Waits until a fact about the cluster holds, or until it is given up. The caller looks at the fact again afterwards. */
export async function awaitChange(view: ClusterView, holds: () => boolean, given: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stop();
      given.removeEventListener('abort', done);
      resolve();
    };
    const stop = view.onChange(() => {
      if (holds()) done();
    });
    given.addEventListener('abort', done);
    if (given.aborted || holds()) done();
  });
}
