import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.ts';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Index {
  readonly manifests: readonly [Descriptor];
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Config {
  readonly config: { readonly Labels?: Readonly<Record<string, string>>; readonly Entrypoint?: readonly string[] };
  readonly rootfs: { readonly diff_ids: readonly string[] };
  readonly history?: readonly object[];
}

/** What is other in an image that is made of another. */
export interface ImageChange {
  readonly labels?: Readonly<Record<string, string>>;
  readonly entrypoint?: (words: readonly string[]) => readonly string[];
  /** A folder whose files are laid over the image's. */
  readonly layer?: string;
}

/** Writes an image's archive again with one label more: the same program under another digest, as a next release would be. @returns the new digest */
export function relabelImage(archive: string, target: string): Promise<string> {
  return deriveImage(archive, target, { labels: { 'dev.lazaret.test': 'next' } });
}

/** Writes an image's archive again with a change. @returns the new digest */
export async function deriveImage(archive: string, target: string, change: ImageChange): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const dir = await mkdtemp(`${target}-`);
  try {
    await runCommand(['tar', '-C', dir, '-xf', archive]);
    const blobs = join(dir, 'blobs/sha256');
    const index = await readJson<Index>(join(dir, 'index.json'));
    const [first] = index.manifests;
    const manifest = await readJson<Manifest>(join(blobs, sumOf(first)));
    const config = await readJson<Config>(join(blobs, sumOf(manifest.config)));
    const layer = change.layer === undefined ? [] : [await putLayer(blobs, change.layer)];
    const newConfig = await putBlob(blobs, JSON.stringify(changeConfig(config, change, layer)));
    const layers = [
      ...manifest.layers,
      ...layer.map((one) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...one })),
    ];
    const made = JSON.stringify({ ...manifest, config: { ...manifest.config, ...newConfig }, layers });
    const newManifest = await putBlob(blobs, made);
    await writeFile(join(dir, 'index.json'), JSON.stringify({ ...index, manifests: [{ ...first, ...newManifest }] }));
    await runCommand(['tar', '-C', dir, '-cf', join(dir, 'image.tar'), 'oci-layout', 'index.json', 'blobs']);
    await rename(join(dir, 'image.tar'), target);
    return newManifest.digest;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type Blob = Pick<Descriptor, 'digest' | 'size'>;

function changeConfig(config: Config, { labels, entrypoint }: ImageChange, layer: readonly Blob[]): object {
  const { Labels, Entrypoint = [] } = config.config;
  const words = entrypoint?.(Entrypoint) ?? Entrypoint;
  return {
    ...config,
    config: { ...config.config, Labels: { ...Labels, ...labels }, Entrypoint: words },
    rootfs: { ...config.rootfs, diff_ids: [...config.rootfs.diff_ids, ...layer.map(({ digest }) => digest)] },
    history: [...(config.history ?? []), ...layer.map(() => ({ created_by: 'a test' }))],
  };
}

const sumOf = ({ digest }: Descriptor): string => digest.slice('sha256:'.length);

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

/** Not compressed, so that its digest is its DiffID too. */
async function putLayer(blobs: string, folder: string): Promise<Blob> {
  const file = `${folder}.tar`;
  await runCommand(['tar', '-C', folder, '--owner=0', '--group=0', '--mtime=@0', '-cf', file, '.']);
  const blob = await putBlob(blobs, await readFile(file));
  await rm(file);
  return blob;
}

async function putBlob(blobs: string, content: string | Buffer): Promise<Blob> {
  const bytes = Buffer.from(content);
  const sum = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(blobs, sum), bytes);
  return { digest: `sha256:${sum}`, size: bytes.length };
}
