import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { waitFor } from './wait-for.ts';

const sampleSchema = z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) });
const alertSchema = z.object({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  state: z.enum(['pending', 'firing']),
});
const targetSchema = z.object({
  labels: z.record(z.string(), z.string()),
  scrapePool: z.string(),
  health: z.string(),
  lastError: z.string(),
});
/** One series of an answer, at one moment. */
export type Sample = z.infer<typeof sampleSchema>;
export type Alert = z.infer<typeof alertSchema>;
export type Target = z.infer<typeof targetSchema>;

/** A running Prometheus. */
export interface Prometheus {
  /** @throws with its words when it does not take the query */
  readonly query: (expr: string) => Promise<readonly Sample[]>;
  readonly labelValues: (label: string, metric: string) => Promise<readonly string[]>;
  readonly alerts: () => Promise<readonly Alert[]>;
  readonly targets: () => Promise<readonly Target[]>;
  readonly stop: () => Promise<void>;
}

/** What it is started with. */
export interface PrometheusConfig {
  readonly scrapeJobs: readonly object[];
  readonly ruleGroups: unknown;
  /** Between two looks at the rules, as Prometheus writes times. */
  readonly evaluationInterval: string;
}

/** Starts Debian's Prometheus on this machine, with a store of its own that goes with it. */
export async function startPrometheus(config: PrometheusConfig): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-prometheus-'));
  const file = join(dir, 'prometheus.json');
  const rules = join(dir, 'rules.json');
  // JSON is YAML.
  await writeFile(rules, JSON.stringify({ groups: config.ruleGroups }));
  const whole = {
    global: { evaluation_interval: config.evaluationInterval },
    rule_files: [rules],
    scrape_configs: config.scrapeJobs,
  };
  await writeFile(file, JSON.stringify(whole));
  const address = `127.0.0.1:${await freePort()}`;
  const options = [`--config.file=${file}`, `--storage.tsdb.path=${join(dir, 'data')}`, '--log.level=warn'];
  // It ends with this process, however that ends.
  const command = ['--pdeathsig', 'KILL', 'prometheus', ...options, `--web.listen-address=${address}`];
  const child = spawn('setpriv', command, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (said += text));
  const call = callerOf(address);
  const isRunning = await waitFor('Prometheus', async () => {
    if (child.exitCode !== null) return false;
    return call('status/runtimeinfo', {}, z.unknown()).then(() => true);
  });
  if (!isRunning) throw new Error(`Prometheus ended: ${said}`);
  return {
    ...questionsOf(call),
    stop: async () => {
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}

type Call = <T>(path: string, parameters: Readonly<Record<string, string>>, schema: z.ZodType<T>) => Promise<T>;

function callerOf(address: string): Call {
  return async (path, parameters, schema) => {
    const url = `http://${address}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
    const body: unknown = await (await fetch(url)).json();
    const answer = z.object({ status: z.string(), error: z.string().optional(), data: z.unknown() }).parse(body);
    if (answer.status !== 'success') throw new Error(`Prometheus does not take it: ${answer.error ?? ''}`);
    return schema.parse(answer.data);
  };
}

function questionsOf(call: Call): Omit<Prometheus, 'stop'> {
  return {
    query: async (expr) => (await call('query', { query: expr }, z.object({ result: z.array(sampleSchema) }))).result,
    labelValues: (label, metric) => call(`label/${label}/values`, { 'match[]': metric }, z.array(z.string())),
    alerts: async () => (await call('alerts', {}, z.object({ alerts: z.array(alertSchema) }))).alerts,
    targets: async () =>
      (await call('targets', { state: 'active' }, z.object({ activeTargets: z.array(targetSchema) }))).activeTargets,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}
