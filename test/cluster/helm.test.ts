import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHART } from '#test/chart/chart-files.ts';
import { HELMS, type Helm, runHelm } from './helm-command.ts';
import { kubectl, PLACE, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const RELEASE = ['lazaret', '--namespace', 'lazaret'] as const;
const ENV = { KUBECONFIG: PLACE.kubeconfig };
// What is looked at here are the objects; that the pods start is the business of the test of README's commands.
const VALUES = ['--set', 'evaluation=true'] as const;

/** Kinds that come and go by themselves, and what the API server derives from the definitions. */
const NOT_OURS =
  /^(apiservices|events|endpoints|endpointslices|pods|replicasets|controllerrevisions|leases|podmetrics)(\.|$)/;
const OF_NAMESPACE = new Set(['configmap/kube-root-ca.crt', 'serviceaccount/default']);

const KEPT = ['egresspolicies', 'guardexemptions', 'provideragreements'];

const helm = (client: Helm, ...args: readonly string[]) => runHelm(client, args, ENV);

const clear = async (): Promise<void> => {
  await kubectl(['delete', 'namespace', 'lazaret', '--ignore-not-found', '--timeout=120s']);
  await kubectl(['delete', 'crd', ...KEPT.map((name) => `${name}.lazaret.dev`), '--ignore-not-found', '--timeout=60s']);
};

beforeAll(clear);
afterEach(clear);

describe.each(HELMS)('%s', (client) => {
  it('installs, upgrades, rolls back and uninstalls, and what stays is what the notes name', async () => {
    const before = await clusterObjects();
    const notes = await helm(client, 'install', ...RELEASE, CHART, '--create-namespace', ...VALUES);
    const installed = await clusterObjects();
    expect(await configOf()).toMatch(/^ {2}dates: keep-year$/m);

    await helm(
      client,
      'upgrade',
      ...RELEASE,
      CHART,
      ...VALUES,
      '--set',
      'policy.dates=whole',
      '--set',
      'controller.replicas=3',
    );
    expect(await configOf()).toMatch(/^ {2}dates: whole$/m);
    expect(await replicas()).toBe('3');

    await helm(client, 'rollback', 'lazaret', '1', '--namespace', 'lazaret');
    expect(await configOf()).toMatch(/^ {2}dates: keep-year$/m);
    expect(await replicas()).toBe('2');
    expect(await clusterObjects()).toEqual(installed);

    await waitFor('the volume claim', async () => ((await claims()).length > 0 ? true : null));
    await helm(client, 'uninstall', ...RELEASE);
    const left = difference(await waitForRest(), before);
    expect(left).toEqual([
      ...KEPT.map((name) => `customresourcedefinition.apiextensions.k8s.io/${name}.lazaret.dev`),
      'namespace/lazaret',
    ]);
    expect(await claims()).toEqual(['evidence-lazaret-collector-0']);
    for (const name of [...KEPT, 'evidence-lazaret-collector-0']) expect(notes).toContain(name);
    expect(notes).toContain('kubectl label namespace CLINIC lazaret.dev/guard=labelled');
    expect(notes).toContain(
      'kubectl delete mutatingwebhookconfiguration/lazaret validatingwebhookconfiguration/lazaret',
    );
  });

  it('takes up again what an earlier release of that name left, agreements included', async () => {
    await helm(
      client,
      'install',
      ...RELEASE,
      CHART,
      '--create-namespace',
      ...VALUES,
      '--set',
      'webhook.failurePolicy=Ignore',
    );
    await kubectl(['apply', '--filename', join(CHART, '../../docs/examples/clinic.yaml')]);
    try {
      await helm(client, 'uninstall', ...RELEASE);
      expect(await kubectl(['get', 'agreements', '--output=name'])).toContain('/anthropic-api');
      await helm(client, 'install', ...RELEASE, CHART, ...VALUES);
      expect(await kubectl(['get', 'agreements', '--output=name'])).toContain('/anthropic-api');
      expect(await claims()).toEqual(['evidence-lazaret-collector-0']);
    } finally {
      await helm(client, 'uninstall', ...RELEASE);
      await kubectl(['delete', 'namespace', 'clinic', '--wait=false']);
    }
  });
});

it('the controller has the rights that it needs and no other', async () => {
  await helm('helm', 'install', ...RELEASE, CHART, '--create-namespace', ...VALUES);
  try {
    const may = (account: string, ...request: readonly string[]) => canI(account, request);
    const controller = 'lazaret-controller';
    for (const request of [
      ['list', 'pods', '--all-namespaces'],
      ['watch', 'provideragreements.lazaret.dev'],
      ['patch', 'guardexemptions.lazaret.dev', '--subresource=status'],
      ['create', 'tokenreviews.authentication.k8s.io'],
      ['get', 'secrets/lazaret-keys', '--namespace=lazaret'],
      ['update', 'secrets/lazaret-authority', '--namespace=lazaret'],
      ['create', 'secrets', '--namespace=lazaret'],
      ['update', 'leases.coordination.k8s.io/lazaret-controller', '--namespace=lazaret'],
      ['patch', 'mutatingwebhookconfigurations.admissionregistration.k8s.io/lazaret'],
      ['update', 'policyparameters.lazaret.dev/lazaret-exemptions', '--namespace=lazaret'],
      ['get', 'services/kube-dns', '--namespace=kube-system'],
    ])
      expect({ request, may: await may(controller, ...request) }).toEqual({ request, may: true });
    for (const request of [
      ['list', 'secrets', '--namespace=lazaret'],
      ['get', 'secrets/other', '--namespace=lazaret'],
      ['update', 'secrets/lazaret-keys', '--namespace=lazaret'],
      ['create', 'secrets', '--namespace=default'],
      ['get', 'secrets/any', '--namespace=kube-system'],
      ['patch', 'mutatingwebhookconfigurations.admissionregistration.k8s.io/other'],
      ['delete', 'mutatingwebhookconfigurations.admissionregistration.k8s.io/lazaret'],
      ['create', 'pods', '--namespace=default'],
      ['patch', 'provideragreements.lazaret.dev'],
      ['create', 'guardexemptions.lazaret.dev'],
      ['patch', 'namespaces/default'],
      ['unguard', 'namespaces/default'],
      ['impersonate', 'users'],
    ])
      expect({ request, may: await may(controller, ...request) }).toEqual({ request, may: false });
    expect(await may('lazaret-collector', 'create', 'tokenreviews.authentication.k8s.io')).toBe(true);
    for (const request of [
      ['list', 'pods'],
      ['get', 'secrets/lazaret-keys', '--namespace=lazaret'],
      ['list', 'provideragreements.lazaret.dev'],
    ])
      expect({ request, may: await may('lazaret-collector', ...request) }).toEqual({ request, may: false });
  } finally {
    await helm('helm', 'uninstall', ...RELEASE);
  }
});

async function canI(account: string, request: readonly string[]): Promise<boolean> {
  const asked = await kubectl([
    'auth',
    'can-i',
    ...request,
    `--as=system:serviceaccount:lazaret:${account}`,
    '--quiet',
  ]).then(
    () => true,
    () => false,
  );
  return asked;
}

async function configOf(): Promise<string> {
  return kubectl([
    '--namespace=lazaret',
    'get',
    'configmap',
    'lazaret-controller',
    '--output=jsonpath={.data.values\\.yaml}',
  ]);
}

async function replicas(): Promise<string> {
  return kubectl([
    '--namespace=lazaret',
    'get',
    'deployment',
    'lazaret-controller',
    '--output=jsonpath={.spec.replicas}',
  ]);
}

async function claims(): Promise<readonly string[]> {
  const names = await kubectl([
    '--namespace=lazaret',
    'get',
    'persistentvolumeclaims',
    '--output=jsonpath={.items[*].metadata.name}',
  ]);
  return names.split(' ').filter((name) => name !== '');
}

/** Every object of the cluster and of the release's namespace, as `KIND/NAME`, but for namespaces that are on their way out. */
async function clusterObjects(): Promise<readonly string[]> {
  // Files that ran before delete theirs without waiting for the end, which may come between two lists.
  const ending = await kubectl(['get', 'namespaces', '--field-selector=status.phase=Terminating', '--output=name']);
  const left = new Set(ending.split('\n'));
  const global = (await listResources('--namespaced=false', [])).filter((line) => !left.has(line));
  const exists = global.includes('namespace/lazaret');
  const inside = exists ? await listResources('--namespaced=true', ['--namespace=lazaret']) : [];
  return [...global, ...inside.filter((line) => !OF_NAMESPACE.has(line))].toSorted();
}

async function listResources(scope: string, args: readonly string[]): Promise<readonly string[]> {
  const kinds = await kubectl(['api-resources', scope, '--verbs=list', '--output=name', '--cached=false']);
  const wanted = kinds.split('\n').filter((kind) => kind !== '' && !NOT_OURS.test(kind));
  // Something may be deleted between the lists; what is left then is asked again.
  const { stdout } = await tryKubectl(['get', wanted.join(','), ...args, '--output=name']);
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('secret/sh.helm.release.'));
}

/** What the garbage collector has to take goes a moment later. */
async function waitForRest(): Promise<readonly string[]> {
  let last: readonly string[] = [];
  await waitFor('the garbage collector', async () => {
    const seen = await clusterObjects();
    const settled = !seen.some(
      (line) => /^(deployment|statefulset|service|role|secret)\b/.test(line) && line.includes('lazaret'),
    );
    last = seen;
    return settled ? true : null;
  });
  return last.filter((line) => !line.startsWith('persistentvolumeclaim/'));
}

function difference(now: readonly string[], before: readonly string[]): readonly string[] {
  return now.filter((line) => !before.includes(line));
}
