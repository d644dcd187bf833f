import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LABEL } from '#contract/labels.ts';
import { RULES } from '#controller/admission/bypass-rules.ts';
import { readIdentity } from '#controller/admission/is-guarded.ts';
import type { Pod } from '#controller/admission/pod.ts';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import { admit, makePod, makeSettings } from '#test/controller/admission/fixture.ts';
import { type KubeAnswer, messageOf } from './kube-client.ts';
import { kubeconfigOfTests, PoliciesBench, until } from './policies-bench.ts';

// Every rule that a pod can show, on a pod that is guarded otherwise: the broken one is denied under the rule's id, its twin is not.

type Fields = Readonly<Record<string, unknown>>;
interface Row {
  readonly rule: string;
  readonly what: string;
  /** Laid over the guarded pod's specification, its metadata, and its first container. */
  readonly spec?: Fields;
  readonly metadata?: Fields;
  readonly app?: Fields;
}

const GUARDED = admit(
  makePod(
    { initContainers: [{ name: 'migrate', image: 'm:1' }], volumes: [{ name: 'data', emptyDir: {} }] },
    { env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'data', mountPath: '/data' }] },
  ),
);
const [APP] = GUARDED.spec?.containers ?? [];
const { uid, gid } = readIdentity(GUARDED) ?? { uid: 0, gid: 0 };
const drop = ['ALL'];
const security = (fields: Fields): Fields => ({
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop }, ...fields },
});
const adding = (...add: readonly string[]) => security({ capabilities: { drop, add } });
const volume = (fields: Fields) => ({ volumes: [...(GUARDED.spec?.volumes ?? []), { name: 'more', ...fields }] });
const mount = (...mounts: readonly Fields[]) => ({ volumeMounts: [...(APP?.volumeMounts ?? []), ...mounts] });
const env = (...variables: readonly Fields[]) => ({ env: [...(APP?.env ?? []), ...variables] });
const container = (fields: Fields) => ({ containers: [...(GUARDED.spec?.containers ?? []), { ...APP, ...fields }] });
const label = (labels: Fields) => ({ metadata: { labels: { [LABEL.phi]: 'true', ...labels } } });
const annotation = (annotations: Fields) => ({
  metadata: { annotations: { ...GUARDED.metadata?.annotations, ...annotations } },
});
const token = (audience: string) =>
  volume({ projected: { sources: [{ serviceAccountToken: { audience, path: 'token' } }] } });
const fromConfig = { valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } };

