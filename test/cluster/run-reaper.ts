// Ends what a run of tests left, however the run ended: node run-reaper.ts MARK FOLDER SLOT...
// Clusters in the slots are the run's own.
// The run holds the other end of this process's standard input: when that closes, nobody of the run is there any more to clean up.
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { withLock } from './lock.ts';
import { killIfThere, removeCluster } from './namespace.ts';
import { clusterPlace } from './place.ts';
import { waitFor } from './wait-for.ts';

/** Processes that were started with the run's mark in their environment. */
function markedProcesses(mark: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(`LAZARET_TEST_RUN=${mark}`);
      } catch {
        // It ended in between.
        return false;
      }
    })
    .map(Number);
}

const [mark = '', folder = '', ...slots] = process.argv.slice(2);
for await (const _ of process.stdin);
for (const pid of markedProcesses(mark)) killIfThere(pid);
for (const slot of slots) {
  const place = clusterPlace(Number(slot));
  // On a busy machine the end of a namespace can take longer than one try waits. Nobody starts a new one in between.
  const remove = (): Promise<true> => removeCluster(place).then(() => true);
  await withLock(`slot-${slot}`, () => waitFor('the end of the cluster', remove, 300));
}
await rm(folder, { recursive: true, force: true });
