import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The checkout's root. */
export const ROOT = join(import.meta.dirname, '../..');

export const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

/** What a program that ended left. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the project's programs to its end. */
export async function runProgram(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Ended> {
  const [node, ...flags] = NODE;
  const child = spawn(node, [...flags, join(ROOT, file), ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child);
}

/** Reads a program's output until it ends. */
export async function collect(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  child.stdout?.on('data', (bytes: Buffer) => (texts.stdout += bytes.toString('utf8')));
  child.stderr?.on('data', (bytes: Buffer) => (texts.stderr += bytes.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** Starts a program that says in its first line that it is ready, and ends with this one. */
export async function startProgram(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly firstLine: string; readonly stop: () => Promise<void> }> {
  const [node, ...flags] = NODE;
  const child = spawn(node, [...flags, join(ROOT, file), ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    detached: true,
  });
  const { stdout } = child;
  if (stdout === null) throw new Error(`${file} has no output`);
  const ended = once(child, 'close');
  const first = await Promise.race([once(createInterface(stdout), 'line'), ended]);
  if (typeof first[0] !== 'string') throw new Error(`${file} did not start`);
  return {
    firstLine: first[0],
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
