import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CACHE } from './place.ts';
import { runCommand } from './run-command.ts';

/** An image to be made of folders on disk. */
export interface ImageSource {
  /** e.g. `localhost/pause:1` */
  readonly name: string;
  /** Each becomes a layer, in order. */
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly env?: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const TYPE = 'application/vnd.oci.image';

/** Writes an OCI archive (image-layout of the OCI image specification, §"Image Layout") that ctr and buildah read. */
export async function writeImageArchive(source: ImageSource, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const dir = await mkdtemp(join(CACHE, 'image-'));
  try {
    const blobs = join(dir, 'blobs/sha256');
    await mkdir(blobs, { recursive: true });
    const layers = await Promise.all(source.layers.map((folder, index) => putLayer(blobs, folder, `layer-${index}`)));
    const config = await putJson(blobs, `${TYPE}.config.v1+json`, {
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: source.env ?? [], ...(source.entrypoint === undefined ? {} : { Entrypoint: source.entrypoint }) },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      history: layers.map(() => ({ created_by: 'test cluster' })),
    });
    const manifestType = `${TYPE}.manifest.v1+json`;
    const manifest = await putJson(blobs, manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers });
    const annotations = { 'io.containerd.image.name': source.name, 'org.opencontainers.image.ref.name': source.name };
    await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await writeFile(
      join(dir, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
    );
    await runCommand(['tar', '-C', dir, '-cf', join(dir, 'image.tar'), 'oci-layout', 'index.json', 'blobs']);
    await rename(join(dir, 'image.tar'), file);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function putLayer(blobs: string, folder: string, name: string): Promise<Descriptor> {
  const file = join(blobs, name);
  const same = ['--sort=name', '--numeric-owner', '--mtime=@0'];
  await runCommand(['tar', '-C', folder, ...same, '-cf', file, '.']);
  const sum = (await runCommand(['sha256sum', file])).slice(0, 64);
  await rename(file, join(blobs, sum));
  const { size } = await stat(join(blobs, sum));
  return { mediaType: `${TYPE}.layer.v1.tar`, digest: `sha256:${sum}`, size };
}

async function putJson(blobs: string, mediaType: string, value: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const sum = createHash('sha256').update(bytes).digest('hex');
  await writeFile(join(blobs, sum), bytes);
  return { mediaType, digest: `sha256:${sum}`, size: bytes.length };
}

/** @returns the archive of an image that holds one static program as `/NAME`, made once */
export async function programImage(program: string, name: string, image: string): Promise<string> {
  const sum = createHash('sha256')
    .update(image)
    .update(await readFile(program))
    .digest('hex')
    .slice(0, 16);
  const file = join(CACHE, 'images', `${name}-${sum}.tar`);
  if (await exists(file)) return file;
  const folder = await mkdtemp(join(CACHE, 'layer-'));
  try {
    await copyFile(program, join(folder, name));
    await writeImageArchive({ name: image, layers: [folder], entrypoint: [`/${name}`] }, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return file;
}

/** Whether there is a file. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
