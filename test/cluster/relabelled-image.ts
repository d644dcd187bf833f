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
}

interface Config {
  readonly config: { readonly Labels?: Readonly<Record<string, string>> };
}

/**
 * Writes an image's archive again with one label more: the same program under another digest, as a next release would be.
 * @returns the new digest
 */
export async function relabelImage(archive: string, target: string): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  const dir = await mkdtemp(`${target}-`);
  try {
    await runCommand(['tar', '-C', dir, '-xf', archive]);
    const blobs = join(dir, 'blobs/sha256');
    const index = await readJson<Index>(join(dir, 'index.json'));
    const [first] = index.manifests;
    const manifest = await readJson<Manifest>(join(blobs, sumOf(first)));
    const config = await readJson<Config>(join(blobs, sumOf(manifest.config)));
    const labels = { ...config.config.Labels, 'dev.lazaret.test': 'next' };
    const newConfig = await putJson(blobs, { ...config, config: { ...config.config, Labels: labels } });
    const newManifest = await putJson(blobs, { ...manifest, config: { ...manifest.config, ...newConfig } });
    await writeFile(join(dir, 'index.json'), JSON.stringify({ ...index, manifests: [{ ...first, ...newManifest }] }));
    await runCommand(['tar', '-C', dir, '-cf', join(dir, 'image.tar'), 'oci-layout', 'index.json', 'blobs']);
    await rename(join(dir, 'image.tar'), target);
    return newManifest.digest;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

const sumOf = ({ digest }: Descriptor): string => digest.slice('sha256:'.length);

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}

async function putJson(blobs: string, value: unknown): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const bytes = Buffer.from(JSON.stringify(value));
  const sum = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(blobs, sum), bytes);
  return { digest: `sha256:${sum}`, size: bytes.length };
}
