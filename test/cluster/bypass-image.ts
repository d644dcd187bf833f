import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
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
  readonly layers: readonly Descriptor[];
}
interface Image {
  readonly config: object;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}
interface Index {
  readonly manifests: readonly (Descriptor & { readonly annotations: Readonly<Record<string, string>> })[];
}

/**
 * Loads the base image into the node under another name, with a USER of its own. A kubelet takes no more than the uid out of USER; the
 * gid comes from the image's /etc/passwd.
 */
export async function loadImageAs(name: string, uid: number, gid: number): Promise<void> {
  const dir = await mkdtemp(join(CACHE, 'images/impostor-'));
  try {
    await runCommand(['tar', '-C', dir, '-xf', join(CACHE, 'images/base.tar')]);
    const index = await readJson<Index>(join(dir, 'index.json'));
    const [first] = index.manifests;
    const manifest = await readJson<Manifest>(blobOf(dir, first));
    const image = await readJson<Image>(blobOf(dir, manifest.config));
    const layer = await putPasswd(dir, `root:x:0:0::/:/bin/sh\nguard:x:${uid}:${gid}::/:/bin/sh\n`);
    const config = await putBlob(dir, {
      ...image,
      config: { ...image.config, User: String(uid) },
      rootfs: { ...image.rootfs, diff_ids: [...image.rootfs.diff_ids, layer.digest] },
    });
    const layers = [...manifest.layers, { ...manifest.layers[0], ...layer }];
    const changed = await putBlob(dir, { ...manifest, config: { ...manifest.config, ...config }, layers });
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

async function putPasswd(dir: string, text: string): Promise<Descriptor> {
  const folder = join(dir, 'layer');
  await mkdir(join(folder, 'etc'), { recursive: true });
  await writeFile(join(folder, 'etc/passwd'), text);
  const archive = join(dir, 'layer.tar');
  await runCommand(['tar', '-C', folder, '--owner=0', '--group=0', '-cf', archive, './etc/passwd']);
  const digest = `sha256:${createHash('sha256')
    .update(await readFile(archive))
    .digest('hex')}`;
  await rename(archive, blobOf(dir, { digest, size: 0 }));
  return { digest, size: (await stat(blobOf(dir, { digest, size: 0 }))).size };
}

async function putBlob(dir: string, value: object): Promise<Descriptor> {
  const digest = `sha256:${createHash('sha256').update(JSON.stringify(value)).digest('hex')}`;
  const file = blobOf(dir, { digest, size: 0 });
  await writeFile(file, JSON.stringify(value));
  return { digest, size: (await stat(file)).size };
}
