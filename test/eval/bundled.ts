import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundlePrograms } from '../../tools/bundle.ts';

/**
 * Loads a module as the images hold it: bundled, so that what is measured is what runs in a pod.
 * @param file from the project's root on
 */
export async function importBundled<T>(file: string): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-bundled-'));
  try {
    await bundlePrograms(folder, { module: file });
    await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
    return (await import(pathToFileURL(join(folder, 'module.js')).href)) as T;
  } finally {
    await rm(folder, { recursive: true });
  }
}
