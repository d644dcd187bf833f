import { setTimeout as sleep } from 'node:timers/promises';

const ROUNDS = 6;
const PAUSE_MS = 60;

/** Says on stdout how many bytes this process holds when its garbage is collected. Needs `--expose-gc`. */
export async function tellMemory(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    await sleep(PAUSE_MS);
  }
  process.stdout.write(`${process.memoryUsage.rss()}\n`);
}
