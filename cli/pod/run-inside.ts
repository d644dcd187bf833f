import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { POD_PORT } from '#contract/pod-paths.ts';
import { startApplication } from './application.ts';
import type { Pod } from './guard.ts';
import { lastLogLine, prepareGuard, returnSpool, startCollector, startSidecar } from './guard.ts';
import { chooseIdentity } from './identity.ts';
import type { PodJob } from './job.ts';
import { PodError } from './job.ts';
import { openListeners } from './listeners.ts';
import { MadeAddresses } from './made-address.ts';
import { makePlaces } from './mounts.ts';
import { makePodNetwork, POD_NETWORK } from './network.ts';
import { getOps } from './ops-client.ts';
import { toolPath } from './prerequisites.ts';
import type { KeptProgram } from './program.ts';
import { waitForEnd } from './program.ts';

/** How long the guard may take to be ready and to drain, and COMMAND to end after it was asked; milliseconds. */
const READY_MS = 20_000;
const DRAIN_MS = 30_000;
const COMMAND_GRACE_MS = 10_000;
const SCRAPE_MS = 10_000;
const POLL_MS = 40;
/** A sidecar that ends this often before it was ready will not become ready. */
const DEATHS_BEFORE_READY = 3;

/** The world of a run: when the caller wants it to end (the reason is a signal's name), and who takes the listener. */
export interface InsideWorld {
  readonly stop: AbortSignal;
  readonly handOver: (listener: Server) => Promise<void>;
}

/**
 * Runs COMMAND in a guarded pod, from its network to its last record.
 * @returns COMMAND's exit code
 * @throws PodError when the pod could not be started
 */
export async function runInside(job: PodJob, world: InsideWorld): Promise<number> {
  await using ending = new AsyncDisposableStack();
  const pod = await makePod(job, world);
  ending.defer(() => closeSync(pod.log));
  const collecting = startCollector(pod);
  ending.defer(async () => (await collecting).stop(DRAIN_MS));
  const [policy] = await Promise.all([prepareGuard(pod), collecting]);
  const sidecar = await startSidecar(pod, policy);
  ending.defer(async () => {
    await sidecar.stop(DRAIN_MS);
    await returnSpool(pod);
  });
  if (!(await waitUntilReady(pod, sidecar, world.stop))) return exitCodeOf(world.stop.reason);
  const code = await attend(startApplication(job, pod.places, pod.path), job, world.stop);
  if (job.options.metrics !== undefined) await writeMetrics(job.options.metrics);
  return code;
}

async function makePod(job: PodJob, world: InsideWorld): Promise<Pod> {
  const path = toolPath(job.environment.PATH);
  const places = makePlaces(job.dir, job.root, path);
  const logFile = job.options.log ?? places.log;
  const log = openSync(logFile, 'w', 0o600);
  const addresses = new MadeAddresses(job.options.upstreams.map(({ host }) => host));
  const served = job.options.upstreams.map(({ host }) => addresses.addressOf(host));
  makePodNetwork(places.netns, [...new Set(served)], path);
  await world.handOver(await openListeners((name) => addresses.addressOf(name)));
  return { job, places, identity: chooseIdentity(job.options.uid), log, logFile, path };
}

/** @returns false when the caller wants the run to end first */
async function waitUntilReady(pod: Pod, sidecar: KeptProgram, stop: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + READY_MS;
  while (!stop.aborted) {
    const answer = await getOps(POD_NETWORK.pod, POD_PORT.ops, '/readyz');
    if (answer?.status === 200) return true;
    if (sidecar.deaths() >= DEATHS_BEFORE_READY || Date.now() > deadline) {
      throw new PodError(`the sidecar did not become ready; its last word: ${lastLogLine(pod.logFile)}`);
    }
    await delay(POLL_MS);
  }
  return false;
}

/** Waits for COMMAND; when the caller wants the end, it is asked, and after the grace it is ended. */
async function attend(child: ChildProcess, job: PodJob, stop: AbortSignal): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const ask = (): void => {
    const signal = signalOf(stop.reason);
    // A terminal has sent its own signals to COMMAND already.
    if (!(job.terminal && signal === 'SIGINT')) child.kill(signal);
    timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_GRACE_MS);
  };
  if (stop.aborted) ask();
  else stop.addEventListener('abort', ask, { once: true });
  const code = await waitForEnd(child);
  stop.removeEventListener('abort', ask);
  clearTimeout(timer);
  return code;
}

/** The counters of the whole run; a sidecar that was killed just now is waited for. */
async function writeMetrics(file: string): Promise<void> {
  const deadline = Date.now() + SCRAPE_MS;
  for (;;) {
    const answer = await getOps(POD_NETWORK.pod, POD_PORT.ops, '/metrics');
    if (answer?.status === 200) return writeFile(file, answer.body);
    if (Date.now() > deadline) return;
    await delay(POLL_MS);
  }
}

function signalOf(reason: unknown): NodeJS.Signals {
  return reason === 'SIGINT' || reason === 'SIGHUP' || reason === 'SIGQUIT' ? reason : 'SIGTERM';
}

function exitCodeOf(reason: unknown): number {
  return 128 + constants.signals[signalOf(reason)];
}