const BROKEN: readonly Row[] = [
  { rule: 'B-01', what: 'our uid in a container', app: security({ runAsUser: uid }) },
  { rule: 'B-01', what: 'our uid for the pod', spec: { securityContext: { runAsUser: uid } } },
  { rule: 'B-02', what: 'our gid in a container', app: security({ runAsGroup: gid }) },
  { rule: 'B-02', what: 'our gid for the pod', spec: { securityContext: { runAsGroup: gid } } },
  { rule: 'B-02', what: 'our gid for volumes', spec: { securityContext: { fsGroup: gid } } },
  { rule: 'B-02', what: 'our gid among others', spec: { securityContext: { supplementalGroups: [1, gid] } } },
  { rule: 'B-04', what: 'SETUID', app: adding('CHOWN', 'SETUID') },
  { rule: 'B-04', what: 'cap_setgid', app: adding('cap_setgid') },
  { rule: 'B-04', what: 'privilege escalation', app: security({ allowPrivilegeEscalation: true }) },
  { rule: 'B-05', what: 'privileged', app: { securityContext: { privileged: true, capabilities: { drop } } } },
  ...['NET_ADMIN', 'CAP_NET_RAW', 'sys_admin', 'Sys_Ptrace', 'SYS_MODULE', 'cap_bpf', 'PERFMON', 'ALL'].map((name) => ({
    rule: 'B-05',
    what: name,
    app: adding(name),
  })),
  { rule: 'B-06', what: 'hostNetwork', spec: { hostNetwork: true } },
  { rule: 'B-07', what: 'hostPID', spec: { hostPID: true } },
  { rule: 'B-07', what: 'hostIPC', spec: { hostIPC: true } },
  { rule: 'B-07', what: 'shareProcessNamespace', spec: { shareProcessNamespace: true } },
  { rule: 'B-07', what: 'hostPath', spec: volume({ hostPath: { path: '/var/log' } }) },
  { rule: 'B-07', what: 'procMount', app: security({ procMount: 'Unmasked' }), spec: { hostUsers: false } },
  { rule: 'B-08', what: 'a container of our name', spec: container({ name: 'lazaret-debug' }) },
  {
    rule: 'B-08',
    what: 'our sidecar among containers',
    spec: container({ name: 'lazaret-x', image: 'lazaret/sidecar:0.1.0' }),
  },
  { rule: 'B-12', what: 'a volume of our name', spec: volume({ name: 'lazaret-more', emptyDir: {} }) },
  { rule: 'B-12', what: 'the key', app: mount({ name: 'lazaret-ca', mountPath: '/key', readOnly: true }) },
  { rule: 'B-12', what: 'the token', app: mount({ name: 'lazaret-token', mountPath: '/token', readOnly: true }) },
  {
    rule: 'B-12',
    what: 'the trust files, writable',
    app: { volumeMounts: [{ name: 'lazaret-trust', mountPath: '/run/lazaret/trust' }] },
  },
  {
    rule: 'B-12',
    what: 'a mount below ours',
    app: mount({ name: 'data', mountPath: '/run/lazaret/trust/all-roots.pem' }),
  },
  { rule: 'B-12', what: 'a mount over all of ours', app: mount({ name: 'data', mountPath: '/run//./lazaret/' }) },
  {
    rule: 'B-12',
    what: 'a mount over ours, by way of another',
    app: mount({ name: 'data', mountPath: '/tmp/../run/lazaret' }),
  },
  { rule: 'B-12', what: 'a mount over ours, by /var/run', app: mount({ name: 'data', mountPath: '/var/run/lazaret' }) },
  { rule: 'B-15', what: 'an annotation', ...annotation({ 'lazaret.dev/exclude': 'x' }) },
  { rule: 'B-15', what: 'an annotation below our name', ...annotation({ 'x.LAZARET.dev/exclude': 'x' }) },
  { rule: 'B-15', what: 'a label', ...label({ 'lazaret.dev/inject': 'false' }) },
  {
    rule: 'B-15',
    what: 'AppArmor of ours',
    ...annotation({ 'container.apparmor.security.beta.kubernetes.io/lazaret-sidecar': 'unconfined' }),
  },
  {
    rule: 'B-19',
    what: 'two meshes',
    spec: {
      containers: [
        { ...APP, name: 'istio-proxy' },
        { ...APP, name: 'linkerd-proxy' },
      ],
    },
  },
  { rule: 'B-24', what: 'a list from elsewhere', app: env({ name: 'PHP_INI_SCAN_DIR', ...fromConfig }) },
  { rule: 'B-25', what: 'Windows nodes', spec: { nodeSelector: { 'kubernetes.io/os': 'Windows' } } },
  {
    rule: 'B-25',
    what: 'Windows nodes by affinity',
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }] },
            ],
          },
        },
      },
    },
  },
  {
    rule: 'B-25',
    what: 'virtual nodes',
    spec: { tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }] },
  },
  { rule: 'B-28', what: 'own resolution', spec: { dnsPolicy: 'None', dnsConfig: { nameservers: ['10.9.9.9'] } } },
  { rule: 'B-28', what: 'a nameserver beside', spec: { dnsConfig: { nameservers: ['10.9.9.9'] } } },
  { rule: 'B-28', what: 'an alias', spec: { hostAliases: [{ ip: '10.1.1.1', hostnames: ['api.anthropic.com'] }] } },
  { rule: 'B-30', what: 'our port', app: { ports: [{ containerPort: 80 }, { containerPort: 15_001 }] } },
  { rule: 'B-30', what: 'a port of our name', app: { ports: [{ containerPort: 80, name: 'lazaret-x' }] } },
  { rule: 'B-32', what: 'our audience', spec: token('lazaret.dev') },
  { rule: 'B-32', what: 'an audience like ours', spec: token('https://LAZARET.dev/x') },
  { rule: 'B-33', what: 'IPC_LOCK', app: adding('KILL', 'IPC_LOCK') },
  { rule: 'B-33', what: 'a capability that nobody knows', app: adding('cap_future') },
  {
    rule: 'B-34',
    what: 'a sysctl',
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_forward', value: '1' }] } },
  },
  { rule: 'B-35', what: 'a user namespace', spec: { hostUsers: false } },
  { rule: 'B-36', what: 'flexVolume', spec: volume({ flexVolume: { driver: 'a/b' } }) },
  { rule: 'B-36', what: 'gitRepo', spec: volume({ gitRepo: { repository: 'https://git.example/r.git' } }) },
  { rule: 'B-37', what: 'a mesh', spec: container({ name: 'linkerd-proxy' }) },
  { rule: 'B-37', what: 'ambient mode', ...label({ 'istio.io/dataplane-mode': 'ambient' }) },
  { rule: 'B-38', what: 'a proxy', app: env({ name: 'https_proxy', value: 'http://proxy.example:3128' }) },
  { rule: 'B-38', what: 'a proxy from elsewhere', app: env({ name: 'ALL_PROXY', ...fromConfig }) },
  { rule: 'ADM-22', what: 'a PHI label of another value', ...label({ [LABEL.phi]: 'yes' }) },
  { rule: 'ADM-24', what: 'too much memory', ...annotation({ 'lazaret.dev/sidecar-memory': '64Gi' }) },
  { rule: 'ADM-24', what: 'too little CPU', ...annotation({ 'lazaret.dev/sidecar-cpu': '1m' }) },
  { rule: 'ADM-24', what: 'a log level', ...annotation({ 'lazaret.dev/log-level': 'trace' }) },
  { rule: 'ADM-19', what: 'no hardening', app: { securityContext: {} } },
  {
    rule: 'ADM-19',
    what: 'a drop that runtimes ignore',
    app: security({ capabilities: { drop: ['CAP_ALL', 'all'] } }),
  },
  { rule: 'ADM-19', what: 'no trust files', app: { volumeMounts: [] } },
  {
    rule: 'ADM-19',
    what: 'amounts that the author did not ask for',
    ...annotation({ 'lazaret.dev/sidecar-cpu': '2' }),
  },
];

