import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The core of the load generator, the upstream and the collector, and the core that the measured program has for itself. */
export const CORE = { world: 0, guard: 1 } as const;

const HAS_TASKSET = spawnSync('taskset', ['-V'], { stdio: 'ignore' }).status === 0;
const TICKS_PER_SECOND = 100;

/** Whether programs can be kept on their cores. */
export const pinned = HAS_TASKSET && readFileSync('/proc/cpuinfo', 'utf8').split(/^processor/m).length > 2;

/** @returns the path of a program in PATH, or null */
export function findProgram(name: string): string | null {
  const { stdout, status } = spawnSync('sh', ['-c', 'PATH="$PATH:/usr/sbin:/sbin"; command -v "$1"', 'sh', name], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : null;
}

/** What to start and where. */
export interface Start {
  readonly command: readonly string[];
  readonly core: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** A message channel to a program of Node's. */
  readonly channel?: boolean;
}

/** A program that the bench started; it is ended with the bench. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it wrote to stderr so far, its last 4 KB. */
  readonly said: () => string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
// Without this a signal would leave the programs running and the run's folder behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));

/** Starts a program on its core, with nothing of the caller's environment but PATH: an inherited setting would falsify the run. */
export function startProgram({ command, core, environment = {}, channel = false }: Start): Running {
  const pin = pinned ? ['taskset', '-c', String(core)] : [];
  const [program = '', ...words] = [...pin, ...command];
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'ignore', 'pipe', ...(channel ? (['ipc'] as const) : [])],
    serialization: 'advanced',
  });
  running.add(child);
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString()).slice(-4_096);
  });
  child.on('exit', () => running.delete(child));
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  return { child, pid: child.pid, said: () => said };
}

/** Ends a program and waits for its end. */
export async function endProgram({ child }: Running, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** Waits for something, looking every 20 ms. @throws Error with the program's last words when it ended or the time is over */
export async function until(
  what: string,
  program: Running | null,
  test: () => Promise<boolean> | boolean,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  for (;;) {
    if (await Promise.resolve(test()).catch(() => false)) return;
    const gone = program !== null && (program.child.exitCode !== null || program.child.signalCode !== null);
    if (gone || performance.now() > end)
      throw new Error(`${what} did not come: ${program?.said().trim() || 'nothing was said'}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** User and system time of a process with all its threads, microseconds (proc(5): utime and stime of /proc/PID/stat). */
export function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND;
}

/** A size of `/proc/PID/status`, in MB of 1024 x 1024 bytes: `VmRSS` now, `VmHWM` its peak. */
export function memoryMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1] ?? Number.NaN) / 1_024;
}
