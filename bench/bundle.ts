// How long a revocation takes to reach 1,000 connected sidecars. Usage: sh cli/launch.sh bench/bundle.ts [--json] [--only NAME,...]
import { type ChildProcess, fork } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { createBundleMetrics } from '../controller/bundle/bundle-metrics.ts';
import { type BundleServer, createBundleServer } from '../controller/bundle/bundle-server.ts';
import { PolicyCache } from '../controller/policy/policy-cache.ts';
import type { ProvenPod } from '../controller/ports.ts';
import { namesAsked } from './apart.ts';
import type { CallersOrder, CallersWord } from './bundle-callers.ts';
import { largePolicy } from './large-policy.ts';
import { quantile } from './load.ts';
import { CORE, memoryMb, pinned } from './process.ts';
import { formatTable, median, type Row, tidyRow } from './row.ts';

const CALLERS = 1_000;
const AGREEMENTS = 20;
const REVOKED = 'agreement-7';

/**
 * Takes an agreement away while 1,000 sidecars, each on a TLS connection of its own, wait for a change. `p50_ms` is the time from the
 * change to the middle caller's whole bundle, `p99_ms` the last caller's, `rps` callers a second, `rss_mb` the server's memory then.
 * In `bundle-shared` all pods have one policy, in `bundle-distinct` each has its own, so that each needs a signature of its own.
 */
export async function measureBundles(only: ReadonlySet<string> | null = null): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const name of ['bundle-shared', 'bundle-distinct'] as const)
    if (only === null || only.has(name)) rows.push(await measureRevocation(name));
  return rows;
}

async function measureRevocation(name: 'bundle-shared' | 'bundle-distinct'): Promise<Row> {
  const view = new FakeCluster();
  const { inputs, namespaces } = largePolicy(CALLERS, AGREEMENTS);
  view.change(inputs);
  const pods = namespaces.map((namespace, index) =>
    guardedPod(`pod-${index}`, { namespace: name === 'bundle-shared' ? 'one-ward' : namespace }),
  );
  for (const pod of pods) view.setPod(pod);
  const proofs = new Map<string, ProvenPod>(pods.map((pod) => [tokenOf(pod.name), pod]));
  const registry = new Registry();
  const { server, ca } = await startServer(view, proofs, registry);
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  const callers = fork(join(import.meta.dirname, 'bundle-callers.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
    ...(pinned ? { execPath: 'taskset', execArgv: ['-c', String(CORE.world), process.execPath] } : {}),
  });
  try {
    callers.send({ port, ca, tokens: [...proofs.keys()], revoked: REVOKED } satisfies CallersOrder);
    await word(callers, 'holding');
    while (!(await registry.metrics()).includes(`lazaret_bundle_callers ${CALLERS}\n`))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const cpu = process.cpuUsage();
    const from = performance.timeOrigin + performance.now();
    view.change({ agreements: inputs.agreements.filter(({ metadata }) => nameOf(metadata) !== REVOKED) });
    const { times } = await word(callers, 'reached');
    const { user, system } = process.cpuUsage(cpu);
    const waits = times.map((at) => at - from).toSorted((a, b) => a - b);
    const last = waits.at(-1) ?? Number.NaN;
    return {
      name,
      concurrency: CALLERS,
      rps: (CALLERS / last) * 1_000,
      p50_ms: median(waits),
      p99_ms: Math.max(last, quantile(waits, 0.99)),
      added_p50_ms: null,
      cpu_us: (user + system) / CALLERS,
      rss_mb: memoryMb(process.pid, 'VmRSS'),
    };
  } finally {
    callers.kill();
    await server.close();
  }
}

async function startServer(
  view: FakeCluster,
  proofs: ReadonlyMap<string, ProvenPod>,
  registry: Registry,
): Promise<{ readonly server: BundleServer; readonly ca: string }> {
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue('localhost');
  const { privateKey } = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const keys = { current: privateKey, currentKid: 'bench', next: null, epoch: 1 };
  const server = createBundleServer({
    view,
    policies: new PolicyCache(),
    prove: (token) => Promise.resolve(proofs.get(token) ?? null),
    keys: () => keys,
    certificate: { current: () => ({ cert: certificate, key }), onChange: () => () => undefined },
    metrics: createBundleMetrics(registry),
    log: pino({ level: 'silent' }),
    now: () => Date.now(),
  });
  return { server, ca: authority.root };
}

function tokenOf(name: string): string {
  return `h.${Buffer.from(JSON.stringify({ exp: 4_000_000_000, name })).toString('base64url')}.s`;
}

function nameOf(metadata: unknown): unknown {
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : null;
}

function word<Kind extends CallersWord['kind']>(
  callers: ChildProcess,
  kind: Kind,
): Promise<Extract<CallersWord, { readonly kind: Kind }>> {
  return new Promise((resolve, reject) => {
    callers.once('message', (said: CallersWord) => {
      if (said.kind === kind) resolve(said as Extract<CallersWord, { readonly kind: Kind }>);
      else reject(new Error(`the callers said ${said.kind} where ${kind} was waited for`));
    });
    callers.once('exit', () => reject(new Error('the callers ended early')));
  });
}

if (import.meta.main) {
  const rows = (await measureBundles(namesAsked(process.argv))).map(tidyRow);
  process.stdout.write(
    process.argv.includes('--json') ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : formatTable(rows),
  );
  process.exit(0);
}
