// Pods of every shape through a real API server, which asks the controller's webhook under the chart's own registrations.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { isPod } from '#controller/admission/pod-shape.ts';
import { applyPatch, makePod } from '#test/controller/admission/fixture.ts';
import { makePossible } from '#test/controller/admission/possible-pod.ts';
import { pods as anyPods } from '#test/controller/admission/pod-arbitrary.ts';
import { expectGuarded } from '#test/controller/admission/tampering.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import {
  GOLDEN,
  GOLDEN_BY_VALUES,
  type Golden,
  goldenNamespace,
  goldenPod,
  REFUSED_ANYWAY,
  RUNTIME_CLASSES,
} from './golden-pods.ts';
import { type Fields, hasGuard, HostRelease } from './host-release.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { type RecordedReview, type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { applyYaml, kubectl, makeNamespace, PLACE, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = 'lazaret-shapes';
const SYSTEM = 'kube-system';
const GUARD = 'lazaret.dev/guard';

let release: HostRelease;
let proxy: RecordingProxy;
/** Where nothing is guarded. */
let plain: string;
/** Where a PHI-bearing pod is guarded. */
let phi: string;
let leaf: { readonly certificate: string; readonly key: string };
let root: string;
let made: readonly string[];

beforeAll(async () => {
  release = await HostRelease.make(RELEASE);
  const authority = await makeTestAuthority();
  leaf = await authority.issue(PLACE.hostAddress);
  root = authority.root;
  writeFileSync(join(release.folder, 'tls.crt'), leaf.certificate);
  writeFileSync(join(release.folder, 'tls.key'), leaf.key);
  writeFileSync(join(release.folder, 'ca.crt'), root);
  plain = await makeNamespace();
  phi = await makeNamespace({ [GUARD]: 'labelled' });
  const all = new Map(GOLDEN.map(goldenNamespace).map((namespace) => [namespace.name, namespace]));
  const own = [...all.values()].filter(({ name }) => name.startsWith('golden-'));
  const classes = RUNTIME_CLASSES.map((name) => ({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name },
    handler: name,
  }));
  const spaces = own.map(({ name, labels }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }));
  await applyAll([...classes, ...spaces]);
  made = own.map(({ name }) => name);
  const account = (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'web', namespace },
  });
  const exemptions = own.filter(({ exempt }) => exempt.length > 0).map(({ name, exempt }) => exemption(name, exempt));
  await applyAll([...[plain, ...made].map(account), ...exemptions]);
  await kubectl(['label', 'namespace', SYSTEM, release.namespace, `${GUARD}=all`]);
  for (const name of made) await waitForAccount(name);
});

afterAll(async () => {
  await tryKubectl(['label', 'namespace', SYSTEM, `${GUARD}-`]);
  await tryKubectl(['delete', 'guardexemptions', '--all']);
  await tryKubectl(['delete', 'runtimeclass', ...RUNTIME_CLASSES]);
  await release.end(plain, phi, ...made);
});

function applyAll(objects: readonly object[]): Promise<string> {
  return applyYaml(objects.map((object) => stringify(object)).join('---\n'));
}

function exemption(namespace: string, hardening: readonly string[]) {
  const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'GuardExemption',
    metadata: { name: `of-${namespace}` },
    spec: {
      reason: 'a test',
      approvedBy: 'tests',
      from: '2026-01-01',
      until,
      namespaces: [namespace],
      grant: { hardening },
    },
  };
}

async function waitForAccount(namespace: string): Promise<void> {
  await waitFor(`the service account of ${namespace}`, async () => {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    return (await release.client.call({ method: 'GET', path })).status === 200 ? true : null;
  });
}

