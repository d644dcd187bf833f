import { afterAll, beforeAll, expect, test } from 'vitest';
import { doctor } from '#cli/doctor.ts';
import { openApi } from '#cli/doctor-api.ts';
import { takeSnapshot } from '#cli/doctor-read.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

let release = '';
let clinic = '';
let open = '';

const LABELS = { 'app.kubernetes.io/part-of': 'lazaret', 'app.kubernetes.io/component': 'controller' };

/** A pod that the scheduler passes over: doctor looks at objects, not at what runs. */
function pod(namespace: string, name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { 'lazaret.dev/phi': 'true' } },
    spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'app' }] },
  };
}

beforeAll(async () => {
  process.env['KUBECONFIG'] = PLACE.kubeconfig;
  [release, clinic, open] = await Promise.all([makeNamespace(), makeNamespace(), makeNamespace()]);
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: release, name: 'acme-lazaret-controller', labels: LABELS },
    spec: {
      replicas: 2,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: { schedulerName: 'nobody', containers: [{ name: 'controller', image: 'lazaret/controller:0.1.0' }] },
      },
    },
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: release, name: 'acme-lazaret-keys' },
    stringData: { 'identity.key': 'not-to-be-read' },
  };
  const objects = [deployment, secret, pod(clinic, 'made-before'), pod(open, 'unheard')];
  await applyYaml(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  // After its pod: what is made before the label stays unguarded.
  await kubectl(['label', 'namespace', clinic, 'lazaret.dev/guard=labelled']);
});
afterAll(() => Promise.all([release, clinic, open].map((name) => deleteNamespace(name))));

async function run(...args: string[]): Promise<{ code: number; lines: Record<string, unknown>[] }> {
  const io = terminal();
  const code = await doctor(['--json', ...args], io);
  const lines = io.out
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, lines };
}

test('the doctor finds a release by its labels and says of a real cluster what is broken', async () => {
  const { code, lines } = await run('--namespace', release);
  expect(code).toBe(1);
  const texts = lines.map(({ level, text }) => `${String(level)} ${String(text)}`);
  expect(texts).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^ok Kubernetes v1\.\d+\.\d+.*, release acme-lazaret in the namespace /),
      'broken 0 of 2 controller pods are ready (lazaret/controller:0.1.0): no PHI-bearing pod can be created',
      'broken there is no StatefulSet acme-lazaret-collector',
      'broken there is no MutatingWebhookConfiguration acme-lazaret',
      'broken there is no ValidatingAdmissionPolicy of the release',
      'ok the Secret acme-lazaret-keys is there',
      `ok the namespace ${clinic} is guarded: pods labelled PHI-bearing`,
      `broken the pod ${clinic}/made-before must be guarded and has no sidecar: it is older than its guard, or came in while admission was off`,
      `broken the pod ${open}/unheard is labelled PHI-bearing, but its namespace is not guarded`,
    ]),
  );
});

test('the content of Secrets stays in the cluster', async () => {
  const snapshot = await takeSnapshot(openApi(), { namespace: release, name: undefined });
  expect(JSON.stringify(snapshot.listings.secrets)).toContain('acme-lazaret-keys');
  expect(JSON.stringify(snapshot)).not.toContain(Buffer.from('not-to-be-read').toString('base64'));
});

test('a cluster without a release says so, and a pod that is gone is not named', async () => {
  await kubectl(['delete', 'pod', 'unheard', `--namespace=${open}`, '--grace-period=0', '--force']);
  await waitFor('the end of the pod', async () => {
    const { lines } = await run('--namespace', open);
    return lines.some(({ text }) => String(text).includes(`${open}/unheard`)) ? null : true;
  });
  const { code, lines } = await run('--namespace', open);
  expect(code).toBe(1);
  expect(lines[0]).toMatchObject({ check: 'release', level: 'broken' });
});
