import { chmod, chown } from 'node:fs/promises';
import { POD_FILE } from '#contract/pod-shape.ts';
import { faultCode, InitError } from './init-error.ts';
import type { Owner } from './trust-files.ts';
import { makeDirectories, replaceFile } from './write-file.ts';

/** File name, one of `POD_FILE`, to text. */
export type SettingsFiles = Readonly<Record<string, string>>;

// Root keeps the directory and the sidecar gets it by its group: root without DAC_OVERRIDE could not write into one of another
// owner when this container runs again. Sticky, so that the sidecar replaces what it wrote itself, and not these files.
const DIRECTORY_MODE = 0o1770;

/**
 * Writes the files for the sidecar, whole and anew, into a directory in which it may write too.
 * @throws InitError when the directory cannot be written, or not be given to the sidecar
 */
export async function writeSettingsFiles(dir: string, files: SettingsFiles, owner: Owner): Promise<void> {
  await makeDirectories([dir]);
  await giveToGroup(dir, owner);
  await Promise.all(Object.entries(files).map(([name, text]) => replaceFile(`${dir}/${name}`, text, 0o444)));
}

/** @returns whether a file of this name may come by the environment */
export function isSettingsFile(name: string): boolean {
  return Object.values<string>(POD_FILE).includes(name);
}

async function giveToGroup(dir: string, { gid }: Owner): Promise<void> {
  try {
    await chmod(dir, DIRECTORY_MODE);
    await chown(dir, process.getuid?.() ?? 0, gid);
  } catch (error) {
    throw new InitError(
      `${dir} cannot be given to the sidecar (${faultCode(error)}): lazaret-init needs the capability CHOWN and a volume of its own there.`,
    );
  }
}
