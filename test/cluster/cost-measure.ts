// What `npm run cost` asks of a cluster with the product in it.
import { setTimeout as delay } from 'node:timers/promises';
import type { Prompt } from '../../bench/prompt.ts';
import { makePod } from '#test/controller/admission/fixture.ts';
import type { Sample } from './cost-table.ts';
import { KubeClient } from './kube-client.ts';
import { appSpec, createApp, PHI, runInApp } from './product-apps.ts';
import { getObject, kubectl, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** A program whose metrics can be read. */
export interface Program {
  readonly address: string;
  readonly port: number;
}

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const LOOK_MS = 50;

/** Creates a pod of one container. @returns ms until it is Ready */
export async function timeToReady(client: KubeClient, namespace: string, name: string): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: PHI }, spec: appSpec() };
  const begun = performance.now();
  const made = await client.call({ method: 'POST', path, body });
  if (made.status !== 201) throw new Error(`the pod ${name} was not created: ${made.status}`);
  for (;;) {
    const { body: found } = await client.call({ method: 'GET', path: `${path}/${name}` });
    const { status } = found as unknown as PodObject;
    if (status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true) break;
    if (performance.now() - begun > 120_000) throw new Error(`the pod ${name} is not Ready after 2 minutes`);
    await delay(LOOK_MS);
  }
  const took = performance.now() - begun;
  await kubectl(['delete', 'pod', name, `--namespace=${namespace}`, '--now']);
  return took;
}

/** Starts an application that can call the provider; `root` is the authority that it trusts without a guard. */
export async function startCaller(namespace: string, root: string | null): Promise<void> {
  if (root !== null) {
    const data = { 'root.pem': root };
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'root' }, data };
    await kubectl(['apply', '--filename=-'], { input: JSON.stringify(config) });
  }
  const spec = appSpec() as { readonly containers: readonly object[] };
  const trusting = spec.containers.map((container) => ({
    ...container,
    env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/root-ca/root.pem' }],
    volumeMounts: [{ name: 'root', mountPath: '/root-ca' }],
  }));
  const volumes = [{ name: 'root', configMap: { name: 'root' } }];
  await createApp(namespace, 'caller', root === null ? {} : { spec: { containers: trusting, volumes } });
  await kubectl(['wait', 'pod/caller', `--namespace=${namespace}`, '--for=condition=Ready', '--timeout=120s']);
}

/** How calls are made. */
export interface Calls {
  /** At the same time, each after the other. */
  readonly callers: number;
  readonly count: number;
  readonly seconds: number;
}

/** Calls the provider from a pod over kept connections, so often or for so long. @returns ms of each call; fails where one is not answered */
export function callOften(namespace: string, { body, restored }: Prompt, calls: Calls): Promise<readonly number[]> {
  const script = `
    const body = Buffer.from('${body.toString('base64')}', 'base64');
    const headers = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-api03-of-the-cost' };
    const times = [];
    const end = performance.now() + ${calls.seconds * 1000};
    let left = ${calls.count};
    const caller = async () => {
      while (left-- > 0 && performance.now() < end) {
        const begun = performance.now();
        const answer = await fetch('https://api.anthropic.com/v1/messages', { method: 'POST', headers, body });
        const text = await answer.text();
        times.push(Math.round((performance.now() - begun) * 1000) / 1000);
        if (answer.status !== 200) throw new Error(answer.status + ' ' + text);
      }
    };
    await Promise.all(Array.from({ length: ${calls.callers} }, caller));
    const answer = await fetch('https://api.anthropic.com/v1/messages', { method: 'POST', headers, body });
    const { content } = await answer.json();
    console.log(JSON.stringify({ times, text: content[0].text }));
  `;
  return runInApp<{ readonly times: readonly number[]; readonly text: string }>(namespace, 'caller', script).then(
    ({ times, text }) => {
      if (namespaceIsGuarded(namespace) && text !== restored) throw new Error(`the answer is not restored: ${text}`);
      return times;
    },
  );
}

const guarded = new Set<string>();

/** Remembers that answers must come restored in a namespace. */
export function expectRestored(namespace: string): void {
  guarded.add(namespace);
}

function namespaceIsGuarded(namespace: string): boolean {
  return guarded.has(namespace);
}

/** Asks for reviews of pods, so many a second, until it is ended. @returns how many were made */
export function reviewPods(client: KubeClient, namespace: string, perSecond: number): () => Promise<number> {
  const load = { on: true, made: 0 };
  const { metadata, ...pod } = makePod();
  const body = { ...pod, metadata: { ...metadata, name: undefined, generateName: 'reviewed-', namespace } };
  const running = (async () => {
    while (load.on) {
      await client.call({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body });
      load.made += 1;
      await delay(1_000 / perSecond);
    }
  })();
  return async () => {
    load.on = false;
    await running;
    return load.made;
  };
}

/** The first pod of a component, or the pod that is named, with the port of its metrics. */
export async function findProgram(namespace: string, selector: string, port: number): Promise<Program> {
  const { items } = (await getObject(['pods', `--namespace=${namespace}`, selector])) as unknown as {
    readonly items: readonly PodObject[];
  };
  const address = items[0]?.status?.podIP;
  if (address === undefined) throw new Error(`there is no pod for ${selector} in ${namespace}`);
  return { address, port };
}

interface Reading {
  readonly cpuSeconds: number;
  readonly bytes: number;
  readonly atMs: number;
}

async function readProgram({ address, port }: Program): Promise<Reading> {
  const text = await (await fetch(`http://${address}:${port}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name}(?:{[^}]*})? ([\\d.e+-]+)`, 'm').exec(text)?.[1]);
  const cpuSeconds = value('process_cpu_seconds_total');
  return { cpuSeconds, bytes: value('process_resident_memory_bytes'), atMs: performance.now() };
}

/** Reads programs, lets something happen, and reads them again. */
export async function sample(programs: readonly Program[], work: () => Promise<void>): Promise<readonly Sample[]> {
  const before = await Promise.all(programs.map(readProgram));
  await work();
  const after = await Promise.all(programs.map(readProgram));
  return after.map(({ cpuSeconds, bytes, atMs }, at) => {
    const first = before[at] ?? { cpuSeconds: 0, atMs: 0 };
    const seconds = (atMs - first.atMs) / 1_000;
    return { millicores: ((cpuSeconds - first.cpuSeconds) / seconds) * 1_000, memory: bytes / 2 ** 20 };
  });
}

/** Waits until the guard of a namespace serves: its policy and agreement are there. */
export function waitForService(namespace: string, prompt: Prompt): Promise<true> {
  const once = { callers: 1, count: 1, seconds: 10 };
  return waitFor(
    'the first answer',
    async () => ((await callOften(namespace, prompt, once)).length > 0 ? true : null),
    120,
  );
}

/** A client of the API server for many small requests. */
export function openClient(): KubeClient {
  return new KubeClient(PLACE.kubeconfig);
}