/** A controller under these values, asked through a proxy that keeps what was said. */
async function run(values: object): Promise<void> {
  await release.configure(values);
  const controller = await release.start({ LAZARET_CERTS: 'files', LAZARET_TLS_DIR: release.folder });
  proxy = await startRecordingProxy(leaf, controller.webhookPort);
  const names = [plain, phi, SYSTEM, release.namespace, ...made];
  const namespaces = { key: 'kubernetes.io/metadata.name', operator: 'In', values: names };
  await release.register(
    proxy.port,
    namespaces,
    (hook) => (hook.clientConfig.caBundle = Buffer.from(root).toString('base64')),
  );
  await release.settle(controller);
  await waitFor('the webhook', async () => (hasGuard((await release.create(phi, makePod(), true)).body) ? true : null));
}

async function stop(): Promise<void> {
  await release.removeHooks();
  await proxy.close();
  await release.stop();
}

function ask(golden: Golden): Promise<KubeAnswer> {
  proxy.reviews.length = 0;
  const { name } = goldenNamespace(golden);
  return release.create(name === 'lazaret' ? release.namespace : name, goldenPod(golden), true);
}

const mutations = (): readonly RecordedReview[] => proxy.reviews.filter(({ path }) => path.startsWith('/mutate'));

/** The object of the first call with its patch applied by code that is not the product's. */
function desired(): unknown {
  const [first] = mutations();
  if (first === undefined) throw new Error('the webhook was not asked');
  return applyPatch(first.object, first.patch);
}

/** What an API server makes of a pod that somebody writes by hand: the difference to it is what else became of ours. */
async function written(pod: unknown): Promise<unknown> {
  const { metadata, ...rest } = pod as { readonly metadata: Fields };
  const { labels, annotations } = metadata;
  const answer = await release.create(plain, { ...rest, metadata: { labels, annotations } }, true);
  expect([answer.status, messageOf(answer)]).toEqual([201, '']);
  return lasting(answer.body);
}

/** Without what every request has of its own. */
function lasting(pod: Readonly<Fields>) {
  const { labels, annotations } = pod['metadata'] as Fields;
  return { spec: pod['spec'], labels, annotations };
}

/** What must be true of every pod that the API server took as one of ours. */
async function expectInjected({ body }: KubeAnswer): Promise<void> {
  const [first, ...again] = mutations();
  expect(first?.patch.length).toBeGreaterThan(0);
  // The API server asks again by itself after it added the account's token.
  for (const { patch } of again) expect(patch).toEqual([]);
  expect(lasting(body)).toEqual(await written(desired()));
  if (first === undefined) return;
  // The same request, with the pod as it ended.
  const { labels, annotations } = body['metadata'] as Fields;
  const object = { ...body, metadata: { ...(first.object as { metadata: Fields }).metadata, labels, annotations } };
  const second = await proxy.ask('/mutate', { ...first.review, request: { ...first.review.request, object } });
  expect([second.allowed, second.patch]).toEqual([true, []]);
}

describe.each([...GOLDEN_BY_VALUES])('under the values %s', (text, group) => {
  beforeAll(() => run(JSON.parse(text) as object));
  afterAll(stop);

  const of = (kind: Golden['expect']) =>
    group.filter((golden) => golden.expect === kind).map((golden) => [golden.name, golden] as const);
  const isRefused = ({ name }: Golden): boolean => REFUSED_ANYWAY.includes(name);

  it.for(of('denied'))('%s: is denied with the rule, the field and a remedy', async ([, golden]) => {
    const answer = await ask(golden);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    if (isRefused(golden) && !messageOf(answer).includes('denied the request')) return;
    for (const rule of golden.rules ?? [])
      expect(messageOf(answer)).toMatch(new RegExp(`${rule} [\\w.[\\]"/-]+: .+\\. [A-Z].+\\.`));
  });

  it.for(of('not-ours'))('%s: is taken as it is', async ([, golden]) => {
    const answer = await ask(golden);
    expect([answer.status, messageOf(answer)]).toEqual([201, '']);
    expect(hasGuard(answer.body)).toBe(false);
    expect(mutations().flatMap(({ patch }) => patch)).toEqual([]);
  });

  it.for(of('injected'))('%s: is taken with our patch and nothing else', async ([, golden]) => {
    const answer = await ask(golden);
    const pod = desired();
    if (!isPod(pod)) throw new Error('the patched object is no pod');
    expect(pod.spec?.initContainers?.slice(0, 2).map(({ name }) => name)).toEqual(['lazaret-init', 'lazaret-sidecar']);
    if (isRefused(golden)) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      return;
    }
    expect([answer.status, messageOf(answer)]).toEqual([201, '']);
    await expectInjected(answer);
  });
});

