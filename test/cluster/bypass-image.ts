import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadImage } from './load-image.ts';
import { CACHE } from './place.ts';
import { runCommand } from './run-command.ts';
import { PLACE } from './test-cluster.ts';

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}
interface Manifest {
  readonly config: Descriptor;
}
interface Index {
  readonly manifests: readonly (Descriptor & { readonly annotations: Readonly<Record<string, string>> })[];
}

/**
 * Loads the base image into the node under another name, with a USER of its own.
 * @param user `UID:GID`
 */
export async function loadImageAs(name: string, user: string): Promise<void> {
  const dir = await mkdtemp(join(CACHE, 'images/impostor-'));
  try {
    await runCommand(['tar', '-C', dir, '-xf', join(CACHE, 'images/base.tar')]);
    const index = await readJson<Index>(join(dir, 'index.json'));
    const [first] = index.manifests;
    const manifest = await readJson<Manifest>(blobOf(dir, first));
    const image = await readJson<{ readonly config: object }>(blobOf(dir, manifest.config));
    const config = await putBlob(dir, { ...image, config: { ...image.config, User: user } });
    const changed = await putBlob(dir, { ...manifest, config: { ...manifest.config, ...config } });
    const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
    await writeFile(
      join(dir, 'index.json'),
      JSON.stringify({ ...index, manifests: [{ ...first, ...changed, annotations }] }),
    );
    const archive = join(dir, 'image.tar');
    await runCommand(['tar', '-C', dir, '-cf', archive, 'oci-layout', 'index.json', 'blobs']);
    await loadImage(PLACE, archive);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function blobOf(dir: string, descriptor: Descriptor | undefined): string {
  return join(dir, 'blobs', descriptor?.digest.replace(':', '/') ?? 'none');
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

async function putBlob(dir: string, value: object): Promise<Descriptor> {
  const digest = `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
  const file = blobOf(dir, { digest, size: 0 });
  await writeFile(file, JSON.stringify(value));
  return { digest, size: (await stat(file)).size };
}
