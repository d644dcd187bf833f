import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOKEN_AUDIENCE } from '#contract/labels.ts';
import { connectApi } from '#controller/cluster/api.ts';
import { createBackoff } from '#controller/cluster/backoff.ts';
import { watchCluster } from '#controller/cluster/cluster-view.ts';
import { kubeconfigCredentials } from '#controller/cluster/credentials.ts';
import { startExemptionsMap } from '#controller/exemptions-map.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import { createTokenProver } from '#controller/prove-token.ts';
import { startResourceStatus } from '#controller/resource-status.ts';
import { CHART } from '#test/chart/chart-files.ts';
import { admit, makePod, makeSettings } from '#test/controller/admission/fixture.ts';
import { type Answered, ask, makeKeys, payloadOf, type Serving, serve } from '#test/controller/bundle/serve.ts';
import { ciValues } from './helm-command.ts';
import {
  deleteNamespace,
  applyYaml,
  getObject,
  kubectl,
  makeNamespace,
  PLACE,
  tryHelm,
  tryKubectl,
} from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

// Policy, bundles, statuses and parameters against a real API server: real watches, real TokenReviews of tokens bound to real pods.

const api = connectApi(kubeconfigCredentials(PLACE.kubeconfig, () => Date.now()));
const policies = new PolicyCache();
const silent = pino({ level: 'silent' });
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);
const NAMES = ['provideragreements', 'egresspolicies', 'guardexemptions', 'policyparameters'].map(
  (name) => `${name}.lazaret.dev`,
);

let release: string;
let clinic: string;
let view: ReturnType<typeof watchCluster>;
let serving: Serving;
let publicKey: CryptoKey;
const closing: (() => void)[] = [];

beforeAll(async () => {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(CHART, 'files/crds')]);
  const rendered = await tryHelm([
    'template',
    'lazaret',
    CHART,
    ...ciValues('default'),
    '--show-only',
    'templates/policies/policy-parameters.yaml',
  ]);
  expect(rendered).toMatchObject({ status: 0 });
  await applyYaml(rendered.stdout);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', ...NAMES]);
  [release, clinic] = [await makeNamespace(), await makeNamespace()];
  await applyYaml(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'lazaret-controller', namespace: release },
      data: { 'values.yaml': 'egress: {destinations: [packages.example.org]}\nnetwork: {resolvers: [192.0.2.53]}\n' },
    }),
  );
  view = watchCluster(
    { namespace: release, fullname: 'lazaret' },
    { api, backoff: () => createBackoff({ sleep, random: Math.random }), sleep, onFault: () => undefined },
  );
  expect(await view.until(() => view.synced(), AbortSignal.timeout(60_000))).toBe(true);
  const keys = await makeKeys();
  publicKey = keys.publicKey;
  serving = await serve(view, keys.keys, { prove: createTokenProver(api.ask) });
  const leader = { view, policies, api: api.ask, log: silent, now: () => Date.now(), gapMs: 50 };
  const status = startResourceStatus({ ...leader, instance: 'test' });
  const settings = makeSettings();
  const parameters = startExemptionsMap({
    ...leader,
    namespace: release,
    name: 'lazaret-exemptions',
    settings: () => settings,
  });
  closing.push(status.close, parameters.close);
});

afterAll(async () => {
  for (const close of closing) close();
  await serving.server.close();
  await view.stop();
  api.close();
  await Promise.all([deleteNamespace(release), deleteNamespace(clinic)]);
  await kubectl(['delete', 'crd', ...NAMES, '--timeout=60s']);
});

