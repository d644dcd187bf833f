import { mkdtemp, readFile, rm } from 'node:fs/promises';

import { join, relative } from 'node:path';
import { connect } from 'node:tls';
import { z } from 'zod';
import { diskTmpdir } from '../pod/disk-folder.ts';
import type { Ended } from './child.ts';
import { ROOT, runProgram, startProgram } from './child.ts';
import { DEMO_HOST } from './note.ts';
import type { Result } from './result.ts';
import { RESULT } from './result.ts';

/** The outside of the demo: who stands in for the internet, and where everything is kept. */
export interface Stage {
  readonly dir: string;
  readonly port: number;
  /** PEM file with the stand-ins' root. */
  readonly ca: string;
  readonly upstreams: readonly string[];
  readonly close: () => Promise<void>;
}

const READY = z.object({ port: z.number(), upstreams: z.array(z.string()) });

/** Starts the stand-in providers under the providers' real names, and makes the auditor's keys. */
export async function openStage(): Promise<Stage> {
  const dir = await mkdtemp(join(diskTmpdir(), 'lazaret-demo-'));
  const ca = join(dir, 'internet-root.pem');
  const hosts = Object.values(DEMO_HOST).flatMap((host) => ['--host', host]);
  const [provider, keys] = await Promise.all([
    startProgram('test/fake/provider.ts', [...hosts, '--ca', ca, '--record', join(dir, 'received.jsonl')]),
    runProgram('cli/main.ts', ['keys', 'init', '--out', join(dir, 'keys')]),
  ]);
  if (keys.code !== 0) throw new Error(`the auditor's keys could not be made: ${keys.stderr.trim()}`);
  const { port, upstreams } = READY.parse(JSON.parse(provider.firstLine));
  const close = async (): Promise<void> => {
    await provider.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { dir, port, ca, upstreams, close };
}

/** The environment of a program that nobody told where to connect. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const steered = /^(https?_proxy|all_proxy|no_proxy|node_use_env_proxy|(anthropic|openai)_.*|npm_lifecycle_event)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !steered.test(name)));
}

/** What `npm run pod` is told: the stand-ins, and where to leave the evidence. */
export function podArguments(stage: Stage, more: readonly string[] = []): readonly string[] {
  const { dir, ca, upstreams } = stage;
  const places = ['--keys', join(dir, 'keys'), '--store', join(dir, 'store'), '--log', join(dir, 'log')];
  const outside = ['--metrics', join(dir, 'metrics'), '--upstream-ca', ca];
  const served = upstreams.flatMap((upstream) => ['--upstream', upstream]);
  const command = ['sh', '-c', RUN_APPLICATION, 'sh', relative(ROOT, process.execPath), ...more];
  return [...places, ...outside, ...served, '--', ...command];
}

/** The pod holds the checkout beside its trust files, so that uid 1000 finds it even where it lies in somebody's home. */
const RUN_APPLICATION =
  'cd "${SSL_CERT_FILE%/*}/../program" && node=$1 && shift && exec "./$node" --disable-warning=ExperimentalWarning cli/demo/application.ts "$@"';

/** Runs the application in a guarded pod. */
export function runInPod(stage: Stage): Promise<Ended> {
  return runProgram('cli/pod/main.ts', podArguments(stage), plainEnvironment());
}

/** Reads the application's lines. */
export function parseResults(stdout: string): readonly Result[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      const parsed = RESULT.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    });
}

/** What one stand-in provider received; a body that is no UTF-8 is left out. */
const RECEIVED = z.object({ host: z.string(), target: z.string(), body: z.string().default('') });
export type Received = z.infer<typeof RECEIVED>;

/** Everything that the stand-ins received, with the lines as they were kept. */
export async function readReceived(
  stage: Stage,
): Promise<{ readonly raw: string; readonly requests: readonly Received[] }> {
  const raw = await readFile(join(stage.dir, 'received.jsonl'), 'utf8').catch(() => '');
  const lines = raw.split('\n').filter((line) => line !== '');
  return { raw, requests: lines.map((line) => RECEIVED.parse(JSON.parse(line))) };
}

/** The certificate that a host shows to somebody who is in no pod. */
export function directFingerprint(stage: Stage, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: stage.port, servername: host, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
