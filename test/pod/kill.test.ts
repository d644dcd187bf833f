import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventEmitter, once } from 'node:events';
import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo } from '../fake/dialect-answer.ts';
import type { Provider } from '../fake/provider.ts';
import { startProvider } from '../fake/provider.ts';
import { makeKeys, runAudit } from '../sidecar/audit/rig.ts';
import { processesBelow, ROOT, startPod } from './run-pod.ts';
import { openSent } from './sealed-store.ts';

/** Kills of one pod. A pod starts a sidecar that dies again and again ever later, so that 20 kills are four pods' work. */
const KILLS = 5;
/** Each request has a number of its own, in the field for the number of tokens. */
const SERIES = 1_000_000;
let provider: Provider;
const arrivals = new EventEmitter();
let dir = '';

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kill-test-'));
  chmodSync(dir, 0o755);
  provider = await startProvider({
    hosts: ['api.anthropic.com'],
    script: (request) => {
      arrivals.emit('request');
      return echo(request, { chars: 40, bytes: 2_000 });
    },
  });
  writeFileSync(join(dir, 'ca.pem'), provider.authority.root);
  await makeKeys(join(dir, 'keys'));
});
afterAll(async () => {
  await provider.stop();
  rmSync(dir, { recursive: true, force: true });
});

test.each([1, 2, 3, 4])(
  'T24: after kill -9 at 5 random moments under load (seed %i) every byte that left has its durable record, the chain verifies and nothing is in clear',
  async (seed) => {
    const random = chance(seed);
    const [store, spool, log, metrics] = ['store', 'spool', 'log', 'metrics'].map((name) =>
      join(dir, `${name}-${seed}`),
    ) as [string, string, string, string];
    const pod = startPod([
      '--upstream-ca',
      join(dir, 'ca.pem'),
      ...provider.upstreams.flatMap((each) => ['--upstream', each]),
      '--keys',
      join(dir, 'keys'),
      '--store',
      store,
      '--spool',
      spool,
      '--log',
      log,
      '--metrics',
      metrics,
      '--',
      process.execPath,
      join(ROOT, 'test/pod/kill-load.mjs'),
      String(seed * SERIES),
    ]);
    try {
      await pod.says('up');
      for (let kill = 0; kill < KILLS; kill++) await killSidecar(pod.child.pid ?? 0, random);
      await arrive(6);
    } finally {
      pod.child.stdin?.end();
    }
    const end = await pod.ended;
    expect(end).toMatchObject({ code: 0, stderr: '' });
    const counts = JSON.parse(end.stdout.split('\n')[1] ?? '') as Record<string, number>;
    expect(counts).toMatchObject({ wrong: 0 });
    expect(counts.whole).toBeGreaterThan(10);
    expect(counts.broken).toBeGreaterThan(0);

    const verified = await runAudit('verify', '--store', store, '--json');
    expect([verified.code, verified.lines.filter(({ level }) => level !== 'notice')]).toEqual([0, []]);
    const exchanges = [...(await openSent(store, join(dir, 'keys', 'auditor.private.jwk'))).values()];
    const recorded = new Set(
      exchanges.filter(({ stages }) => stages.includes('request')).map(({ sent }) => sent.toString()),
    );
    const received = provider.received.map(({ body }) => body.toString()).filter((body) => seedOf(body) === seed);
    expect(received.filter((body) => !recorded.has(body)).map(ordinalOf)).toEqual([]);
    expect(new Set(received).size).toBe(received.length);
    expect(received.filter((body) => CANARY.test(body)).length).toBe(0);
    const unended = exchanges.filter(
      ({ stages }) => stages.includes('request') && !stages.includes('response') && !stages.includes('error'),
    );
    expect(unended).toEqual([]);
    for (const file of [store, spool, log, metrics].flatMap(filesIn))
      expect(CANARY.test(readFileSync(file, 'latin1')), file).toBe(false);
  },
  150_000,
);

const CANARY = /Whitfield|48213377|555-0142/;

/** Waits until the provider has received so many more requests. */
async function arrive(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await once(arrivals, 'request');
}

/** Waits for some requests to come through the sidecar that runs now, then a moment of chance, and kills it. */
async function killSidecar(root: number, random: () => number): Promise<void> {
  const pid = await sidecarBelow(root);
  await arrive(1 + Math.floor(random() * 20));
  await pass(random() * 40);
  process.kill(pid, 'SIGKILL');
  while (existsSync(`/proc/${pid}`)) await pass(5);
}

async function sidecarBelow(root: number): Promise<number> {
  for (;;) {
    const [pid] = processesBelow(root, 'sidecar/main.ts');
    if (pid !== undefined) return pid;
    await pass(20);
  }
}

function ordinalOf(body: string): number {
  return (JSON.parse(body) as { max_tokens: number }).max_tokens;
}

function seedOf(body: string): number {
  return Math.floor(ordinalOf(body) / SERIES);
}

/** A small generator of chance that a seed reproduces. */
function chance(seed: number): () => number {
  let state = seed * 7_919;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function filesIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
  } catch {
    return [path];
  }
}
