import { closeSync, fsyncSync, openSync, statfsSync } from 'node:fs';

// statfs(2): what these hold is gone with the memory.
const MEMORY_TYPES = new Map([
  [0x0102_1994, 'tmpfs'],
  [0x8584_58f6, 'ramfs'],
]);

/** @returns the name of the memory file system a folder lies on, or null when it is on a disk. */
export function memoryVolume(dir: string): string | null {
  return MEMORY_TYPES.get(Number(BigInt.asUintN(32, BigInt(statfsSync(dir).type)))) ?? null;
}

/** Makes the names in a folder durable: a file's own sync does not. */
export function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
