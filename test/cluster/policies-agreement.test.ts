import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LABEL } from '#contract/labels.ts';
import { findGaps, isGuarded } from '#controller/admission/is-guarded.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { isPod } from '#controller/admission/pod-shape.ts';
import {
  admit,
  applyPatch,
  makeContext,
  makePod,
  makeSettings,
  patchOf,
  submit,
} from '#test/controller/admission/fixture.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench } from './policies-bench.ts';

// The promise is written twice, in TypeScript and in CEL. Both judge the same pods here.

const NAMESPACE = 'agreement';
const terms = {
  ...makeContext({ namespace: { name: NAMESPACE } }),
  exemptions: new Map<string, string>(),
};

let bench: PoliciesBench;
beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  await bench.install({}, makeSettings());
  await bench.namespace(NAMESPACE, { [LABEL.guard]: 'labelled' });
});
afterAll(() => bench.close());

const GUARDED = admit(
  makePod(
    {
      initContainers: [{ name: 'migrate', image: 'm:1', env: [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }] }],
      volumes: [{ name: 'data', emptyDir: {} }],
      securityContext: { runAsUser: 1000, supplementalGroups: [5] },
      dnsConfig: { searches: ['example.com'] },
    },
    {
      env: [{ name: 'A', value: '1' }],
      ports: [{ containerPort: 80, name: 'http' }],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      securityContext: { capabilities: { add: ['CHOWN'] } },
    },
  ),
);

type Step = string | number;
type Place = readonly Step[];

/** Every place inside the specification and the annotations. */
function listPlaces(value: unknown, path: Place): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Array.isArray(value)
    ? value.map((item, i) => listPlaces(item, [...path, i]))
    : Object.entries(value).map(([field, item]) => listPlaces(item, [...path, field]));
  return [path, ...inner.flat()];
}

const places = [
  ...listPlaces(GUARDED.spec, ['spec']),
  ...listPlaces(GUARDED.metadata?.annotations, ['metadata', 'annotations']),
].filter((place) => place.length > 1);

