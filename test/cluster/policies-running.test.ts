import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL } from '#contract/labels.ts';
import type { Container, Pod } from '#controller/admission/pod.ts';
import { admit, makePod, makeSettings } from '#test/controller/admission/fixture.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench } from './policies-bench.ts';

type Fields = Readonly<Record<string, unknown>>;

let bench: PoliciesBench;
const POD = '/api/v1/namespaces/running/pods/app-0';
const GUARDED = admit(
  makePod(
    { initContainers: [{ name: 'migrate', image: 'm:1', securityContext: { runAsUser: 1000 } }] },
    { resources: { requests: { cpu: '100m', memory: '32Mi' } } },
  ),
);

beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  await bench.install({}, makeSettings());
  await bench.namespace('running', { [LABEL.guard]: 'labelled' });
  await bench.namespace('open', {});
  expect((await bench.createPod('running', GUARDED, false)).status).toBe(201);
  const free = { ...makePod(), metadata: { name: 'free' } };
  expect((await bench.createPod('running', free, false)).status).toBe(201);
});
afterAll(async () => {
  for (const name of ['app-0', 'free'])
    await bench.client.call({ method: 'DELETE', path: `/api/v1/namespaces/running/pods/${name}?gracePeriodSeconds=0` });
  await bench.close();
});

const patch = (
  path: string,
  body: unknown,
  contentType = 'application/strategic-merge-patch+json',
): Promise<KubeAnswer> => bench.client.call({ method: 'PATCH', path, contentType, body });
const replace = async (path: string, change: (pod: Pod) => Pod): Promise<KubeAnswer> => {
  const { body } = await bench.client.call({ method: 'GET', path: POD });
  const answer = await bench.client.call({ method: 'PUT', path, body: change(body) });
  // The scheduler and the kubelet write the pod too.
  return answer.status === 409 ? replace(path, change) : answer;
};
const relabel = (pod: Pod, labels: Fields): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, labels: { ...pod.metadata?.labels, ...labels } } as NonNullable<Pod['metadata']>,
});

describe('a running pod (B-10)', () => {
  it.each([
    ['added elsewhere', 'free', { [LABEL.phi]: 'true' }],
    ['changed', 'app-0', { [LABEL.phi]: 'false' }],
    ['removed', 'app-0', { [LABEL.phi]: null }],
  ])('keeps its PHI label: %s by merge patch', async (_, name, labels) => {
    const answer = await patch(`/api/v1/namespaces/running/pods/${name}`, { metadata: { labels } });
    expect(messageOf(answer)).toContain(`B-10 metadata.labels["${LABEL.phi}"]: `);
    expect(answer.status).toBe(403);
  });

  it('keeps it against replace, apply and JSON patch too, and by the door of its status', async () => {
    const replaced = await replace(POD, (pod) => relabel(pod, { [LABEL.phi]: 'false' }));
    expect(messageOf(replaced)).toContain('B-10');
    const status = await patch(`${POD}/status`, { metadata: { labels: { [LABEL.phi]: 'false' } } });
    expect(messageOf(status)).toContain('B-10');
    const json = [{ op: 'remove', path: '/metadata/labels/lazaret.dev~1phi' }];
    expect(messageOf(await patch(POD, json, 'application/json-patch+json'))).toContain('B-10');
    const applied = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app-0', labels: { [LABEL.phi]: 'false' } } };
    const path = `${POD}?fieldManager=tests&force=true`;
    expect(messageOf(await patch(path, applied, 'application/apply-patch+yaml'))).toContain('B-10');
  });

  it('keeps our annotations', async () => {
    for (const annotations of [{ 'lazaret.dev/mark': 'x' }, { 'lazaret.dev/mark': null }, { 'a.lazaret.dev/b': 'x' }])
      expect(messageOf(await patch(POD, { metadata: { annotations } }))).toContain('B-10 metadata.annotations');
  });

  it.each(['lazaret-init', 'lazaret-sidecar'])('keeps the image of %s', async (name) => {
    const answer = await patch(POD, { spec: { initContainers: [{ name, image: 'evil:1' }] } });
    expect(messageOf(answer)).toMatch(/B-10 spec\.initContainers\[[01]\]\.image: /);
  });

  it('may change what is its own: labels, annotations, images, finalizers, status', async () => {
    const own = [
      { metadata: { labels: { app: 'x' }, annotations: { note: 'x' }, finalizers: ['example.com/tests'] } },
      { metadata: { finalizers: null } },
      { spec: { initContainers: [{ name: 'migrate', image: 'm:2' }] } },
    ];
    for (const body of own) expect(await patch(POD, body).then(messageOf)).toBe('');
    const status = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };
    expect((await patch(`${POD}/status`, status)).status).toBe(200);
  });
});

