// The program lazaret-sidecar: composes the guard, tells how it is, and ends in order.
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { LIMIT } from '#contract/limit.ts';
import { parseConfig, type SidecarConfig } from './config.ts';
import { type Guard, startGuard } from './guard.ts';
import { updateGauges } from './ops/gauges.ts';
import { serveHealth } from './ops/health.ts';
import { createLog } from './ops/log.ts';
import { createMetrics } from './ops/metrics.ts';
import type { Runtime } from './ops/runtime.ts';

/** Wrong settings: they will not get better by trying again. */
const EXIT_CONFIG = 2;

const parsed = parseConfig(process.env);
if (parsed.ok) await run(parsed.config);
else {
  for (const fault of parsed.faults) process.stderr.write(`lazaret-sidecar: ${fault}\n`);
  process.exitCode = EXIT_CONFIG;
}

async function run(config: SidecarConfig): Promise<void> {
  const runtime: Runtime = {
    log: createLog(config.LAZARET_LOG_LEVEL),
    metrics: createMetrics(),
    version: await readVersion(),
  };
  const { log, metrics } = runtime;
  metrics.build.set({ version: runtime.version, program: 'lazaret-sidecar' }, 1);
  // An exception that nobody caught leaves the program in a state that nobody described: it ends, and the pod is closed meanwhile.
  process.on('uncaughtException', (fault) => die(runtime, fault));
  process.on('unhandledRejection', (fault) => die(runtime, fault));
  let guard: Guard | null = null;
  const servers = await Promise.all(
    config.LAZARET_OPS.map(
      async (endpoint) =>
        await serveHealth(
          endpoint,
          healthSources(runtime, () => guard),
        ),
    ),
  );
  try {
    guard = await startGuard(config, runtime);
  } catch (fault) {
    log.fatal({ err: fault, problem: sentenceOf(fault) }, 'the guard could not start');
    process.exit(1);
  }
  log.info({ version: runtime.version, listen: guard.intercept.ports }, 'guarding');
  const stop = once(async () => await drain(runtime, guard, servers));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function healthSources({ metrics }: Runtime, guard: () => Guard | null) {
  return {
    metricsType: metrics.registry.contentType,
    metrics: async () => {
      const running = guard();
      if (running !== null) updateGauges(metrics, gaugeSources(running));
      return await metrics.registry.metrics();
    },
    unready: () => {
      const running = guard();
      if (running === null) return ['start'];
      return [
        ...(running.bundle.state() === 'missing' ? ['policy'] : []),
        ...(running.waitsForLists() ? ['lists'] : []),
        ...(running.audit.evidence.state() === 'refuse' ? ['spool'] : []),
      ];
    },
  };
}

function gaugeSources({ bundle, audit }: Guard) {
  return {
    audit: () => audit.status(),
    bundle: () => {
      const payload = bundle.payload();
      return payload === null
        ? null
        : { revision: payload.serial.revision, issuedAt: payload.issuedAt, policy: payload.policy };
    },
    now: Date.now,
  };
}

/** Lets exchanges end, closes the chain, ships what it can, and goes. */
async function drain({ log }: Runtime, guard: Guard | null, servers: readonly Server[]): Promise<void> {
  const from = performance.now();
  log.info('draining');
  await guard?.intercept.close();
  const left = Math.max(1_000, LIMIT.drainMs - (performance.now() - from));
  const drained = (await guard?.audit.close(left)) ?? true;
  await guard?.forwarder.close();
  guard?.bundle.close();
  for (const server of servers) server.close();
  log.info({ drained }, drained ? 'stopped' : 'stopped; the rest of the evidence stays in the spool');
  process.exit(0);
}

function die({ log }: Runtime, fault: unknown): never {
  log.fatal({ err: fault }, 'fault');
  process.exit(1);
}

/** Only sentences that this program wrote itself: errors of its own start, which name files and settings. */
function sentenceOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : 'unknown';
}

function once(work: () => Promise<void>): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    void work();
  };
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  return version;
}
