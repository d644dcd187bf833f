import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POD_PORT } from '#contract/pod-paths.ts';
import { asUser, inPod } from './application.ts';
import type { PodIdentity } from './identity.ts';
import type { PodJob } from './job.ts';
import { PodError } from './job.ts';
import type { PodPolicy } from './material.ts';
import { makeAuditKeys, readPolicy, signPolicy, writeCollectorCertificate } from './material.ts';
import type { PodPlaces } from './mounts.ts';
import { POD_NETWORK } from './network.ts';
import type { KeptProgram } from './program.ts';
import { keepRunning, startProgram } from './program.ts';

/** One run, as its parts see it. */
export interface Pod {
  readonly job: PodJob;
  readonly places: PodPlaces;
  readonly identity: PodIdentity;
  /** File descriptor of the programs' log. */
  readonly log: number;
  readonly logFile: string;
  readonly path: string;
}

/** The heap that the image gives the sidecar, and no debugger by signal. */
const SIDECAR_FLAGS = [
  '--disable-sigusr1',
  '--max-semi-space-size=2',
  '--max-old-space-size=96',
  '--no-memory-pool',
] as const;
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'] as const;

/** Runs `lazaret-init` in the pod's network. @throws PodError with its own sentence when it refuses */
async function runInit(pod: Pod, constraints: readonly string[]): Promise<void> {
  const { places, identity, job } = pod;
  const program = startProgram({
    command: [...inPod(places), process.execPath, ...NODE_FLAGS, `${places.program}/sidecar/init.ts`],
    environment: {
      PATH: pod.path,
      LAZARET_UID: String(identity.uid),
      LAZARET_GID: String(identity.gid),
      LAZARET_CA_DIR: places.authority,
      LAZARET_TRUST_DIR: places.trust,
      LAZARET_CONSTRAINTS: constraints.join(','),
      LAZARET_RESOLVERS: POD_NETWORK.outer,
      ...(job.options.upstreamCa === undefined ? {} : { LAZARET_EXTRA_ROOTS: job.options.upstreamCa }),
    },
    log: pod.log,
  });
  if ((await program.ended) !== 0) throw new PodError(`the pod is not guarded: ${lastLogLine(pod.logFile)}`);
}

/** Starts the collector outside the pod, and what it and the pod know each other by. */
export async function startCollector(pod: Pod): Promise<KeptProgram> {
  const { places, identity, job } = pod;
  const store = job.options.store ?? places.store;
  await mkdir(store, { recursive: true, mode: 0o700 });
  await writeFile(`${places.dir}/collector.token`, identity.enrolToken, { mode: 0o400 });
  await writeCollectorCertificate(POD_NETWORK.outer, `${places.dir}/collector.key`, `${places.dir}/collector.pem`);
  return keepRunning({
    command: [process.execPath, ...NODE_FLAGS, `${places.program}/collector/main.ts`],
    environment: {
      PATH: pod.path,
      LAZARET_LISTEN: `${POD_NETWORK.outer}:${POD_NETWORK.collectorPort}`,
      LAZARET_TLS_CERT: `${places.dir}/collector.pem`,
      LAZARET_TLS_KEY: `${places.dir}/collector.key`,
      LAZARET_STORE: store,
      LAZARET_SIGNING_KEY: `${places.dir}/collector.jwk`,
      LAZARET_OPS: '127.0.0.1:0',
      LAZARET_ENROL_TOKEN: `${places.dir}/collector.token`,
    },
    log: pod.log,
  });
}

/** Compiles and signs the policy, guards the network, and chooses whom the evidence is sealed to: all at once. */
export async function prepareGuard(pod: Pod): Promise<PodPolicy> {
  const { places, job } = pod;
  const nowMs = Date.now();
  const file = job.options.policy ?? join(job.root, 'cli/pod/default-policy.yaml');
  const policy = await readPolicy(file, job.options.monitor, nowMs);
  await Promise.all([runInit(pod, policy.constraints), writeBundle(pod, policy, nowMs), chooseRecipients(pod)]);
  await giveToSidecar(pod, `${places.dir}/enrol.token`, pod.identity.enrolToken);
  return policy;
}

