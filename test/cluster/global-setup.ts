import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { findCluster, removeCluster } from './namespace.ts';
import { testPlace } from './place.ts';
import { startControlPlane } from './start-cluster.ts';
import { startNode } from './start-node.ts';

/**
 * Brings the test cluster up once for all files; a running one is taken as it is and left running, one that was started
 * here goes with the tests. A run that is interrupted, or killed, leaves no more behind than one that ends.
 */
export async function setup(): Promise<() => Promise<void>> {
  const place = testPlace();
  const ranBefore = findCluster(place) !== null;
  const mark = randomBytes(8).toString('hex');
  // On a disk: images are large, and a memory file system may be small.
  const folder = join('/var/tmp', `lazaret-run-${place.slot}-${mark}`);
  startReaper([`${place.slot}`, mark, folder, ranBefore ? 'keep' : 'remove']);
  const say = (line: string): void => void process.stderr.write(`cluster: ${line}\n`);
  // What outlives the run must not carry its mark.
  if (!ranBefore) process.env['LAZARET_TEST_RUN'] = mark;
  await withLock(`slot-${place.slot}`, async () => {
    await startControlPlane(place, say);
    await startNode(place, say);
  });
  await mkdir(folder);
  process.env['LAZARET_TEST_RUN'] = mark;
  process.env['TMPDIR'] = folder;
  return async () => {
    if (!ranBefore) await withLock(`slot-${place.slot}`, () => removeCluster(place));
  };
}

/** In a session of its own, where no key of the terminal reaches it. It ends with the pipe, that is with this process. */
function startReaper(args: readonly string[]): void {
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'run-reaper.ts'), ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  const { stdin } = reaper;
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
}
