import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** A program of the guard, started apart from the caller's terminal so that Ctrl-C meets the application first. */
export interface ProgramSpec {
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
  /** File descriptor that takes its standard output and error. */
  readonly log: number;
}

/** A started program. */
export interface Program {
  /** Its exit code; 128 and the signal's number when a signal ended it; 127 when it could not be started. */
  readonly ended: Promise<number>;
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** Delays before a restart, milliseconds: the first at once, as a kubelet does, the later ones slower. */
const BACKOFF_MS = [0, 200, 500, 1_000, 2_000, 5_000] as const;

/** Starts a program. */
export function startProgram(spec: ProgramSpec): Program {
  const [file, ...args] = spec.command;
  const child = spawn(file, args, {
    env: spec.environment,
    stdio: ['ignore', spec.log, spec.log],
    detached: true,
  });
  return { ended: waitForEnd(child), signal: (signal) => void child.kill(signal) };
}

/** @returns the exit code that a shell would give */
export function waitForEnd(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** A program that is started again whenever it ends, until it is stopped. */
export interface KeptProgram {
  /** How often it has ended by itself. */
  readonly deaths: () => number;
  /** Asks it to end, and ends it after the grace. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** Starts a program and keeps it running, as a kubelet does with a container. */
export function keepRunning(spec: ProgramSpec): KeptProgram {
  const stopping = new AbortController();
  let deaths = 0;
  let current = startProgram(spec);
  const keep = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await current.ended;
      if (stopping.signal.aborted) return;
      const wait = BACKOFF_MS[Math.min(deaths, BACKOFF_MS.length - 1)] ?? 0;
      deaths += 1;
      await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (!stopping.signal.aborted) current = startProgram(spec);
    }
  };
  const done = keep();
  return {
    deaths: () => deaths,
    stop: async (graceMs) => {
      stopping.abort();
      await endProgram(current, graceMs);
      await done;
    },
  };
}

/** SIGTERM, and SIGKILL after the grace. */
export async function endProgram(program: Program, graceMs: number): Promise<void> {
  program.signal('SIGTERM');
  const timer = setTimeout(() => program.signal('SIGKILL'), graceMs);
  await program.ended;
  clearTimeout(timer);
}
