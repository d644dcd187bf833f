import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { makeBaseImage } from './base-image.ts';
import { loadImage } from './load-image.ts';
import { withLock } from './lock.ts';
import type { ClusterPlace } from './place.ts';
import { runCommand } from './run-command.ts';

const ROOT = join(import.meta.dirname, '../..');
const IMAGES = join(homedir(), '.cache/lazaret/images');

/** What an image is made of; a change of anything else keeps the built ones. */
const SOURCES = [
  'controller',
  'collector',
  'sidecar',
  'cli',
  'contract',
  'phi',
  'llm',
  'tools',
  'Dockerfile',
  'LICENSE',
  'NOTICE',
  'package.json',
  'package-lock.json',
] as const;

/** Checkouts whose images are kept; those of one take 280 MB. */
const KEPT = 3;

/** The programs that a node must have. */
const ON_NODE = ['controller', 'collector', 'sidecar', 'init', 'lazaret'] as const;

/**
 * Builds the product's images as `npm run image` does, once for each content of the sources. LAZARET_TEST_IMAGES may name a folder that
 * `npm run image` wrote; it is then taken as it is.
 * @returns the folder with the archives and `images.values.yaml`
 */
export function productImages(say: (line: string) => void): Promise<string> {
  const given = process.env['LAZARET_TEST_IMAGES'];
  if (given !== undefined) return Promise.resolve(given);
  return withLock('product-images', async () => {
    const folder = join(IMAGES, await hashSources());
    if (existsSync(folder)) return folder;
    say('building the images of these sources, once; minutes on a busy machine');
    const base = await makeBaseImage(say);
    const making = `${folder}.making`;
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true });
    const command = ['sh', 'cli/launch.sh', 'tools/image/main.ts', '--base', base, '--out', making];
    await runCommand(command, { cwd: ROOT });
    await rename(making, folder);
    await removeOld();
    return folder;
  });
}

/** Takes the images into the node, unless they are there. */
export async function loadProductImages(place: ClusterPlace, folder: string): Promise<void> {
  const values = await readFile(join(folder, 'images.values.yaml'), 'utf8');
  const mark = join(place.state, 'product-images');
  if ((await readFile(mark, 'utf8').catch(() => '')) === values) return;
  for (const program of ON_NODE) await loadImage(place, join(folder, `${program}.tar`));
  await writeFile(mark, values);
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256').update(process.version).update(process.arch);
  for (const source of SOURCES) {
    for (const file of await filesOf(source)) {
      hash.update(`${file}\0`).update(await readFile(join(ROOT, file)));
      hash.update('\0');
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function filesOf(source: string): Promise<readonly string[]> {
  if (!(await stat(join(ROOT, source))).isDirectory()) return [source];
  const entries = await readdir(join(ROOT, source), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .toSorted();
}

async function removeOld(): Promise<void> {
  const names = await readdir(IMAGES);
  const ages = await Promise.all(names.map(async (name) => ({ name, made: (await stat(join(IMAGES, name))).mtimeMs })));
  const old = ages.toSorted((left, right) => right.made - left.made).slice(KEPT);
  for (const { name } of old) await rm(join(IMAGES, name), { recursive: true, force: true });
}