describe('an image (B-03)', () => {
  const image = (container: string, image: string) => ({ spec: { containers: [{ name: container, image }] } });

  it('comes into a guarded pod only where the container’s uid or gid is written', async () => {
    const answer = await patch(POD, image('app', 'registry.example/app:2'));
    expect(messageOf(answer)).toMatch(
      /denied request: B-03 spec\.containers\[0\]\.image: .*Change the workload’s template/,
    );
    expect(answer.status).toBe(403);
    const json = [{ op: 'replace', path: '/spec/containers/0/image', value: 'registry.example/app:2' }];
    expect(messageOf(await patch(POD, json, 'application/json-patch+json'))).toContain('B-03');
  });

  it('comes into any other pod as before', async () => {
    const answer = await patch('/api/v1/namespaces/running/pods/free', image('app', 'registry.example/app:2'));
    expect([answer.status, messageOf(answer)]).toEqual([200, '']);
  });
});

describe('a copy of a guarded pod without the PHI label (B-39)', () => {
  const { labels: _, ...metadata } = GUARDED.metadata ?? {};
  const copy = (labels: Fields, spec: Fields = {}) => ({
    ...GUARDED,
    metadata: { ...metadata, name: 'copy', labels },
    spec: { ...GUARDED.spec, ...spec },
  });

  it('is denied without a webhook, whatever part of the guard it holds', async () => {
    const bare = { metadata: { name: 'copy' }, spec: { containers: [{ name: 'app', image: 'a' }] } };
    const volumes = [{ name: 'lazaret-spool', emptyDir: {} }];
    const marked = { name: 'copy', annotations: { 'lazaret.dev/mark': 'x' } };
    for (const pod of [
      copy({}),
      copy({ app: 'x' }, { initContainers: GUARDED.spec?.initContainers?.slice(0, 1) }),
      { ...bare, spec: { ...bare.spec, volumes } },
      { ...bare, metadata: marked },
      { ...bare, spec: { containers: [{ name: 'lazaret-x', image: 'a' }] } },
    ]) {
      const answer = await bench.createPod('running', pod);
      expect(messageOf(answer)).toMatch(/denied request: B-39 metadata\.labels: .*guarded anew/);
    }
    const refused = await bench.createPod('running', copy({ [LABEL.phi]: 'false' }));
    expect(messageOf(refused)).toContain(`denied request: B-39 metadata.labels["${LABEL.phi}"]: `);
  });

  it('is nobody’s business in a namespace without a guard, and no other pod is asked', async () => {
    expect(messageOf(await bench.createPod('open', copy({})))).not.toContain('B-39');
    const plain = { metadata: { name: 'plain' }, spec: { containers: [{ name: 'app', image: 'a' }] } };
    expect((await bench.createPod('running', plain)).status).toBe(201);
  });
});

describe('a resize (B-26)', () => {
  const limits = { resources: { limits: { cpu: '2', memory: '512Mi' }, requests: { cpu: '60m', memory: '128Mi' } } };

  it('leaves the sidecar alone', async () => {
    const body = { spec: { initContainers: [{ name: 'lazaret-sidecar', ...limits }] } };
    const answer = await patch(`${POD}/resize`, body);
    expect(messageOf(answer)).toContain('B-26 spec.initContainers[1].resources: ');
  });

  it('of an application’s container passes', async () => {
    const body = { spec: { containers: [{ name: 'app', resources: { requests: { cpu: '200m', memory: '32Mi' } } }] } };
    const answer = await patch(`${POD}/resize`, body);
    expect([answer.status, messageOf(answer)]).toEqual([200, '']);
  });
});

