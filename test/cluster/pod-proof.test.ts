import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ENROL_PATH, EXPECTED_PATH } from '#contract/chain-protocol.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { SigningKey } from '#sidecar/audit/signing-key.ts';
import { ask } from '#test/collector/ask.ts';
import { newChain } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder } from '#test/sidecar/audit/rig.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE } from './test-cluster.ts';

let namespace = '';
const ROLE = 'lazaret-test-token-reviews';

beforeAll(async () => {
  namespace = await makeNamespace();
  const account = (name: string) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: 'triage-0' },
    spec: { schedulerName: 'nobody', serviceAccountName: 'triage', containers: [{ name: 'app', image: 'app' }] },
  };
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: ROLE },
    rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
  };
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: ROLE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: ROLE },
    subjects: [{ kind: 'ServiceAccount', namespace, name: 'collector' }],
  };
  const accounts = ['triage', 'collector', 'lazaret-controller', 'powerless'].map((name) => account(name));
  await applyYaml([...accounts, pod, role, binding].map((object) => JSON.stringify(object)).join('\n---\n'));
});
afterAll(async () => {
  await kubectl(['delete', 'clusterrolebinding,clusterrole', ROLE]);
  await deleteNamespace(namespace);
});

async function token(account: string, ...args: string[]): Promise<string> {
  return (await kubectl(['create', 'token', account, `--namespace=${namespace}`, ...args])).trim();
}

const OURS = ['--audience=lazaret.dev'];
const BOUND = ['--bound-object-kind=Pod', '--bound-object-name=triage-0'];

/** A collector on the machine that asks the real API server under an account of the cluster. */
async function startCollector(account = 'collector') {
  const { cluster } = (
    parse(readFileSync(PLACE.kubeconfig, 'utf8')) as { clusters: { cluster: Record<string, string> }[] }
  ).clusters[0]!;
  const dir = folder();
  writeFileSync(join(dir, 'token'), await token(account));
  writeFileSync(join(dir, 'ca.crt'), Buffer.from(cluster['certificate-authority-data']!, 'base64'));
  const rig = await collectorRig(folder(), undefined, {
    LAZARET_POD_PROOF: 'kubernetes',
    LAZARET_API_SERVER: cluster['server'],
    LAZARET_SERVICE_ACCOUNT_DIR: dir,
    LAZARET_CONTROLLER: `system:serviceaccount:${namespace}:lazaret-controller`,
  });
  const to = { port: (await rig.start()).port, ca: rig.ca };
  const enrol = (bearer: string, workload: string) => {
    const signing = SigningKey.create();
    const body = signing.sign(
      SIGNED_TYPE.enrol,
      JSON.stringify({ v: 1, chain: newChain(), workload, key: signing.public, iat: 1 }),
    );
    return ask(to, { method: 'POST', path: ENROL_PATH, bearer, body });
  };
  return { to, enrol };
}

test('a token that the API server bound to a pod for us enrols that pod, and no other name', async () => {
  const { enrol } = await startCollector();
  const bearer = await token('triage', ...OURS, ...BOUND);
  expect((await enrol(bearer, `${namespace}/triage/triage-0`)).status).toBe(200);
  expect((await enrol(bearer, `${namespace}/triage/triage-1`)).status).toBe(401);
});

test('a token for another audience, one bound to no pod, and one that is none enrol nobody', async () => {
  const { enrol } = await startCollector();
  const workload = `${namespace}/triage/triage-0`;
  expect((await enrol(await token('triage', ...BOUND), workload)).status).toBe(401);
  expect((await enrol(await token('triage', ...OURS), workload)).status).toBe(401);
  expect((await enrol('not.a.token', workload)).status).toBe(401);
});

test('a collector without the right to review tokens puts pods off, and refuses none', async () => {
  const { enrol } = await startCollector('powerless');
  const bearer = await token('triage', ...OURS, ...BOUND);
  expect(await enrol(bearer, `${namespace}/triage/triage-0`)).toMatchObject({
    status: 503,
    body: { error: 'identity_unavailable' },
  });
});

test("the list of expected chains is the controller's account's alone", async () => {
  const { to } = await startCollector();
  const get = async (bearer: string) => (await ask(to, { method: 'GET', path: EXPECTED_PATH, bearer })).status;
  expect(await get(await token('lazaret-controller', ...OURS))).toBe(200);
  expect(await get(await token('triage', ...OURS, ...BOUND))).toBe(403);
  expect(await get(await token('lazaret-controller'))).toBe(403);
});
