import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the names in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  await withFile(dir, 'r', (folder) => folder.sync());
}

/** Makes a folder and its name durable. Folders above it must exist. */
export async function makeFolder(dir: string): Promise<void> {
  if ((await mkdir(dir, { recursive: true, mode: 0o750 })) !== undefined) await syncFolder(dirname(dir));
}

/** Replaces a file in one step: a reader, or a crash, sees the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await withFile(`${path}.new`, 'w', async (file) => {
    await file.writeFile(text);
    await file.datasync();
  });
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}

/** Appends one line and makes it durable. */
export async function appendLine(path: string, line: string): Promise<void> {
  await withFile(path, 'a', async (file) => {
    await file.writeFile(`${line}\n`);
    await file.datasync();
  });
  await syncFolder(dirname(path));
}

/** Runs work on an open file and closes it, whatever happens. */
export async function withFile<T>(path: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o640);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** @returns the value, or null when the file does not exist. @throws any other fault */
export function orMissing<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
}
