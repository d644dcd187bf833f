// What one replica of the controller does: reviews of 60 KB pods over real TLS, against a stand-in of the API server with a
// cluster of 1,000 namespaces and 10,000 pods. Row `admission` at one and at eight reviews a time.
// Usage: sh cli/launch.sh bench/admission.ts [--json] [--seconds N]
import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { caBundle, callHook, installRelease, podReview } from '#test/controller/replica.ts';
import { bundlePrograms } from '../tools/bundle.ts';
import { secondsAsked } from './apart.ts';
import { CORE, endProgram, type Running, startProgram, until } from './process.ts';
import { formatTable, type Row, tidyRow } from './row.ts';

const NAMESPACES = 1_000;
const PODS = 10_000;
const POD_BYTES = 60 * 1024;
const TICKS_PER_SECOND = 100;

/** Measures for so many seconds at each concurrency. */
export async function measureAdmission(seconds: number): Promise<readonly Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'lazaret-admission-'));
  const api = await startFakeApi('token of the bench');
  try {
    fillCluster(api);
    const replica = await startReplica(api, dir);
    try {
      const rows: Row[] = [];
      for (const concurrency of [1, 8]) rows.push(await measure(replica, concurrency, seconds));
      return rows;
    } finally {
      await endProgram(replica.program, 'SIGKILL');
    }
  } finally {
    await api.close();
    rmSync(dir, { recursive: true });
  }
}

interface Replica {
  readonly program: Running;
  readonly port: number;
  readonly ca: string;
}

async function startReplica(api: FakeApi, dir: string): Promise<Replica> {
  const dist = join(dir, 'dist');
  await bundlePrograms(dist, { controller: 'controller/main.ts' });
  writeFileSync(join(dir, 'package.json'), readFileSync('package.json'));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      'current-context': 'bench',
      contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
      clusters: [{ name: 'bench', cluster: { server: api.url.href } }],
      users: [{ name: 'bench', user: { token: 'token of the bench' } }],
    }),
  );
  const [port, bundle, ops] = await Promise.all([freePort(), freePort(), freePort()]);
  const program = startProgram({
    // The flags of the image.
    command: [process.execPath, '--max-semi-space-size=2', '--max-old-space-size=192', join(dist, 'controller.js')],
    core: CORE.guard,
    environment: {
      KUBECONFIG: kubeconfig,
      LAZARET_NAMESPACE: 'lazaret',
      LAZARET_FULLNAME: 'lazaret',
      LAZARET_POD_NAME: 'bench',
      LAZARET_WEBHOOK_LISTEN: `127.0.0.1:${port}`,
      LAZARET_BUNDLE_LISTEN: `127.0.0.1:${bundle}`,
      LAZARET_OPS: `127.0.0.1:${ops}`,
      MALLOC_ARENA_MAX: '2',
    },
  });
  const isReady = () =>
    fetch(`http://127.0.0.1:${ops}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until('the controller', program, isReady, 60_000);
  return { program, port, ca: caBundle(api) };
}

async function measure({ program, port, ca }: Replica, concurrency: number, seconds: number): Promise<Row> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const pod = makeLargePod();
  const one = async (): Promise<number> => {
    const review = JSON.stringify(podReview(pod));
    const begin = performance.now();
    const answer = await callHook({ port, path: '/mutate', ca, agent }, review);
    if (answer.body.response?.patch === undefined)
      throw new Error('the controller did not inject the pod of the bench');
    return performance.now() - begin;
  };
  const warm = performance.now() + 2_000;
  while (performance.now() < warm) await Promise.all(Array.from({ length: concurrency }, one));
  const cpu = cpuTicks(program.pid);
  const times: number[] = [];
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) times.push(await one());
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  const spent = (performance.now() - begin) / 1_000;
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    name: 'admission',
    concurrency,
    rps: times.length / spent,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    added_p50_ms: null,
    cpu_us: ((cpuTicks(program.pid) - cpu) / TICKS_PER_SECOND / times.length) * 1_000_000,
    rss_mb: rssOf(program.pid),
  };
}

/** A pod of 60 KB as charts make them: a few containers with long environments, and the fields that the API server adds. */
function makeLargePod(): unknown {
  const container = (name: string, variables: number) => ({
    name,
    image: `registry.example/${name}:1`,
    env: Array.from({ length: variables }, (_, i) => ({ name: `SETTING_${i}`, value: `value ${i} `.repeat(8) })),
    volumeMounts: Array.from({ length: 10 }, (_, i) => ({ name: `volume-${i}`, mountPath: `/data/${i}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'app-',
      namespace: 'phi',
      labels: { 'lazaret.dev/phi': 'true', app: 'bench' },
      managedFields: [] as unknown[],
    },
    spec: {
      containers: ['app', 'worker', 'metrics', 'cache'].map((name) => container(name, 60)),
      initContainers: [container('migrate', 40)],
      volumes: Array.from({ length: 10 }, (_, i) => ({ name: `volume-${i}`, emptyDir: {} })),
    },
  };
  const missing = POD_BYTES - Buffer.byteLength(JSON.stringify(pod));
  const fields = Array.from({ length: Math.max(0, Math.floor(missing / 60)) }, (_, i) => [
    `f:field-of-the-manager-${i}`,
    { 'f:value': {} },
  ]);
  pod.metadata.managedFields.push({ manager: 'kubectl', operation: 'Update', fieldsV1: Object.fromEntries(fields) });
  return pod;
}

function fillCluster(api: FakeApi): void {
  installRelease(api);
  for (let i = 0; i < NAMESPACES; i += 1)
    api.put(`/api/v1/namespaces/team-${i}`, {
      metadata: { labels: { 'lazaret.dev/guard': 'labelled', team: `team-${i}` } },
    });
  for (let i = 0; i < PODS; i += 1) {
    const labels = {
      app: `app-${i % 100}`,
      'lazaret.dev/phi': 'true',
      'pod-template-hash': `hash-${i % 500}`,
      'app.kubernetes.io/instance': `app-${i}`,
    };
    const environment = Array.from({ length: 20 }, (_, n) => ({
      name: `SETTING_${n}`,
      value: `value ${n} of pod ${i}`,
    }));
    const containers = [{ name: 'app', image: 'registry.example/app:1', env: environment }];
    const path = `/api/v1/namespaces/team-${i % NAMESPACES}/pods/app-${i}`;
    api.put(path, {
      metadata: { labels, managedFields: [{ manager: 'x', fieldsV1: { 'f:x': {} } }] },
      spec: { containers },
      status: { phase: 'Running' },
    });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** User and system time in ticks (proc_pid_stat(5)). */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

if (import.meta.main) {
  const rows = (await measureAdmission(secondsAsked(process.argv, 6))).map(tidyRow);
  process.stdout.write(
    process.argv.includes('--json') ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : formatTable(rows),
  );
  process.exit(0);
}
