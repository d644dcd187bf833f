// Another team's mutating webhook runs after ours, on a real API server. Whatever it does, the pod ends guarded or denied.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '#controller/admission/pod.ts';
import { makePod } from '#test/controller/admission/fixture.ts';
import { type Change, changes, expectGuarded, tamper } from '#test/controller/admission/tampering.ts';
import { type Fields, hasGuard, HostRelease } from './host-release.ts';
import { messageOf } from './kube-client.ts';
import { type Patch, type SecondWebhook, startSecondWebhook } from './second-webhook.ts';
import { makeNamespace } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const NAME = 'zz-second';
const POLICIES = ['Never', 'IfNeeded'] as const;

let release: HostRelease;
let phi: string;
let second: SecondWebhook | null = null;
let changeOf: (pod: Pod) => Patch = () => [];

const POD = makePod(
  { initContainers: [{ name: 'migrate', image: 'm:1' }], volumes: [{ name: 'data', emptyDir: {} }] },
  { env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
);

beforeAll(async () => {
  release = await HostRelease.make('lazaret-second');
  phi = await makeNamespace({ 'lazaret.dev/guard': 'labelled' });
  const controller = await release.start();
  await release.register(controller.webhookPort, { key: 'kubernetes.io/metadata.name', operator: 'In', values: [phi] });
  await release.settle(controller);
  await waitFor('the webhook', async () => (hasGuard((await release.create(phi, POD, true)).body) ? true : null));
});
afterEach(async () => {
  await second?.close();
  second = null;
});
afterAll(async () => {
  await release.removeHooks(NAME);
  await release.stop();
  await release.end(phi);
});

async function startSecond(reinvocationPolicy: 'Never' | 'IfNeeded'): Promise<void> {
  const patchOf = (pod: Pod): Patch => changeOf(pod);
  const webhook = await startSecondWebhook({ name: NAME, namespace: phi, reinvocationPolicy, patchOf });
  second = webhook;
  changeOf = () => [];
  await waitFor('the second webhook', async () => {
    await release.create(phi, POD, true);
    return webhook.asked() > 0 ? true : null;
  });
}

/** @returns whether the pod was taken, in which case it is guarded; otherwise it was refused with a reason */
async function submit(pod: object): Promise<boolean> {
  const answer = await release.create(phi, pod, true);
  if (answer.status === 201) {
    expectGuarded(answer.body);
    return true;
  }
  // 500: the API server cannot read what the second webhook made of it.
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(messageOf(answer)).not.toBe('');
  return false;
}

const ADDED = { name: 'added', image: 'registry.example/added:1', volumeMounts: [] as readonly Fields[] };
const add = (path: string, value: unknown): Patch => [{ op: 'add', path, value }];
const remove = (path: string): Patch => [{ op: 'remove', path }];
interface Named {
  readonly name?: string | null | undefined;
}

const place = (list: readonly Named[] | null | undefined, name: string): number =>
  (list ?? []).findIndex((entry) => entry.name === name);

/** What it does, each time that its work is not to be seen in the pod. */
const ACTS: readonly (readonly [string, (pod: Pod) => Patch])[] = [
  ['adds a container', ({ spec }) => (place(spec?.containers, 'added') < 0 ? add('/spec/containers/-', ADDED) : [])],
  [
    'adds an init container in front of ours',
    ({ spec }) => (spec?.initContainers?.[0]?.name === 'added' ? [] : add('/spec/initContainers/0', ADDED)),
  ],
  [
    'adds a privileged container',
    ({ spec }) =>
      place(spec?.containers, 'added') < 0
        ? add('/spec/containers/-', { ...ADDED, securityContext: { privileged: true } })
        : [],
  ],
  [
    'mounts our key volume into the application',
    ({ spec }) =>
      place(spec?.containers?.[0]?.volumeMounts, 'lazaret-ca') < 0
        ? add('/spec/containers/0/volumeMounts/-', { name: 'lazaret-ca', mountPath: '/stolen' })
        : [],
  ],
  [
    'adds a mount over our trust files',
    ({ spec }) =>
      spec?.containers?.[0]?.volumeMounts?.some(
        ({ name, mountPath }) => name === 'data' && mountPath === '/run/lazaret/trust',
      )
        ? []
        : add('/spec/containers/0/volumeMounts/-', { name: 'data', mountPath: '/run/lazaret/trust' }),
  ],
  [
    'adds a proxy to the application',
    ({ spec }) =>
      place(spec?.containers?.[0]?.env, 'HTTPS_PROXY') < 0
        ? add('/spec/containers/0/env/-', { name: 'HTTPS_PROXY', value: 'http://evil.example:3128' })
        : [],
  ],
  [
    'adds a variable to the sidecar',
    ({ spec }) =>
      place(spec?.initContainers?.[1]?.env, 'NODE_OPTIONS') < 0
        ? add('/spec/initContainers/1/env/-', { name: 'NODE_OPTIONS', value: '--require=/evil.js' })
        : [],
  ],
  [
    'strips the restart policy of the sidecar',
    ({ spec }) => (spec?.initContainers?.[1]?.restartPolicy ? remove('/spec/initContainers/1/restartPolicy') : []),
  ],
  [
    'strips the security context of the application',
    ({ spec }) => (spec?.containers?.[0]?.securityContext ? remove('/spec/containers/0/securityContext') : []),
  ],
  ['strips all init containers', ({ spec }) => (spec?.initContainers ? remove('/spec/initContainers') : [])],
  ['strips all volumes', ({ spec }) => (spec?.volumes ? remove('/spec/volumes') : [])],
  ['strips the annotations', ({ metadata }) => (metadata?.annotations ? remove('/metadata/annotations') : [])],
];

describe.each(POLICIES)('a later webhook that the API server asks again %s', (policy) => {
  it.for(ACTS)('and that %s: the pod ends guarded or denied', async ([, act]) => {
    await startSecond(policy);
    changeOf = act;
    await submit(POD);
    // Once only: what it did can be put right.
    let left = 1;
    changeOf = (pod) => (left-- > 0 ? act(pod) : []);
    await submit(POD);
    expect(left).toBeLessThan(1);
  });
});

describe('a later webhook that changes anything at all', () => {
  it.for(POLICIES)('asked again %s: the pod ends guarded or denied', async (policy) => {
    await startSecond(policy);
    const seen = { guarded: 0, denied: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 3 }), async (list) => {
        changeOf = (pod) => replaceAll(pod, list);
        const taken = await submit(POD);
        seen[taken ? 'guarded' : 'denied'] += 1;
      }),
      { numRuns: 60, seed: 5 },
    );
    expect(Math.min(seen.guarded, seen.denied)).toBeGreaterThan(5);
  });
});

function replaceAll(pod: Pod, list: readonly Change[]): Patch {
  const changed = list.reduce<unknown>(tamper, pod) as Pod;
  const annotations = changed.metadata?.annotations ?? {};
  return [...add('/spec', changed.spec ?? {}), ...add('/metadata/annotations', annotations)];
}
