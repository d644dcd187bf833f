import { withLock } from './lock.ts';
import { findCluster, removeCluster } from './namespace.ts';
import { testPlace } from './place.ts';
import { startControlPlane } from './start-cluster.ts';
import { startNode } from './start-node.ts';

/**
 * Brings the test cluster up once for all files; a running one is taken as it is and left running, one that was started
 * here goes with the tests.
 */
export async function setup(): Promise<() => Promise<void>> {
  const place = testPlace();
  const ranBefore = findCluster(place) !== null;
  const say = (line: string): void => void process.stderr.write(`cluster: ${line}\n`);
  await withLock(`slot-${place.slot}`, async () => {
    await startControlPlane(place, say);
    await startNode(place, say);
  });
  return async () => {
    if (!ranBefore) await withLock(`slot-${place.slot}`, () => removeCluster(place));
  };
}
