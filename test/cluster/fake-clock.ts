// One program's clock, moved while it runs: Debian's libfaketime in an image of the test's own, which reads a file that the node writes.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { enterCluster, findCluster } from './namespace.ts';
import { deriveImage } from './relabelled-image.ts';
import { runCommand } from './run-command.ts';
import { kubectl, PLACE } from './test-cluster.ts';

const LIBRARY = 'libfaketimeMT.so.1';

/** Where a program's clock file stands: a volume of its pod, and the file in the program's own view. */
export interface ClockPlace {
  readonly volume: string;
  readonly file: string;
}

export const SIDECAR_CLOCK = { volume: 'lazaret-settings', file: '/run/lazaret/settings/clock' } as const;
export const COLLECTOR_CLOCK = { volume: 'tmp', file: '/tmp/clock' } as const;

/**
 * Writes a program's image again so that its wall clock can be moved; timers keep to the true one.
 * @param more further variables of the program, `NAME=VALUE`
 * @returns the new digest
 */
export async function addClock(
  archive: string,
  target: string,
  { place: { file }, more = [] }: { readonly place: ClockPlace; readonly more?: readonly string[] },
): Promise<string> {
  const layer = `${target}.layer`;
  await mkdir(join(layer, 'faketime'), { recursive: true });
  try {
    await copyFile(await findLibrary(), join(layer, 'faketime', LIBRARY));
    const variables = [
      `LD_PRELOAD=/faketime/${LIBRARY}`,
      `FAKETIME_TIMESTAMP_FILE=${file}`,
      'FAKETIME_CACHE_DURATION=1',
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
      'DONT_FAKE_MONOTONIC=1',
      ...more,
    ];
    // The image runs its program by `env`, which takes LD_PRELOAD out.
    const entrypoint = (words: readonly string[]): readonly string[] => {
      const kept = words.filter((word, i) => word !== 'LD_PRELOAD' && words[i + 1] !== 'LD_PRELOAD');
      const node = kept.indexOf('/usr/local/bin/node');
      return [...kept.slice(0, node), ...variables, ...kept.slice(node)];
    };
    return await deriveImage(archive, target, { layer, entrypoint });
  } finally {
    await rm(layer, { recursive: true, force: true });
  }
}

/** Moves the clock of a pod's program from the true time, in seconds; it follows within a second or two. */
export async function moveClock(
  namespace: string,
  pod: string,
  { volume }: ClockPlace,
  seconds: number,
): Promise<void> {
  const uid = (
    await kubectl(['get', 'pod', pod, `--namespace=${namespace}`, '--output=jsonpath={.metadata.uid}'])
  ).trim();
  const folder = join(PLACE.state, 'kubelet/pods', uid, 'volumes/kubernetes.io~empty-dir', volume);
  const offset = `${seconds < 0 ? '' : '+'}${seconds}`;
  // The volume is a mount that only the node sees.
  const inside = [...enterCluster(findCluster(PLACE) ?? 0), 'sh', '-c'];
  await runCommand([...inside, `test -d ${folder} && echo ${offset} > ${folder}/clock && chmod 644 ${folder}/clock`]);
}

async function findLibrary(): Promise<string> {
  const files = await runCommand(['dpkg', '--listfiles', 'libfaketime']);
  const found = files.split('\n').find((file) => file.endsWith(`/${LIBRARY}`));
  if (found === undefined) throw new Error('libfaketime is not here: apt-get install libfaketime');
  return found;
}
