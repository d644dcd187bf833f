// npm run image: builds the images of the Dockerfile with buildah, without a daemon and without a registry.
import { stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Program } from '../bundle.ts';
import { BASE_ARCHIVE, makeBaseImage } from './base-image.ts';
import { buildImages, formatValues } from './build-images.ts';
import { parseImageOptions } from './options.ts';
import { runCommand } from './run-command.ts';

/** Those that the chart installs; `lazaret`, the command, comes with them. */
const INSTALLED: readonly Program[] = ['controller', 'collector', 'sidecar', 'init'];

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(words: readonly string[]): Promise<void> {
  const { base, out, push } = parseImageOptions(words, join(import.meta.dirname, '../../dist/images'));
  await runCommand(['buildah', '--version']).catch(() => {
    throw new Error('buildah is not here: apt-get install buildah');
  });
  if (base?.endsWith('.tar') === true && (await stat(base).catch(() => null)) === null)
    throw new Error(`the base image ${base} is not there`);
  if (base === undefined) await makeBaseImage(BASE_ARCHIVE, say);
  const images = await buildImages({
    programs: [...INSTALLED, 'lazaret'],
    base: base ?? BASE_ARCHIVE,
    out: resolve(out),
    ...(push === undefined ? {} : { push }),
    say,
  });
  const values = join(resolve(out), 'images.values.yaml');
  await writeFile(values, formatValues(images.filter(({ program }) => INSTALLED.includes(program))));
  for (const { repository, tag, digest } of images) process.stdout.write(`${repository}:${tag}@${digest}\n`);
  process.stdout.write(`${values}\n`);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  say(`image: ${error instanceof Error ? error.message : 'the images could not be built'}`);
  process.exitCode = error instanceof Error && /^(usage|--)/.test(error.message) ? 2 : 1;
}