/** What another webhook might do to a field, mostly such that the result is still a pod. */
const change = fc.record({
  at: fc.constantFrom(...places),
  how: fc.constantFrom('remove', 'replace', 'duplicate', 'reverse', 'add'),
  text: fc.constantFrom(
    'evil:1',
    'Always',
    'IfNotPresent',
    'default',
    'SETUID',
    'ALL',
    '/run/lazaret',
    '/x',
    'http://p:1',
    '',
  ),
  number: fc.constantFrom(0, 1, 1000, 15_001, 30_000),
  field: fc.constantFrom<readonly [string, unknown]>(
    ['command', ['sh']],
    ['args', ['x']],
    ['stdin', true],
    ['hostNetwork', true],
    ['hostPID', true],
    ['hostUsers', false],
    ['shareProcessNamespace', true],
    ['privileged', true],
    ['allowPrivilegeEscalation', true],
    ['runAsUser', 30_000],
    ['readOnly', true],
    ['subPath', 'all-roots.pem'],
    ['imagePullPolicy', 'Always'],
    ['ephemeral-storage', '1Gi'],
    ['add', ['NET_RAW']],
    ['add', ['KILL']],
    ['dnsPolicy', 'None'],
    ['medium', 'Memory'],
    ['lazaret.dev/log-level', 'debug'],
    ['lazaret.dev/x', '1'],
    ['terminationGracePeriodSeconds', 5],
    ['initialDelaySeconds', 3],
  ),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function tamper(pod: Pod, { at, how, text, number, field }: Change): Pod {
  const root: Pod = JSON.parse(JSON.stringify(pod));
  const parent = at
    .slice(0, -1)
    .reduce<unknown>((value, step) => (value as Record<Step, unknown> | undefined)?.[step], root);
  if (typeof parent !== 'object' || parent === null) return root;
  const last = at.at(-1) ?? '';
  const target = parent as Record<Step, unknown>;
  const value = target[last];
  if (how === 'remove' && Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (how === 'remove') delete target[last];
  else if (how === 'duplicate' && Array.isArray(parent) && typeof value === 'string') parent.push(value);
  else if (how === 'reverse' && Array.isArray(value)) value.reverse();
  else if (how === 'add' && typeof value === 'object' && value !== null && !Array.isArray(value))
    (value as Record<string, unknown>)[field[0]] = field[1];
  else if (typeof value === 'string') target[last] = text;
  else if (typeof value === 'number') target[last] = number;
  else if (typeof value === 'boolean') target[last] = !value;
  return root;
}

const rarely = <T>(harmless: fc.Arbitrary<T>, harmful: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: harmless, weight: 20 }, { arbitrary: harmful, weight: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const subset = <T>(...items: readonly T[]) => fc.subarray([...items], { maxLength: 3 });

/** A pod that an author might write, and that the API server takes for one. */
const authored = fc
  .record({
    names: fc.uniqueArray(
      rarely(fc.constantFrom('app', 'web', 'worker'), fc.constantFrom('istio-proxy', 'linkerd-proxy', 'lazaret-x')),
      { minLength: 1, maxLength: 3 },
    ),
    init: fc.boolean(),
    env: fc.array(
      fc.record({
        name: rarely(
          fc.constantFrom('A', 'SSL_CERT_FILE', 'NO_PROXY', 'PHP_INI_SCAN_DIR'),
          fc.constantFrom('HTTPS_PROXY', 'all_proxy', 'npm_config_proxy'),
        ),
        value: fc.constantFrom('', '1', 'http://p:1', '$(A)'),
      }),
      { maxLength: 3 },
    ),
    mountPath: rarely(
      fc.constantFrom('/data', '/run', '/run/lazarette', '/var/../data'),
      fc.constantFrom('/run/lazaret', '/var/run/lazaret/x', '/a/../run/lazaret'),
    ),
    port: rarely(fc.constantFrom(80, 8080), fc.constantFrom(15_001, 15_020)),
    add: rarely(subset('CHOWN', 'CAP_KILL', 'fowner'), subset('NET_ADMIN', 'cap_setuid', 'ALL', 'IPC_LOCK', 'bpf')),
    drop: maybe(subset('ALL', 'NET_RAW', 'CAP_NET_RAW', 'SETUID', 'MKNOD', 'all')),
    runAsUser: maybe(fc.constantFrom(0, 1000, 30_000)),
    escalation: rarely(maybe(fc.constant(false)), fc.constant(true)),
    pod: rarely(
      fc.constantFrom(
        {},
        { dnsPolicy: 'Default' },
        { hostUsers: true },
        { nodeSelector: { 'kubernetes.io/os': 'linux' } },
      ),
      fc.constantFrom<object>(
        { hostNetwork: true },
        { hostIPC: true },
        { hostUsers: false },
        { hostAliases: [{ ip: '1.1.1.1', hostnames: ['a.b'] }] },
        { dnsConfig: { nameservers: ['1.1.1.1'] } },
        { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } },
      ),
    ),
    volume: rarely(
      fc.constantFrom<object>({ emptyDir: {} }, { secret: { secretName: 's' } }),
      fc.constantFrom<object>({ hostPath: { path: '/x' } }, { gitRepo: { repository: 'r' } }),
    ),
    annotations: rarely(
      fc.constantFrom<object>(
        {},
        { 'lazaret.dev/sidecar-cpu': '750m' },
        { 'lazaret.dev/sidecar-memory': '0.5Gi', 'lazaret.dev/log-level': 'debug' },
        { 'lazaret.dev/sidecar-cpu': '60m' },
      ),
      fc.constantFrom<object>({ 'lazaret.dev/sidecar-cpu': '9' }, { 'lazaret.dev/y': '1' }),
    ),
    phi: rarely(fc.constant('true'), fc.constantFrom('True', 'false')),
  })
  .map((it) => {
    const container = (name: string) => ({
      name,
      image: 'a:1',
      env: it.env,
      ports: [{ containerPort: it.port }],
      volumeMounts: [{ name: 'data', mountPath: it.mountPath }],
      securityContext: {
        capabilities: { add: it.add, ...(it.drop === undefined ? {} : { drop: it.drop }) },
        ...(it.runAsUser === undefined ? {} : { runAsUser: it.runAsUser }),
        ...(it.escalation === undefined ? {} : { allowPrivilegeEscalation: it.escalation }),
      },
    });
    const [first = 'app', ...rest] = it.names;
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'app-', labels: { [LABEL.phi]: it.phi }, annotations: it.annotations },
      spec: {
        ...it.pod,
        volumes: [{ name: 'data', ...it.volume }],
        containers: [first, ...(it.init ? [] : rest)].map(container),
        ...(it.init ? { initContainers: rest.map(container) } : {}),
      },
    };
  });

/** Some requests at a time: the API server is as good as it is with one, and quicker. */
async function askAll(pods: readonly unknown[]): Promise<readonly KubeAnswer[]> {
  const answers: KubeAnswer[] = [];
  for (let i = 0; i < pods.length; i += 8)
    answers.push(...(await Promise.all(pods.slice(i, i + 8).map((pod) => bench.createPod(NAMESPACE, pod)))));
  return answers;
}

const byPolicy = (answer: KubeAnswer) => messageOf(answer).includes('ValidatingAdmissionPolicy');
const asPod = (object: unknown): Pod => {
  if (!isPod(object)) throw new Error('no pod');
  return object;
};

it('both agree on guarded pods that somebody changed', async () => {
  const changes = fc.sample(fc.array(change, { minLength: 1, maxLength: 3 }), { numRuns: 600, seed: 4 });
  const pods = changes.map((list) => list.reduce(tamper, GUARDED));
  const answers = await askAll(pods);
  const seen = { accepted: 0, denied: 0 };
  for (const [i, answer] of answers.entries()) {
    const about = JSON.stringify(changes[i]);
    if (answer.status === 201) {
      seen.accepted += 1;
      // As the API server would store it: what it fills in is not a gap.
      expect(findGaps(asPod(answer.body), terms), about).toEqual([]);
    } else if (byPolicy(answer)) {
      seen.denied += 1;
      expect(isGuarded(asPod(pods[i]), terms), `${about} ${messageOf(answer)}`).toBe(false);
    }
  }
  expect(seen.accepted).toBeGreaterThan(60);
  expect(seen.denied).toBeGreaterThan(200);
});

it('both agree on pods of authors: what the webhook makes is accepted, what it denies is denied', async () => {
  const pods = fc.sample(authored, { numRuns: 300, seed: 9 });
  const reviewed = pods.map((pod) => submit(pod));
  const made = pods.map((pod, i) => {
    const review = reviewed[i];
    return review?.review.response.allowed === true ? applyPatch(pod, patchOf(review)) : pod;
  });
  const answers = await askAll(made);
  const bare = await askAll(pods);
  const seen = { guarded: 0, denied: 0 };
  for (const [i, answer] of answers.entries()) {
    const review = reviewed[i];
    const about = `${JSON.stringify(pods[i])} ${messageOf(answer)}`;
    if (review?.decision === 'not-ours') expect(answer.status, about).toBe(201);
    else if (review?.review.response.allowed === true) {
      seen.guarded += 1;
      expect(answer.status, about).toBe(201);
      expect(bare[i]?.status, about).toBe(403);
    } else {
      expect(answer.status, about).toBeGreaterThanOrEqual(400);
      if (byPolicy(answer)) {
        seen.denied += 1;
        const found = /denied request: (\S+) /.exec(messageOf(answer))?.[1];
        expect(review?.rules, about).toContain(found);
      }
    }
  }
  expect(seen.guarded).toBeGreaterThan(60);
  expect(seen.denied).toBeGreaterThan(40);
});
