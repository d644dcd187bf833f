import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeImageArchive } from '../../tools/image/image-archive.ts';
import { CACHE } from './place.ts';

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