/** Starts the sidecar in the pod that `prepareGuard` made ready. */
export async function startSidecar(pod: Pod, { namespace }: PodPolicy): Promise<KeptProgram> {
  const { places, identity, job } = pod;
  const spool = job.options.spool ?? places.spool;
  await mkdir(spool, { recursive: true, mode: 0o700 });
  changeOwner(spool, identity.uid, identity.gid, pod.path);
  const owner = asUser(identity.uid, identity.gid);
  return keepRunning({
    command: [
      ...inPod(places),
      ...owner,
      process.execPath,
      ...SIDECAR_FLAGS,
      ...NODE_FLAGS,
      `${places.program}/sidecar/main.ts`,
    ],
    environment: { ...sidecarEnvironment(pod, spool), LAZARET_POD_NAMESPACE: namespace },
    log: pod.log,
  });
}

function sidecarEnvironment(pod: Pod, spool: string): Readonly<Record<string, string>> {
  const { places, identity, job } = pod;
  const { dir } = places;
  return {
    PATH: pod.path,
    MALLOC_ARENA_MAX: '1',
    // Fixed, so that freed bodies go back to the kernel: glibc raises it to the size of what was freed.
    MALLOC_MMAP_THRESHOLD_: '32768',
    MALLOC_TRIM_THRESHOLD_: '65536',
    UV_THREADPOOL_SIZE: '2',
    LAZARET_BUNDLE: `${dir}/bundle`,
    LAZARET_BUNDLE_KEY: `${dir}/bundle.public.jwk`,
    LAZARET_CA_DIR: places.authority,
    LAZARET_RECIPIENTS: `${dir}/recipients.jwks`,
    LAZARET_SPOOL: spool,
    LAZARET_COLLECTOR: `https://${POD_NETWORK.outer}:${POD_NETWORK.collectorPort}`,
    LAZARET_COLLECTOR_CA: `${dir}/collector.pem`,
    LAZARET_ENROL_TOKEN: `${dir}/enrol.token`,
    ...(job.options.upstreamCa === undefined ? {} : { LAZARET_UPSTREAM_CA: `${dir}/upstream-ca.pem` }),
    LAZARET_RESOLVERS: POD_NETWORK.outer,
    LAZARET_LISTEN: `127.0.0.1:${POD_PORT.intercept},[::1]:${POD_PORT.intercept}`,
    LAZARET_OPS: `[::]:${POD_PORT.ops}`,
    LAZARET_POD_NAME: identity.name,
    LAZARET_POD_UID: identity.podUid,
    LAZARET_SERVICE_ACCOUNT: 'default',
    LAZARET_NODE: 'pod-run',
    LAZARET_CHAIN: identity.chain,
  };
}

async function writeBundle(pod: Pod, { policy }: PodPolicy, nowMs: number): Promise<void> {
  const { dir } = pod.places;
  const { bundle, key } = await signPolicy(policy, nowMs);
  await writeFile(`${dir}/bundle`, bundle, { mode: 0o644 });
  await writeFile(`${dir}/bundle.public.jwk`, key, { mode: 0o644 });
}

async function chooseRecipients(pod: Pod): Promise<void> {
  const { dir } = pod.places;
  const { keys = `${dir}/keys`, upstreamCa } = pod.job.options;
  if (pod.job.options.keys === undefined) await makeAuditKeys(keys);
  const remedy = '--keys: make the directory with "lazaret keys init --out DIR"';
  const recipients = readGiven(`${keys}/recipients.public.jwks`, remedy);
  await writeFile(`${dir}/recipients.jwks`, recipients, { mode: 0o644 });
  if (upstreamCa === undefined) return;
  const roots = readGiven(upstreamCa, '--upstream-ca must be a PEM file of certificates');
  await writeFile(`${dir}/upstream-ca.pem`, roots, { mode: 0o644 });
}

async function giveToSidecar(pod: Pod, file: string, content: string): Promise<void> {
  await writeFile(file, content, { mode: 0o400 });
  await chown(file, pod.identity.uid, pod.identity.gid);
}

/** The spool belongs to the sidecar while it runs and to its former owner afterwards. */
export async function returnSpool(pod: Pod): Promise<void> {
  if (pod.job.options.spool === undefined) return;
  const parent = await stat(join(pod.job.options.spool, '..'));
  changeOwner(pod.job.options.spool, parent.uid, parent.gid, pod.path);
}

function changeOwner(dir: string, uid: number, gid: number, path: string): void {
  const { status } = spawnSync('chown', ['-R', '-P', '-h', `${uid}:${gid}`, '--', dir], { env: { PATH: path } });
  if (status !== 0) throw new PodError(`the spool ${dir} cannot be given to the sidecar`);
}

function readGiven(file: string, remedy: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new PodError(`${file} cannot be read (${remedy})`);
  }
}

/** The last thing a program said before it ended. */
export function lastLogLine(file: string): string {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.at(-1) ?? 'its log is empty';
}