describe('under the default values', () => {
  beforeAll(() => run({}));
  afterAll(stop);

  it('any pod is guarded, denied with a rule, refused by the API server itself, or not ours', async () => {
    const seen = { guarded: 0, denied: 0, refused: 0, free: 0 };
    const pods = fc.oneof({ arbitrary: anyPods.map(makePossible), weight: 3 }, { arbitrary: anyPods, weight: 1 });
    await fc.assert(
      fc.asyncProperty(pods, async (pod) => {
        proxy.reviews.length = 0;
        const answer = await release.create(phi, pod, true);
        const { status } = answer;
        if (status === 201 && isFree(answer.body)) {
          seen.free += 1;
          expect(mutations().flatMap(({ patch }) => patch)).toEqual([]);
          return;
        }
        if (status === 201) {
          seen.guarded += 1;
          expectGuarded(answer.body);
          await expectInjected(answer);
          return;
        }
        if (!messageOf(answer).includes('denied the request')) {
          seen.refused += 1;
          expect([400, 403, 422]).toContain(status);
          return;
        }
        seen.denied += 1;
        expect(messageOf(answer)).toMatch(/(?:B|ADM)-\d\d [\w.[\]"/-]+: .+\. [A-Z].+\./);
      }),
      { numRuns: 150, seed: 11 },
    );
    expect(Math.min(seen.guarded, seen.denied, seen.refused, seen.free)).toBeGreaterThan(5);
  });

  it('the pods of every kind of workload are guarded', async () => {
    const template = {
      metadata: { labels: { app: 'shapes', 'lazaret.dev/phi': 'true' } },
      // No node takes them: they are looked at and do not run.
      spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'registry.example/app:1' }] },
    };
    const once = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
    const selector = { matchLabels: { app: 'shapes' } };
    const made = (apiVersion: string, kind: string, spec: object) => ({
      apiVersion,
      kind,
      metadata: { name: kind.toLowerCase(), namespace: phi },
      spec,
    });
    await applyAll([
      made('apps/v1', 'Deployment', { selector, template }),
      made('apps/v1', 'StatefulSet', { selector, template, serviceName: 'shapes' }),
      made('apps/v1', 'DaemonSet', { selector, template }),
      made('apps/v1', 'ReplicaSet', { selector, template }),
      made('v1', 'ReplicationController', { selector: { app: 'shapes' }, template }),
      made('batch/v1', 'Job', { template: once }),
      made('batch/v1', 'CronJob', { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: once } } }),
    ]);
    await kubectl(['create', 'job', 'by-hand', '--from=cronjob/cronjob', `--namespace=${phi}`]);
    const owners = ['by-hand', 'daemonset', 'deployment', 'job', 'replicaset', 'replicationcontroller', 'statefulset'];
    const pods = await waitFor('a pod of each', async () => {
      const { body } = await release.client.call({ method: 'GET', path: `/api/v1/namespaces/${phi}/pods` });
      const items = body['items'] as { readonly metadata: { readonly name: string } }[];
      return owners.every((owner) => items.some(({ metadata }) => metadata.name.startsWith(owner))) ? items : null;
    });
    for (const pod of pods) expectGuarded(pod);
  });
});

function isFree(pod: Readonly<Fields>): boolean {
  const { labels } = pod['metadata'] as { readonly labels?: Readonly<Record<string, string>> };
  return labels?.['lazaret.dev/phi'] === 'false';
}
