// What is done to the node below the product: a small evidence volume, programs beside the guard, files of a pod.
import { spawn } from 'node:child_process';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompactSign, generateKeyPair } from 'jose';
import { genesis, isChainId } from '#contract/chain.ts';
import { type Expected, expectedSchema, readStatement } from '#contract/chain-protocol.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import { enterCluster, findCluster } from './namespace.ts';
import { volumeFolder } from './product-volume.ts';
import { runCommand } from './run-command.ts';
import { getObject, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const VOLUME = volumeFolder(PLACE);
const VOLUME_BYTES = 512 * 1024 * 1024;

function inNode(command: readonly string[]): Promise<string> {
  const pid = findCluster(PLACE);
  if (pid === null) throw new Error('the cluster does not run');
  return runCommand([...enterCluster(pid), ...command]);
}

/** Puts a file system of its own below the evidence volume, so that a full one is this test's alone. */
export async function mountVolume(): Promise<void> {
  await mkdir(VOLUME, { recursive: true });
  await inNode(['mount', '-t', 'tmpfs', '-o', `size=${VOLUME_BYTES}`, 'tmpfs', VOLUME]);
}

/** Takes it away again; the collector must be gone. */
export async function unmountVolume(): Promise<void> {
  // Where the folder was removed from outside, the mount went with it.
  await inNode(['umount', '--lazy', VOLUME]).catch(() => undefined);
  await rm(VOLUME, { recursive: true, force: true });
}

/** Fills the evidence volume but for a tenth. @returns the way to empty it */
export async function fillVolume(): Promise<() => Promise<void>> {
  const file = join(VOLUME, 'other-things');
  await inNode(['fallocate', '--length', String(Math.floor(VOLUME_BYTES * 0.9)), file]);
  return async () => void (await inNode(['rm', file]));
}

/**
 * Leaves a full list of chains on the evidence volume, as a release of the same name would that ran here for years. A list that is there
 * already keeps its time of writing.
 * @param untilMs when its lines have been kept for as long as evidence is
 */
export async function leaveFullList(untilMs: number): Promise<void> {
  const end = new Date(untilMs - LIMIT.expectedKeptMs).toISOString();
  const chains = Array.from({ length: LIMIT.expectedChains }, (_, at) => `former-chain-${at}`)
    .filter(isChainId)
    .map((chain, at) => {
      const head = genesis(chain).hash.toString('base64url');
      return { chain, pod: `former/pod-${at}`, from: end, to: end, seq: 0, head };
    });
  const folder = `/proc/${findCluster(PLACE)}/root${VOLUME}/evidence`;
  const file = join(folder, 'expected.jws');
  const former = readStatement(await readFile(file, 'utf8').catch(() => ''), SIGNED_TYPE.expected, expectedSchema);
  const list: Expected = { v: 1, iat: former?.claim.iat ?? Math.floor(Date.now() / 1_000), chains };
  const { privateKey } = await generateKeyPair('ES256');
  const jws = await new CompactSign(Buffer.from(JSON.stringify(list)))
    .setProtectedHeader({ alg: 'ES256', typ: SIGNED_TYPE.expected, kid: 'former' })
    .sign(privateKey);
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${jws}\n`);
}

interface GuardedPod {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly initContainers: readonly {
      readonly name: string;
      readonly securityContext: { readonly runAsUser: number };
    }[];
  };
  readonly status: { readonly containerStatuses: readonly { readonly containerID: string }[] };
}

async function readPod(namespace: string, pod: string): Promise<GuardedPod> {
  return (await getObject([`pod/${pod}`, `--namespace=${namespace}`])) as unknown as GuardedPod;
}

/** Runs a program that listens in a pod's network under the uid of its guard. @returns the way to end it */
export async function listenAsGuard(namespace: string, pod: string): Promise<() => Promise<void>> {
  const { spec, status } = await readPod(namespace, pod);
  const uid = spec.initContainers.find(({ name }) => name === 'lazaret-sidecar')?.securityContext.runAsUser;
  const container = status.containerStatuses[0]?.containerID.replace('containerd://', '') ?? 'none';
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && cgroupOf(name).includes(container));
  if (pid === undefined || uid === undefined) throw new Error(`${pod} has no process on the node`);
  const listen = 'my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die; sleep 300';
  const user = ['setpriv', `--reuid=${uid}`, '--regid=65534', '--clear-groups', '--pdeathsig=KILL'];
  const command = [`--net=/proc/${pid}/ns/net`, ...user, 'perl', '-MIO::Socket::INET', '-e', listen];
  const child = spawn('nsenter', command, { stdio: 'ignore' });
  return async () => void child.kill('SIGKILL');
}

function cgroupOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}

/** Removes the oldest segment of records from a pod's disk, as somebody with the node's root could. */
export async function removeOldestSegment(namespace: string, pod: string): Promise<void> {
  const { metadata } = await readPod(namespace, pod);
  const volumes = join(PLACE.state, 'kubelet/pods', metadata.uid, 'volumes/kubernetes.io~empty-dir');
  const segments = await waitFor('two segments of records on the disk of the pod', async () => {
    const found = globSync(join(volumes, '*/**/*.seg')).toSorted();
    return found.length > 1 ? found : null;
  });
  await rm(segments[0] ?? '');
}
