import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bringUp } from './bring-up.ts';
import { holdSlot } from './hold-slot.ts';
import { withLock } from './lock.ts';
import { findCluster, removeCluster } from './namespace.ts';
import { testPlaces } from './place.ts';

/**
 * Brings the first worker's cluster up; a second one starts when a second worker does (file-setup.ts). A running one is taken as
 * it is and left running, one that was started here goes with the tests. A run that is interrupted, or killed, leaves no more behind
 * than one that ends.
 */
export async function setup(): Promise<() => Promise<void>> {
  const places = testPlaces();
  for (const { slot } of places) await holdSlot(slot);
  const ranBefore = places.filter((place) => findCluster(place) !== null);
  const ours = places.filter((place) => !ranBefore.includes(place));
  const mark = randomBytes(8).toString('hex');
  // On a disk: images are large, and a memory file system may be small.
  const folder = join('/var/tmp', `lazaret-run-${places[0]?.slot}-${mark}`);
  startReaper([mark, folder, ...ours.map(({ slot }) => `${slot}`)]);
  // What outlives the run must not carry its mark.
  for (const place of ranBefore) await bringUp(place);
  process.env['LAZARET_TEST_RUN'] = mark;
  const [first] = ours;
  if (first !== undefined) await bringUp(first);
  await mkdir(folder);
  process.env['TMPDIR'] = folder;
  return async () => {
    for (const place of ours) await withLock(`slot-${place.slot}`, () => removeCluster(place));
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
