import { createReadStream } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { partFolder } from './build.ts';
import { enterCluster, findCluster } from './namespace.ts';
import { CONTAINERD_SOCKET } from './node.ts';
import type { ClusterPlace } from './place.ts';
import { runCommand } from './run-command.ts';

/** Runs ctr in the namespace of images and containers that the kubelet uses. */
async function ctr(place: ClusterPlace): Promise<readonly string[]> {
  const pid = findCluster(place);
  if (pid === null) throw new Error('the test cluster does not run: npm run cluster -- up');
  const program = join(await partFolder('containerd'), 'ctr');
  return [...enterCluster(pid), program, '--address', CONTAINERD_SOCKET, '--namespace', 'k8s.io'];
}

/**
 * Takes the images of an OCI archive into the node, so that pods find them by name and by `NAME@DIGEST` without a pull
 * (`imagePullPolicy: IfNotPresent` or `Never`).
 */
export async function loadImage(place: ClusterPlace, file: string): Promise<void> {
  const words = await ctr(place);
  const before = await imageDigests(words);
  await importArchive([...words, 'images', 'import', '-'], file);
  for (const [name, digest] of await imageDigests(words)) {
    if (name.includes('@') || name.startsWith('sha256:') || before.get(name) === digest) continue;
    const tagged = `${name.replace(/:[^:/]+$/, '')}@${digest}`;
    await runCommand([...words, 'images', 'tag', '--force', name, tagged]);
  }
}

/** @returns digests by the names of all images on the node */
async function imageDigests(words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const table = await runCommand([...words, 'images', 'list']);
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  return new Map(rows.flatMap(([name, , digest]) => (name && digest ? [[name, digest] as const] : [])));
}

async function importArchive(command: readonly string[], file: string): Promise<void> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2_000)));
  const ended = once(child, 'close');
  // When ctr leaves early, its own words say more than the broken pipe.
  await pipeline(createReadStream(file), child.stdin).catch(() => undefined);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`${file} cannot be loaded: ${said.trim()}`);
}

/** Gives an image on the node a further name, so that pods that name it so need no registry of the world. */
export async function nameImage(place: ClusterPlace, image: string, name: string): Promise<void> {
  await runCommand([...(await ctr(place)), 'images', 'tag', '--force', image, name]);
}