const TWINS: readonly Row[] = [
  { rule: 'B-01', what: 'another uid of the range', app: security({ runAsUser: uid === 59_999 ? 59_998 : uid + 1 }) },
  {
    rule: 'B-02',
    what: 'other gids',
    spec: { securityContext: { runAsGroup: 0, fsGroup: 1, supplementalGroups: [2] } },
  },
  { rule: 'B-04', what: 'no escalation', app: security({ privileged: false }) },
  { rule: 'B-05', what: 'harmless capabilities', app: adding('CAP_CHOWN', 'kill', 'NET_BIND_SERVICE') },
  { rule: 'B-06', what: 'a port of the node', app: { ports: [{ containerPort: 8080, hostPort: 8080 }] } },
  { rule: 'B-07', what: 'other volumes', spec: volume({ configMap: { name: 'c' } }) },
  { rule: 'B-08', what: 'a name like ours', spec: container({ name: 'lazarette' }) },
  {
    rule: 'B-12',
    what: 'mounts beside ours',
    app: mount({ name: 'data', mountPath: '/run/lazarette' }, { name: 'data', mountPath: '/tmp/../x' }),
  },
  {
    rule: 'B-12',
    what: 'a file of the trust files',
    app: mount({ name: 'lazaret-trust', mountPath: '/etc/ssl/cert.pem', subPath: 'all-roots.pem', readOnly: true }),
  },
  { rule: 'B-15', what: 'keys of others', ...annotation({ 'notlazaret.dev/x': 'x', 'example.com/lazaret.dev': 'x' }) },
  { rule: 'B-24', what: 'a list as text', app: { env: APP?.env } },
  {
    rule: 'B-25',
    what: 'Linux nodes',
    spec: { nodeSelector: { 'kubernetes.io/os': 'linux', type: 'gpu' }, tolerations: [{ operator: 'Exists' }] },
  },
  { rule: 'B-28', what: 'search paths', spec: { dnsConfig: { searches: ['example.com'] } } },
  { rule: 'B-30', what: 'another port', app: { ports: [{ containerPort: 15_002, name: 'lazarette' }] } },
  { rule: 'B-32', what: 'an audience of others', spec: token('vault') },
  {
    rule: 'B-34',
    what: 'a safe sysctl',
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }] } },
  },
  { rule: 'B-35', what: 'no user namespace', spec: { hostUsers: true } },
  { rule: 'B-37', what: 'not ambient', ...label({ 'istio.io/dataplane-mode': 'none' }) },
  { rule: 'B-38', what: 'no proxy', app: env({ name: 'NO_PROXY', value: '*' }, { name: 'HTTP_PROXY', value: '' }) },
  {
    rule: 'ADM-19',
    what: 'drops one by one',
    app: security({ capabilities: { drop: ['SETUID', 'NET_RAW', 'NET_ADMIN', 'SETFCAP', 'SETGID', 'SETPCAP'] } }),
  },
];