describe('a debug container (B-17)', () => {
  const trusted = { volumeMounts: [{ name: 'lazaret-trust', mountPath: '/run/lazaret/trust', readOnly: true }] };
  const hardened = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const hard = { securityContext: { ...hardened, runAsGroup: 65_534 }, ...trusted };
  const debug = (container: Fields, dryRun = true): Promise<KubeAnswer> =>
    patch(`${POD}/ephemeralcontainers${dryRun ? '?dryRun=All' : ''}`, {
      spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox', ...container }] },
    });

  it.each<[string, Fields]>([
    ['B-01', { ...hard, securityContext: { ...hard.securityContext, runAsUser: 'uid' } }],
    [
      'B-05',
      { ...hard, securityContext: { ...hard.securityContext, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } } },
    ],
    ['B-03', { ...hard, securityContext: hardened }],
    ['B-05', { ...trusted, securityContext: { privileged: true } }],
    ['B-08', { ...hard, name: 'lazaret-debug' }],
    ['B-12', { ...hard, volumeMounts: [...trusted.volumeMounts, { name: 'lazaret-ca', mountPath: '/key' }] }],
    ['B-29', { ...hard, targetContainerName: 'lazaret-sidecar' }],
    [
      'B-33',
      { ...hard, securityContext: { ...hard.securityContext, capabilities: { drop: ['ALL'], add: ['IPC_LOCK'] } } },
    ],
    ['B-38', { ...hard, env: [{ name: 'HTTPS_PROXY', value: 'http://p:1' }] }],
    ['ADM-19', { ...hard, volumeMounts: [] }],
    ['ADM-19', trusted],
  ])('that breaks %s is denied', async (rule, container) => {
    const uid = GUARDED.spec?.initContainers?.[1]?.securityContext?.runAsUser;
    const filled: Fields = JSON.parse(JSON.stringify(container).replace('"uid"', String(uid)));
    const answer = await debug(filled);
    expect(messageOf(answer)).toContain(`denied request: ${rule} spec.ephemeralContainers[0]`);
    expect(answer.status).toBe(403);
  });

  it('that keeps them passes, and does not stand in the way of the next', async () => {
    expect(messageOf(await debug({ ...hard, targetContainerName: 'app' }, false))).toBe('');
    const answer = await debug({ name: 'second' });
    // A strategic merge puts the new one first.
    expect(messageOf(answer)).toMatch(/ADM-19 spec\.ephemeralContainers\[0\]/);
    expect(messageOf(answer)).not.toContain('spec.ephemeralContainers[1]');
    expect(messageOf(await debug({ name: 'second', ...hard }))).toBe('');
  });

  it('of a pod that is not ours is nobody’s business', async () => {
    const path = '/api/v1/namespaces/running/pods/free/ephemeralcontainers?dryRun=All';
    const body = { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] } };
    expect((await patch(path, body)).status).toBe(200);
  });
});

describe('exec and attach (B-18)', () => {
  const enter = (verb: string, query: string) =>
    bench.client.call({ method: 'POST', path: `${POD}/${verb}?command=sh${query}` });

  it.each(['exec', 'attach'])('%s into a container of ours is denied', async (verb) => {
    for (const name of ['lazaret-init', 'lazaret-sidecar']) {
      const answer = await enter(verb, `&container=${name}`);
      expect(messageOf(answer)).toContain('B-18 container: ');
      expect(answer.status).toBe(403);
    }
  });

  it.each(['exec', 'attach'])('%s into a container of the application is not', async (verb) => {
    for (const query of ['&container=app', '&container=migrate', ''])
      expect(messageOf(await enter(verb, query))).not.toContain('ValidatingAdmissionPolicy');
  });
});

