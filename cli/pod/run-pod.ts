import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';

import { join } from 'node:path';
import { diskTmpdir } from './disk-folder.ts';
import type { Order, PodJob, Report } from './job.ts';
import { PodError } from './job.ts';
import { MadeAddresses } from './made-address.ts';
import type { PodOptions } from './options.ts';
import { toolPath } from './prerequisites.ts';
import { relayConnections } from './relay.ts';

/** The checkout's root. */
const ROOT = join(import.meta.dirname, '../..');

/** Who asks for a pod. */
export interface Caller {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the standard streams are a terminal, which sends Ctrl-C to everyone by itself. */
  readonly terminal: boolean;
  /** Aborted with a signal's name when the caller wants the run to end. */
  readonly stop: AbortSignal;
}

/**
 * Runs COMMAND as an application in a guarded pod on this machine. Nothing is left behind, however it ends.
 * @returns COMMAND's exit code
 * @throws PodError when the pod could not be started
 */
export async function runPod(options: PodOptions, caller: Caller): Promise<number> {
  const dir = mkdtempSync(join(diskTmpdir(), 'lazaret-pod-'));
  const { folder, environment, terminal } = caller;
  const child = spawnInside(toolPath(environment.PATH));
  const end = (): void => send(child, { kind: 'stop', signal: caller.stop.reason as NodeJS.Signals });
  caller.stop.addEventListener('abort', end, { once: true });
  try {
    return await converse(child, { options, root: ROOT, dir, folder, environment, terminal }, caller.stop);
  } finally {
    caller.stop.removeEventListener('abort', end);
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Starts the process inside in namespaces of its own: what it mounts, names and starts is seen by nobody else, and the
 * kernel ends all of it with that process.
 */
function spawnInside(path: string): ChildProcess {
  const namespaces = [
    '--mount',
    '--net',
    '--pid',
    '--mount-proc',
    '--fork',
    '--kill-child=SIGKILL',
    '--propagation=private',
  ];
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'cli/pod/inside.ts')];
  return spawn('unshare', [...namespaces, '--', ...program], {
    cwd: '/',
    env: { PATH: path },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
}

function converse(child: ChildProcess, job: PodJob, stop: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let outcome: Report | undefined;
    let relay: Server | undefined;
    child.on('message', (report: Report, handle: unknown) => {
      if (report.kind === 'hello') {
        send(child, { kind: 'start', job });
        if (stop.aborted) send(child, { kind: 'stop', signal: stop.reason as NodeJS.Signals });
      } else if (report.kind === 'relay') {
        relay = relayConnections(handle as Server, upstreamsByAddress(job.options));
      } else {
        outcome = report;
      }
    });
    child.once('error', (error) => reject(new PodError(`unshare cannot be run: ${error.message}`)));
    child.once('close', () => {
      relay?.close();
      if (outcome?.kind === 'ended') resolve(outcome.code);
      else
        reject(
          new PodError(
            outcome?.kind === 'failed' ? outcome.sentence : "the pod's own process ended before COMMAND did",
          ),
        );
    });
  });
}

function upstreamsByAddress(options: PodOptions): ReadonlyMap<string, PodOptions['upstreams'][number]> {
  const addresses = new MadeAddresses(options.upstreams.map(({ host }) => host));
  return new Map(options.upstreams.map((upstream) => [addresses.addressOf(upstream.host), upstream]));
}

function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => undefined);
}
