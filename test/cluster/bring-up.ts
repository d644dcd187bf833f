import { withLock } from './lock.ts';
import type { ClusterPlace } from './place.ts';
import { startControlPlane } from './start-cluster.ts';
import { startNode } from './start-node.ts';

/** How much of a cluster to start. */
export interface BringUpOptions {
  /** No node: objects, policies and webhooks, but no pods. */
  readonly controlPlaneOnly?: boolean;
}

/** Starts what is missing of a cluster, one at a time in each slot; progress goes to standard error. */
export async function bringUp(place: ClusterPlace, { controlPlaneOnly = false }: BringUpOptions = {}): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`cluster: ${line}\n`);
  await withLock(`slot-${place.slot}`, async () => {
    await startControlPlane(place, say);
    if (!controlPlaneOnly) await startNode(place, say);
  });
}
