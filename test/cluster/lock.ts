import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './place.ts';
import { waitFor } from './wait-for.ts';

const WAIT_SECONDS = 1_800;

/** Runs one piece of work at a time on this machine; a lock of a process that is gone counts for nothing. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(CACHE, { recursive: true });
  const file = join(CACHE, `${name}.lock`);
  await waitFor(`another run that holds ${file}`, () => Promise.resolve(take(file)), WAIT_SECONDS);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): true | null {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid}`);
  try {
    // A link is there with its content or not at all.
    linkSync(mine, file);
    return true;
  } catch {
    if (!isAlive(Number(readFileSync(file, 'utf8')))) rmSync(file, { force: true });
    return null;
  } finally {
    rmSync(mine);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