/** Rules that a pod in the API server cannot show; docs/admission.md says why. Others have tests of their own. */
const ELSEWHERE = ['B-09', 'B-13', 'B-14', 'B-16', 'B-21', 'B-22', 'B-23', 'B-27', 'ADM-17', 'ADM-39', 'ADM-60'];
const OTHER_POLICIES = ['B-03', 'B-10', 'B-11', 'B-17', 'B-18', 'B-20', 'B-26', 'B-29', 'B-31', 'B-39'];

let bench: PoliciesBench;
const settings = makeSettings();
beforeAll(async () => {
  bench = new PoliciesBench(kubeconfigOfTests());
  await bench.install({}, settings);
  await bench.namespace('phi', { [LABEL.guard]: 'labelled' });
  await bench.namespace('baseline', { [LABEL.guard]: 'labelled', 'pod-security.kubernetes.io/enforce': 'baseline' });
});
afterAll(() => bench.close());

function lay({ spec, metadata, app }: Row): Pod {
  const containers = app === undefined ? GUARDED.spec?.containers : [{ ...APP, ...app }];
  return {
    ...GUARDED,
    metadata: { ...GUARDED.metadata, ...metadata },
    spec: { ...GUARDED.spec, ...(containers === undefined ? {} : { containers }), ...spec },
  };
}

const ask = (row: Row): Promise<KubeAnswer> => bench.createPod('phi', lay(row));
const named = (rows: readonly Row[]) => rows.map((row) => [row.rule, row.what, row] as const);

describe('the policy on the creation of pods', () => {
  it.for(named(BROKEN))('%s: denies %s', async ([rule, , row]) => {
    const answer = await ask(row);
    expect(messageOf(answer)).toContain(`denied request: ${rule} `);
    expect(answer.status).toBe(403);
  });

  it.for(named(TWINS))('%s: lets %s through', async ([, , row]) => {
    const answer = await ask(row);
    expect([answer.status, messageOf(answer)]).toEqual([201, '']);
  });

  it('B-20: denies the copy of a static pod', async () => {
    const metadata = {
      name: 'static',
      labels: { [LABEL.phi]: 'true' },
      annotations: { 'kubernetes.io/config.mirror': 'x' },
    };
    const spec = { nodeName: 'n', containers: [{ name: 'a', image: 'a' }] };
    expect(messageOf(await bench.createPod('phi', { metadata, spec }))).toContain('denied request: B-20 ');
  });

  it('B-31: names the level of Pod Security that no guarded pod can keep', async () => {
    const message = messageOf(await bench.createPod('baseline', makePod()));
    expect(message).toContain('denied request: B-31 namespace.metadata.labels["pod-security.kubernetes.io/enforce"]: ');
  });

  it('judges every rule that an object can show', () => {
    const judged = new Set([...BROKEN.map(({ rule }) => rule), ...OTHER_POLICIES, ...ELSEWHERE]);
    expect(RULES.map(({ id }) => id).filter((id) => !judged.has(id))).toEqual([]);
  });

  it('denies in the words of the webhook', async () => {
    for (const row of BROKEN) {
      const { why, instead } = RULES.find(({ id }) => id === row.rule) ?? { why: '', instead: '' };
      if (row.rule !== 'ADM-19' && row.rule !== 'ADM-24')
        expect(messageOf(await ask(row))).toContain(`: ${why} ${instead}`);
    }
  });
});

