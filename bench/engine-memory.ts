import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundlePrograms } from '../tools/bundle.ts';
import { GUARD_ENVIRONMENT, GUARD_FLAGS } from './guard-start.ts';

const run = promisify(execFile);
const RUNS = 3;

/** Resident memory in bytes. */
interface EngineMemory {
  readonly bare: number;
  /** What a process holds more when it has loaded the detector and its words, as the images hold them, and examined a text. */
  readonly engine: number;
}

/** Starts processes of their own, as the sidecar's image starts it: from bundles, with its flags. The least of some runs counts. */
export async function measureEngineMemory(): Promise<EngineMemory> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-bench-'));
  try {
    await bundlePrograms(folder, { bare: 'bench/bare.ts', engine: 'bench/engine.ts' });
    const bare = await leastOf(join(folder, 'bare.js'));
    return { bare, engine: (await leastOf(join(folder, 'engine.js'))) - bare };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function leastOf(program: string): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const { stdout } = await run(process.execPath, ['--expose-gc', ...GUARD_FLAGS, program], {
      env: { ...process.env, ...GUARD_ENVIRONMENT },
    });
    least = Math.min(least, Number(stdout));
  }
  return least;
}