/** Makes a pod and a token of it, as a kubelet asks for one. */
async function podToken(name: string, guarded: boolean, audience = TOKEN_AUDIENCE): Promise<string> {
  const pod = guarded ? admit(makePod()) : makePod();
  const spec = { ...pod.spec, terminationGracePeriodSeconds: 0 };
  const labels = { 'lazaret.dev/phi': 'true', app: name };
  await applyYaml(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      spec,
      metadata: { ...pod.metadata, name, namespace: clinic, labels },
    }),
  );
  const { metadata } = (await getObject(['pod', name, `--namespace=${clinic}`])) as {
    readonly metadata: { readonly uid: string };
  };
  const { status } = (await api.call({
    method: 'POST',
    path: `/api/v1/namespaces/${clinic}/serviceaccounts/default/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: [audience],
        expirationSeconds: 600,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid: metadata.uid },
      },
    },
  })) as { readonly status: { readonly token: string } };
  return status.token;
}

const agreement = (name: string, spec: object = {}) => ({
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15' },
    ...spec,
  },
});
const apply = (object: object): Promise<string> => applyYaml(JSON.stringify(object));

/** Conditions of a resource by type, once it has them. */
async function conditionsOf(
  kind: string,
  name: string,
  has: (conditions: Readonly<Record<string, string>>) => boolean,
): Promise<Readonly<Record<string, string>>> {
  return waitFor(`conditions of ${name}`, async () => {
    const { status } = (await getObject([
      kind,
      name,
      ...(kind === 'egresspolicy' ? [`--namespace=${clinic}`] : []),
    ])) as {
      readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
    };
    const conditions = Object.fromEntries(
      (status?.conditions ?? []).map((condition) => [condition.type, condition.status]),
    );
    return has(conditions) ? conditions : null;
  });
}

function serialOf(answer: Answered, revision: number): string {
  expect(answer.status).toBe(200);
  return `1.${revision}`;
}

describe('a pod that proves itself to a real API server', () => {
  test('gets policy; an agreement, its status and its deletion reach it by the request that it holds', async () => {
    const token = await podToken('triage', true);
    const first = await ask(serving, { token });
    const before = await payloadOf(first.body, publicKey);
    expect(before.policy.agreements).toEqual([]);
    expect(before.policy.destinations.map(({ pattern }) => pattern)).toEqual(['packages.example.org']);

    const wait = 30;
    const granted = ask(serving, {
      token,
      wait,
      tag: String(first.headers.etag),
      after: serialOf(first, before.serial.revision),
    });
    await apply(agreement('anthropic'));
    const second = await granted;
    const during = await payloadOf(second.body, publicKey);
    expect(during.policy.agreements.map(({ id }) => id)).toEqual(['anthropic']);
    expect(during.serial.revision).toBeGreaterThan(before.serial.revision);

    // Its status is written now, which changes versions and no policy.
    await conditionsOf(
      'provideragreement',
      'anthropic',
      ({ Accepted, InUse }) => Accepted === 'True' && InUse === 'True',
    );
    await kubectl(['label', 'provideragreement', 'anthropic', 'reviewed=true']);
    await view.until(() => view.policy().revision > during.serial.revision, AbortSignal.timeout(10_000));
    const held = await ask(serving, {
      token,
      wait: 0.5,
      tag: String(second.headers.etag),
      after: serialOf(second, during.serial.revision),
    });
    expect(held.status).toBe(204);

    const revoked = ask(serving, {
      token,
      wait,
      tag: String(second.headers.etag),
      after: serialOf(second, during.serial.revision),
    });
    await kubectl(['delete', 'provideragreement', 'anthropic']);
    const after = await payloadOf((await revoked).body, publicKey);
    expect(after.policy.agreements).toEqual([]);
    expect(after.serial.revision).toBeGreaterThan(during.serial.revision);
  });

  test('is refused without a guard, with a token of another audience, of no pod, and when the pod is gone', async () => {
    expect((await ask(serving, { token: await podToken('bare', false) })).status).toBe(403);
    expect(
      (await ask(serving, { token: await podToken('other-audience', true, 'https://kubernetes.default.svc') })).status,
    ).toBe(401);
    const unbound = await kubectl([
      'create',
      'token',
      'default',
      `--namespace=${clinic}`,
      `--audience=${TOKEN_AUDIENCE}`,
    ]);
    expect((await ask(serving, { token: unbound.trim() })).status).toBe(401);
    const gone = await podToken('gone', true);
    await kubectl(['delete', 'pod', 'gone', `--namespace=${clinic}`, '--force']);
    await waitFor('the end of the token', async () =>
      (await ask(serving, { token: gone })).status === 401 ? true : null,
    );
  });
});

describe('statuses on a real API server', () => {
  test('are written once: the versions of the resources come to rest', async () => {
    await apply(
      agreement('resting', {
        contract: { status: 'signed', ref: 'B', signedOn: '2020-01-01', expiresOn: '2021-01-01' },
      }),
    );
    await apply({
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'EgressPolicy',
      metadata: { name: 'wish', namespace: clinic },
      spec: { agreements: ['nobody'] },
    });
    expect(await conditionsOf('provideragreement', 'resting', ({ Expired }) => Expired === 'True')).toMatchObject({
      Accepted: 'True',
      Expiring: 'False',
    });
    expect(await conditionsOf('egresspolicy', 'wish', ({ Accepted }) => Accepted !== undefined)).toMatchObject({
      Accepted: 'False',
    });
    const version = async (): Promise<unknown> => {
      const list = (await getObject(['provideragreements,egresspolicies', '--all-namespaces'])) as {
        readonly items: readonly { readonly metadata: { readonly resourceVersion: string } }[];
      };
      return list.items.map(({ metadata }) => metadata.resourceVersion);
    };
    const before = await version();
    for (let pods = 0; pods < 4; pods++) await podToken(`stir-${pods}`, true);
    await kubectl(['label', 'provideragreement', 'resting', 'stirred=true']);
    // The only policy of their namespace names another agreement.
    expect(await conditionsOf('provideragreement', 'resting', () => true)).toMatchObject({ InUse: 'False' });
    await delay(1_000);
    const rest = await version();
    await delay(1_000);
    expect(await version()).toEqual(rest);
    expect(rest).not.toEqual(before);
    await waitFor('the events', async () => {
      const { stdout } = await tryKubectl([
        'get',
        'events',
        '--all-namespaces',
        '--output=jsonpath={range .items[*]}{.reason} {.involvedObject.name}{"\\n"}{end}',
      ]);
      return stdout.includes('Expired resting') && stdout.includes('NotAccepted wish') ? true : null;
    });
  });
});

describe('the parameters of the admission policies', () => {
  test('follow exemptions, and are put right when somebody writes a grant of their own', async () => {
    const data = async (): Promise<Readonly<Record<string, string>>> =>
      (
        (await getObject(['policyparameters', 'lazaret-exemptions', `--namespace=${release}`])) as {
          readonly data: Readonly<Record<string, string>>;
        }
      ).data;
    await waitFor('the object', async () => ((await data())['_files.current'] ? true : null));
    const spec = {
      reason: 'a test',
      approvedBy: 'nobody',
      namespaces: [clinic],
      podSelector: { matchLabels: { app: 'triage' } },
      grant: { hardening: ['B-28'] },
    };
    const day = (shift: number): string => new Date(Date.now() + shift * 86_400_000).toISOString().slice(0, 10);
    await apply({
      apiVersion: 'lazaret.dev/v1alpha1',
      kind: 'GuardExemption',
      metadata: { name: 'resolver' },
      spec: { ...spec, from: day(-1), until: day(5) },
    });
    await waitFor('the entry', async () => ((await data())[`${clinic}.B-28`] === 'app=triage' ? true : null));
    await kubectl([
      'patch',
      'policyparameters',
      'lazaret-exemptions',
      `--namespace=${release}`,
      '--type=merge',
      '--patch',
      JSON.stringify({ data: { 'evil.B-05': '*' } }),
    ]);
    await kubectl(['delete', 'guardexemption', 'resolver']);
    await waitFor('the end of both', async () =>
      Object.keys(await data()).every((key) => key.startsWith('_')) ? true : null,
    );
  });
});