describe('the guard label of a namespace', () => {
  const label = (name: string, value: string | null, as?: string): Promise<KubeAnswer> =>
    bench.client.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${name}`,
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { [LABEL.guard]: value } } },
      ...(as === undefined ? {} : { as }),
    });
  const roles = '/apis/rbac.authorization.k8s.io/v1';
  const grant = async (user: string, verbs: readonly string[]) => {
    const role = {
      metadata: { name: user },
      rules: [{ apiGroups: [''], resources: ['namespaces', 'namespaces/status', 'namespaces/finalize'], verbs }],
    };
    await bench.client.call({ method: 'POST', path: `${roles}/clusterroles`, body: role });
    const binding = {
      metadata: { name: user },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
    };
    await bench.client.call({ method: 'POST', path: `${roles}/clusterrolebindings`, body: binding });
  };

  beforeAll(async () => {
    await bench.namespace('labels', {});
    await grant('labeller', ['get', 'patch', 'update', 'create']);
    await grant('unguarder', ['get', 'patch', 'update', 'unguard']);
  });
  afterAll(async () => {
    for (const user of ['labeller', 'unguarder'])
      for (const kind of ['clusterroles', 'clusterrolebindings'])
        await bench.client.call({ method: 'DELETE', path: `${roles}/${kind}/${user}` });
  });

  it('B-11: may be raised by whoever may label, and lowered by nobody without the verb', async () => {
    const steps: readonly (readonly [string | null, string, number])[] = [
      ['labelled', 'labeller', 200],
      ['all', 'labeller', 200],
      ['labelled', 'labeller', 403],
      [null, 'labeller', 403],
      ['all', 'labeller', 200],
      ['labelled', 'unguarder', 200],
      [null, 'labeller', 403],
      [null, 'unguarder', 200],
      [null, 'labeller', 200],
    ];
    for (const [value, user, status] of steps) {
      const answer = await label('labels', value, user);
      expect([value, user, answer.status]).toEqual([value, user, status]);
      if (status === 403) expect(messageOf(answer)).toContain(`B-11 metadata.labels["${LABEL.guard}"]: `);
    }
  });

  it('B-11: is the same by the doors of status and finalizers', async () => {
    expect((await label('labels', 'all', 'labeller')).status).toBe(200);
    const { body } = await bench.client.call({ method: 'GET', path: '/api/v1/namespaces/labels' });
    for (const door of ['status', 'finalize']) {
      const lowered = { ...body, metadata: { ...(body.metadata as Fields), labels: {} } };
      const path = `/api/v1/namespaces/labels/${door}`;
      const answer = await bench.client.call({ method: 'PUT', path, body: lowered, as: 'labeller' });
      expect(messageOf(answer), door).toContain('B-11');
    }
    expect((await label('labels', null, 'unguarder')).status).toBe(200);
  });

  it.each(['true', 'All', 'labeled', ''])('ADM-22: cannot be %j', async (value) => {
    expect(messageOf(await label('labels', value))).toContain(`ADM-22 metadata.labels["${LABEL.guard}"]: `);
    const metadata = { name: 'mistyped', labels: { [LABEL.guard]: value } };
    const made = await bench.client.call({ method: 'POST', path: '/api/v1/namespaces?dryRun=All', body: { metadata } });
    expect(messageOf(made)).toContain('ADM-22');
  });

  it.each(['lazaret', 'kube-system', 'kube-public', 'kube-node-lease'])('ADM-21: is refused on %s', async (name) => {
    expect(messageOf(await label(name, 'all'))).toContain('ADM-21');
  });

  it('does not stand in the way of other labels', async () => {
    const path = '/api/v1/namespaces/running';
    const contentType = 'application/merge-patch+json';
    const body = { metadata: { labels: { team: 'x' }, annotations: { note: 'x' } } };
    expect((await bench.client.call({ method: 'PATCH', path, contentType, body, as: 'labeller' })).status).toBe(200);
  });
});

describe('pods that are not ours', () => {
  it.each(['open', 'default', 'kube-system', 'lazaret'])('are created in %s as they are', async (namespace) => {
    const pod = makePod({ hostNetwork: true }, { securityContext: { privileged: true } });
    expect((await bench.createPod(namespace, pod)).status).toBe(201);
  });
});

describe('a pod whose other webhooks came after ours', () => {
  const withSidecar = (change: (sidecar: Container) => Container): Pod => ({
    ...GUARDED,
    spec: {
      ...GUARDED.spec,
      initContainers: (GUARDED.spec?.initContainers ?? []).map((item) =>
        item.name === 'lazaret-sidecar' ? change(item) : item,
      ),
    },
  });
  const without = (field: string) => (item: Container) =>
    Object.fromEntries(Object.entries(item).filter(([key]) => key !== field));

  it.each(['restartPolicy', 'startupProbe', 'env', 'securityContext', 'resources', 'ports'])(
    'ADM-19: is denied when %s was stripped, and hears so',
    async (field) => {
      const answer = await bench.createPod('running', withSidecar(without(field)));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      if (field !== 'restartPolicy') expect(messageOf(answer)).toMatch(/ADM-19 .*spec\.initContainers\[1\]/);
    },
  );

  it.each<[string, unknown]>([
    ['command', ['sh']],
    ['args', ['x']],
    ['lifecycle', { preStop: { exec: { command: ['sleep', '9'] } } }],
    ['envFrom', [{ configMapRef: { name: 'c' } }]],
    ['workingDir', '/tmp'],
    ['stdin', true],
    ['readinessProbe', { exec: { command: ['true'] } }],
    ['image', 'evil:1'],
  ])('ADM-19: is denied when it got a %s', async (field, value) => {
    const answer = await bench.createPod(
      'running',
      withSidecar((item) => ({ ...item, [field]: value })),
    );
    expect(messageOf(answer)).toContain(`ADM-19 spec.initContainers[1].${field}`);
  });
});
