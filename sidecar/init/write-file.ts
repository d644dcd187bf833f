import { mkdir, rm, writeFile } from 'node:fs/promises';
import { faultCode, InitError } from './init-error.ts';

/** One level each: the volume's mount point is there, and Node's recursive form never ends below some file systems. */
export async function makeDirectories(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    await mkdir(dir, { mode: 0o755 }).catch((error: unknown) => {
      if (faultCode(error) !== 'EEXIST') refuseDirectory(dir, error);
    });
  }
}

/** A new file each time: without DAC_OVERRIDE not even root may write into one of mode 0444. */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    await rm(path, { force: true });
    await writeFile(path, content, { mode, flag: 'wx', flush: false });
  } catch (error) {
    refuseDirectory(path, error);
  }
}

function refuseDirectory(path: string, error: unknown): never {
  throw new InitError(
    `lazaret-init cannot write ${path} (${faultCode(error)}): mount its volume writable in lazaret-init.`,
  );
}
