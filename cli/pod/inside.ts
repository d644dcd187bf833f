// The process that is the pod's kubelet: first process of a PID namespace, so that its end is the end of everything in
// the pod, in a network namespace that is the pod's outside.
import type { Server } from 'node:net';
import type { Order, PodJob, Report } from './job.ts';
import { PodError } from './job.ts';
import { removePlaces } from './mounts.ts';
import { runInside } from './run-inside.ts';

const stopping = new AbortController();
let dir: string | undefined;

function report(message: Report, handle?: Server): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(message, handle, {}, () => resolve());
  });
}

async function run(job: PodJob): Promise<void> {
  dir = job.dir;
  try {
    const code = await runInside(job, {
      stop: stopping.signal,
      handOver: async (listener) => {
        await report({ kind: 'relay' }, listener);
        // Both processes hold the listener now; this one would accept connections that nobody serves.
        listener.close();
      },
    });
    await report({ kind: 'ended', code });
  } catch (error) {
    const sentence =
      error instanceof PodError ? error.message : `the pod failed: ${error instanceof Error ? error.message : ''}`;
    await report({ kind: 'failed', sentence });
  }
  process.disconnect?.();
}

process.on('message', (order: Order) => {
  if (order.kind === 'start') void run(order.job);
  else stopping.abort(order.signal);
});

// The caller is gone, or everything is done: either way this namespace ends here, and the kernel takes the rest.
process.on('disconnect', () => {
  if (dir !== undefined) removePlaces(dir);
  process.exit(0);
});

// The terminal sends these to everyone; the caller's process decides what they mean and says so in an order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => undefined);

void report({ kind: 'hello' });