describe('an exemption', () => {
  const own = policyParameters(settings, {});
  const proxy: Row = { rule: 'B-38', what: '', app: env({ name: 'HTTPS_PROXY', value: 'http://p:1' }) };
  const labelled = (labels: Fields): Row => ({ ...proxy, ...label(labels) });

  it('lifts its rule for every pod, and no other rule', async () => {
    await bench.setParameters({ ...own, 'phi.B-38': '*' });
    expect((await ask(proxy)).status).toBe(201);
    expect(messageOf(await ask({ ...proxy, spec: { hostIPC: true } }))).toContain('B-07');
    expect(messageOf(await ask({ rule: '', what: '', app: adding('IPC_LOCK') }))).toContain('B-33');
  });

  it('lifts it for the pods that it selects', async () => {
    await bench.setParameters({ ...own, 'phi.B-38': 'app=web;tier=a,app=old' });
    expect((await ask(labelled({ app: 'web', tier: 'a' }))).status).toBe(201);
    expect((await ask(labelled({ app: 'old' }))).status).toBe(201);
    for (const labels of [{}, { app: 'web' }, { app: 'web', tier: 'b' }, { app: '' }])
      expect(messageOf(await ask(labelled(labels)))).toContain('B-38');
  });

  it('of B-04 leaves the drops that guard the packet rules', async () => {
    await bench.setParameters({ ...own, 'phi.B-04': '*' });
    const soft = { allowPrivilegeEscalation: true, capabilities: { drop: ['NET_ADMIN', 'NET_RAW'], add: ['SETUID'] } };
    expect((await ask({ rule: '', what: '', app: security(soft) })).status).toBe(201);
    const softer = { ...soft, capabilities: { drop: ['NET_ADMIN'] } };
    expect(messageOf(await ask({ rule: '', what: '', app: security(softer) }))).toContain('ADM-19');
  });

  it('lifts nothing for another namespace, nor a rule that cannot be lifted', async () => {
    await bench.setParameters({ ...own, 'other.B-38': '*', 'phi.B-06': '*', 'phi.B-05': '*', 'phi.B-38': '' });
    expect(messageOf(await ask(proxy))).toContain('B-38');
    expect(messageOf(await ask({ rule: '', what: '', spec: { hostNetwork: true } }))).toContain('B-06');
  });
});

describe('what only run time knows', () => {
  const files = (pod: Pod, value: string): Pod => ({
    ...pod,
    spec: {
      ...pod.spec,
      initContainers: (pod.spec?.initContainers ?? []).map((item) => ({
        ...item,
        ...(item.env === undefined
          ? {}
          : { env: (item.env ?? []).map((entry) => (entry.name === 'LAZARET_FILES' ? { ...entry, value } : entry)) }),
      })),
    },
  });

  it('denies keys that the author of a pod brings himself', async () => {
    await bench.setParameters(policyParameters(settings, {}));
    const answer = await bench.createPod('phi', files(GUARDED, '{"bundle-keys.jwks":"{}"}'));
    expect(messageOf(answer)).toContain('ADM-19 spec.initContainers[0].env (LAZARET_FILES)');
  });

  it('accepts the former values beside the current ones', async () => {
    const next = makeSettings({ sidecar: { image: { tag: '0.2.0' } }, network: { resolvers: ['10.1.1.1'] } });
    await bench.setParameters(policyParameters(next, policyParameters(settings, {})));
    expect((await bench.createPod('phi', GUARDED)).status).toBe(201);
    const renewed = admit(makePod(), {
      values: { sidecar: { image: { tag: '0.2.0' } }, network: { resolvers: ['10.1.1.1'] } },
    });
    expect((await bench.createPod('phi', renewed)).status).toBe(201);
    const foreign = admit(makePod(), { values: { sidecar: { image: { tag: '0.3.0' } } } });
    expect(messageOf(await bench.createPod('phi', foreign))).toContain('ADM-19 spec.initContainers[1].image');
  });

  it('denies every pod in scope while the controller has written nothing, and no other pod', async () => {
    await bench.setParameters({});
    expect(messageOf(await bench.createPod('phi', GUARDED))).toContain('ADM-19');
    expect((await bench.createPod('phi', { ...makePod(), metadata: { name: 'a' } })).status).toBe(201);
  });

  it('and so while its object is not there at all', async () => {
    await bench.removeParameters();
    await until(async () => messageOf(await bench.createPod('phi', GUARDED)).includes('no params found'));
    expect((await bench.createPod('phi', { ...makePod(), metadata: { name: 'a' } })).status).toBe(201);
  });

  it('is seen again after the release was removed and installed anew', async () => {
    await bench.remove();
    expect((await bench.createPod('phi', makePod())).status).toBe(201);
    await bench.install({}, settings);
    expect((await bench.createPod('phi', GUARDED)).status).toBe(201);
    expect((await bench.createPod('phi', makePod())).status).toBe(403);
  });
});
