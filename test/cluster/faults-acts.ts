// How tests break things, and what they wait for.
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { LIMIT } from '#contract/limit.ts';
import { formatAuthority, parseAuthority } from '#controller/serving/authority-state.ts';
import { makeAuthority } from '#controller/serving/certificate.ts';
import { partFolder } from './build.ts';
import { KubeClient } from './kube-client.ts';
import { startParts } from './namespace.ts';
import { NODE_NAME, type ClusterPlace } from './place.ts';
import { prepareNode } from './node.ts';
import { appSpec, PHI } from './product-apps.ts';
import { kubectl, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = '--namespace=lazaret';

/** Scales a workload of the release and waits until it is so. */
export async function scale(workload: string, replicas: number): Promise<void> {
  await kubectl(['scale', workload, RELEASE, `--replicas=${replicas}`]);
  if (replicas > 0) return void (await kubectl(['rollout', 'status', workload, RELEASE, '--timeout=180s']));
  const component = workload.split('-').at(-1);
  const pods = ['get', 'pods', RELEASE, `--selector=app.kubernetes.io/component=${component}`, '--output=name'];
  await waitFor(`the end of ${workload}`, async () => ((await kubectl(pods)).trim() === '' ? true : null), 120);
}

/** Replaces every pod of a workload of the release, one after another. */
export async function restartRollout(workload: string): Promise<void> {
  await kubectl(['rollout', 'restart', workload, RELEASE]);
  await kubectl(['rollout', 'status', workload, RELEASE, '--timeout=180s']);
}

/** Kills the node's container runtime, as a crash would, waits for something, and starts it again. */
export async function restartRuntime(meanwhile: () => Promise<void>): Promise<void> {
  const pids = findRuntime(PLACE);
  if (pids.length === 0) throw new Error('the node has no container runtime');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  try {
    await waitFor('the end of the runtime', () => Promise.resolve(findRuntime(PLACE).length === 0 ? true : null));
    await meanwhile();
  } finally {
    const folders = { kubernetes: await partFolder('kubernetes'), containerd: await partFolder('containerd') };
    await startParts(PLACE, await prepareNode(PLACE, folders));
  }
  await kubectl(['wait', `node/${NODE_NAME}`, '--for=condition=Ready', '--timeout=120s']);
}

function findRuntime({ state }: ClusterPlace): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && commandOf(name).includes(`--config=${state}/containerd.toml`))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}

/** Ends a pod as a node's drain does. @returns when it is gone */
export async function evict(namespace: string, pod: string): Promise<void> {
  const client = new KubeClient(PLACE.kubeconfig);
  try {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name: pod } };
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
    const { status } = await client.call({ method: 'POST', path, body });
    if (status !== 201) throw new Error(`the eviction was answered with ${status}`);
  } finally {
    client.close();
  }
  await kubectl(['wait', `pod/${pod}`, `--namespace=${namespace}`, '--for=delete', '--timeout=120s']);
}

/** Asks for PHI-bearing pods, without making them, one after another while something else is done. @returns what was not admitted */
export async function admitAllTheWhile(namespace: string, work: () => Promise<void>): Promise<readonly string[]> {
  const client = new KubeClient(PLACE.kubeconfig);
  const denied: string[] = [];
  const load = { on: true, asked: 0 };
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const metadata = { namespace, generateName: 'asked-', labels: PHI };
  const loop = async (): Promise<void> => {
    while (load.on) {
      const body = { apiVersion: 'v1', kind: 'Pod', metadata, spec: appSpec() };
      const answer = await client.call({ method: 'POST', path, body });
      if (answer.status !== 201) denied.push(String(answer.body['message']));
      load.asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const running = loop();
  try {
    await work();
  } finally {
    load.on = false;
    await running;
    client.close();
  }
  return load.asked === 0 ? ['nothing was asked'] : denied;
}

/** How long the next authority is announced in a test before it signs; every replica looks each `LIMIT.servingCheckMs`. */
const ANNOUNCED_MS = 30_000;

/** Lets the release's authority begin its turn now, with an announcement that is nearly over. @returns the next root, PEM */
export async function beginTurn(): Promise<string> {
  const secret = JSON.parse(await kubectl(['get', 'secret/lazaret-authority', RELEASE, '--output=json'])) as {
    readonly data: Readonly<Record<string, string>>;
  };
  const state = parseAuthority(secret.data);
  if (state === null) throw new Error('the Secret of the authority cannot be read');
  const since = Date.now() - LIMIT.authorityAnnounceMs + ANNOUNCED_MS;
  const next = { ...(await makeAuthority(Date.now())), since };
  const changed = { ...secret, data: formatAuthority({ ...state, next }) };
  await kubectl(['replace', '--filename=-'], { input: JSON.stringify(changed) });
  return next.certificate;
}

/** Waits until a Service of the release shows a certificate of one root, whatever else its chain holds. */
export async function waitForRoot(service: string, port: number, root: string): Promise<void> {
  const address = (await kubectl(['get', `service/${service}`, RELEASE, '--output=jsonpath={.spec.clusterIP}'])).trim();
  const isUnder = (): Promise<true | null> =>
    new Promise((resolve, reject) => {
      const servername = `${service}.lazaret.svc`;
      const socket = connect({ host: address, port, servername, ca: root, rejectUnauthorized: false }, () => {
        const good = socket.authorized;
        socket.destroy();
        resolve(good ? true : null);
      });
      socket.on('error', reject);
    });
  await waitFor(`${service} to show a certificate of the next root`, isUnder, 180);
}
