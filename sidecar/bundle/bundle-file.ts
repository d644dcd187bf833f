import { open, rename, writeFile } from 'node:fs/promises';

/**
 * Reads a text file up to a bound.
 * @returns null when there is none
 * @throws Error naming what is wrong with the file, without its content
 */
export async function readBounded(path: string, bound: number): Promise<string | null> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Error('its file cannot be opened');
  });
  if (file === null) return null;
  try {
    const { size } = await file.stat();
    if (size > bound) throw new Error(`its file is larger than ${bound} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Puts a file in place whole or not at all: a process that ends meanwhile leaves the old one. */
export async function replaceWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
