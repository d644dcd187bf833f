import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { doctor, examine } from '#cli/doctor.ts';
import { type ClusterSnapshot, QUESTIONS, type Question } from '#cli/doctor-cluster.ts';
import { readGauges } from '#cli/doctor-metrics.ts';
import { takeSnapshot } from '#cli/doctor-read.ts';
import { CHECKS } from '#cli/doctor-verdict.ts';
import { folder, makeCertificate, terminal } from '#test/sidecar/audit/rig.ts';
import {
  agreement,
  DAY,
  exemption,
  guardMetrics,
  healthyLists,
  METRICS,
  namespace,
  node,
  NOW,
  pod,
  type Raw,
  snapshotOf,
  webhooks,
  workload,
} from './snapshot.ts';

let bundle = '';
let certificateEnd = 0;
beforeAll(async () => {
  const { cert } = await makeCertificate(folder(() => undefined));
  bundle = readFileSync(cert).toString('base64');
  certificateEnd = Date.now() + 3_600_000;
});

type Lists = Record<Question, Raw[] | 'forbidden' | 'absent'>;

/** What is said of a cluster that differs from a healthy one in what is given, apart from what is well. */
function said(change: Partial<Lists>, more: Partial<ClusterSnapshot> = {}, now = NOW): string[] {
  return examine(snapshotOf({ ...healthyLists(bundle), ...change }, more), now)
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, text }) => `${level} ${check}: ${text}`);
}

test('of a healthy cluster every check says that all is well', () => {
  expect(said({})).toEqual([]);
  const verdicts = examine(snapshotOf(healthyLists(bundle)), NOW);
  expect(new Set(verdicts.map(({ check }) => check))).toEqual(new Set(CHECKS));
  expect(verdicts.every(({ remedy }) => remedy === null)).toBe(true);
});

type Case = readonly [what: string, lists: () => Partial<Lists>, text: string];
const policy = (spec: Raw): Raw => ({ metadata: { name: 'lazaret-pods' }, spec });

const STATES: readonly Case[] = [
  [
    'two controllers of which one is ready',
    () => ({ deployments: [workload('lazaret-controller', 2, 1)] }),
    'notice controller: 1 of 2 controller pods are ready (registry.example/lazaret-controller:0.1.0)',
  ],
  [
    'no ready controller',
    () => ({ deployments: [workload('lazaret-controller', 2, 0)] }),
    'broken controller: 0 of 2 controller pods are ready (registry.example/lazaret-controller:0.1.0): no PHI-bearing pod can be created',
  ],
  [
    'a controller that somebody scaled away',
    () => ({ deployments: [workload('lazaret-controller', 0, 0)] }),
    'broken controller: the controller is scaled to 0: no PHI-bearing pod can be created',
  ],
  [
    'a collector that somebody scaled away',
    () => ({ statefulSets: [workload('lazaret-collector', 0, 0)] }),
    'broken collector: the collector is scaled to 0: records stay in the pods until their spools are full',
  ],
  [
    'one controller by choice',
    () => ({ deployments: [workload('lazaret-controller', 1, 1)] }),
    'notice controller: one controller replica is wanted',
  ],
  ['no collector', () => ({ statefulSets: [] }), 'broken collector: there is no StatefulSet lazaret-collector'],
  [
    'a collector that is not ready',
    () => ({ statefulSets: [workload('lazaret-collector', 1, 0)] }),
    'broken collector: 0 of 1 collector pods are ready (registry.example/lazaret-collector:0.1.0): records stay in the pods until their spools are full',
  ],
  [
    'no mutating webhook',
    () => ({ mutatingWebhooks: [] }),
    'broken webhooks: there is no MutatingWebhookConfiguration lazaret',
  ],
  [
    'no validating webhook',
    () => ({ validatingWebhooks: [] }),
    'broken webhooks: there is no ValidatingWebhookConfiguration lazaret',
  ],
  [
    'a webhook configuration that was emptied',
    () => ({ validatingWebhooks: [{ metadata: { name: 'lazaret' }, webhooks: [] }] }),
    'broken webhooks: the ValidatingWebhookConfiguration holds no webhook',
  ],
  [
    'a webhook without a caBundle',
    () => ({ mutatingWebhooks: [webhooks('')] }),
    'broken webhooks: MutatingWebhookConfiguration all.pods.lazaret.dev: no caBundle, so the API server trusts no controller',
  ],
  [
    'a caBundle that is no certificate',
    () => ({ mutatingWebhooks: [webhooks('aGVsbG8=')] }),
    'broken webhooks: MutatingWebhookConfiguration all.pods.lazaret.dev: no caBundle, so the API server trusts no controller',
  ],
  [
    'a webhook that lets pods pass, with policies behind it',
    () => ({ mutatingWebhooks: [webhooks(bundle, 'Ignore')] }),
    'notice webhooks: MutatingWebhookConfiguration all.pods.lazaret.dev: pods pass when no controller answers (failurePolicy)',
  ],
  [
    'a webhook that lets pods pass, with nothing behind it',
    () => ({ mutatingWebhooks: [webhooks(bundle, 'Ignore')], admissionPolicies: [] }),
    'broken webhooks: MutatingWebhookConfiguration all.pods.lazaret.dev: pods pass when no controller answers (failurePolicy)',
  ],
  [
    'no policy',
    () => ({ admissionPolicies: [] }),
    'broken policies: there is no ValidatingAdmissionPolicy of the release',
  ],
  [
    'no parameters of the policies',
    () => ({ policyParameters: [] }),
    'broken policies: the PolicyParameters lazaret-exemptions are missing: every PHI-bearing pod is denied',
  ],
  [
    'parameters of another release',
    () => ({
      policyParameters: [{ metadata: { name: 'lazaret-exemptions' }, data: { '_sidecar-image.current': 'old' } }],
    }),
    'broken policies: the PolicyParameters lazaret-exemptions are stale: they know old as the sidecar, not registry.example/lazaret/sidecar:0.1.0',
  ],
  [
    'a policy that is ignored when it fails',
    () => ({ admissionPolicies: [policy({ failurePolicy: 'Ignore' })] }),
    'broken policies: the ValidatingAdmissionPolicy lazaret-pods has failurePolicy Ignore',
  ],
  [
    'a policy that only warns',
    () => ({
      admissionPolicyBindings: [{ metadata: {}, spec: { policyName: 'lazaret-pods', validationActions: ['Warn'] } }],
    }),
    'broken policies: the ValidatingAdmissionPolicy lazaret-pods has no binding that denies',
  ],
  [
    'a policy without a binding',
    () => ({ admissionPolicyBindings: [] }),
    'broken policies: the ValidatingAdmissionPolicy lazaret-pods has no binding that denies',
  ],
  [
    'no keys',
    () => ({ secrets: [] }),
    'broken keys: the Secret lazaret-keys is missing: pods get no policy and no identity',
  ],
  [
    'an old node',
    () => ({ nodes: [node('one', 'v1.28.9'), node('two', 'v1.36.3')] }),
    'broken nodes: the node one has kubelet v1.28.9',
  ],
  [
    'a node of an unknown version',
    () => ({ nodes: [node('one', '')] }),
    'broken nodes: the node one has kubelet of an unknown version',
  ],
  [
    'only Windows nodes',
    () => ({ nodes: [node('win', 'v1.28.0', 'windows')] }),
    'notice nodes: there is no Linux node',
  ],
  [
    'no guarded namespace',
    () => ({ namespaces: [namespace('clinic')], pods: [] }),
    'broken namespaces: no namespace is guarded',
  ],
  [
    'a label of another value',
    () => ({ namespaces: [namespace('clinic', { 'lazaret.dev/guard': 'true' })], pods: [] }),
    'broken namespaces: the namespace clinic has a label lazaret.dev/guard of another value than labelled or all: its pods are denied',
  ],
  [
    'a label where it means nothing',
    () => ({ namespaces: [namespace('kube-system', { 'lazaret.dev/guard': 'all' })], pods: [] }),
    'notice namespaces: the namespace kube-system has a label lazaret.dev/guard, which means nothing there',
  ],
  [
    'a PHI-bearing pod without a guard',
    () => ({ pods: [pod('clinic', 'old', { image: null })] }),
    'broken pods: the pod clinic/old must be guarded and has no sidecar: it is older than its guard, or came in while admission was off',
  ],
  [
    'a pod without a guard where all are guarded',
    () => ({
      namespaces: [namespace('clinic', { 'lazaret.dev/guard': 'all' })],
      pods: [pod('clinic', 'old', { image: null, labels: {} })],
    }),
    'broken pods: the pod clinic/old must be guarded and has no sidecar: it is older than its guard, or came in while admission was off',
  ],
  [
    'a PHI-bearing pod in a namespace that is not guarded',
    () => ({ pods: [pod('web', 'chat', { image: null })] }),
    'broken pods: the pod web/chat is labelled PHI-bearing, but its namespace is not guarded',
  ],
  [
    'a guard that is not ready',
    () => ({ pods: [pod('clinic', 'notes-0', { ready: false })] }),
    'notice pods: the guard of the pod clinic/notes-0 is not ready',
  ],
  [
    'an old sidecar',
    () => ({ pods: [pod('clinic', 'notes-0', { image: 'registry.example/lazaret/sidecar:0.0.9' })] }),
    'notice images: 1 pods run the sidecar registry.example/lazaret/sidecar:0.0.9, such as clinic/notes-0',
  ],
  [
    'no agreement',
    () => ({ agreements: [] }),
    'broken agreements: there is no agreement: every exchange with a provider is refused',
  ],
  [
    'an agreement that has ended',
    () => ({ agreements: [agreement('acme', { ref: 'x', signedOn: '2025-01-01', expiresOn: '2026-02-28' })] }),
    'broken agreements: the agreement acme has ended: what it covered is refused',
  ],
  [
    'an agreement that ends soon',
    () => ({ agreements: [agreement('acme', { ref: 'x', signedOn: '2025-01-01', expiresOn: '2026-03-11' })] }),
    'notice agreements: the agreement acme ends in 10 days',
  ],
  [
    'an agreement that has not begun',
    () => ({ agreements: [agreement('acme', { ref: 'x', signedOn: '2026-01-01', effectiveOn: '2026-03-05' })] }),
    'notice agreements: the agreement acme begins in 3 days',
  ],
  [
    'an agreement that cannot be read',
    () => ({ agreements: [agreement('acme', { ref: 7 })] }),
    'broken agreements: the agreement acme is not accepted, so it covers nothing',
  ],
  [
    'an agreement that is not signed',
    () => ({ agreements: [agreement('acme', { status: 'available' })] }),
    'notice agreements: the agreement acme is not signed, so it covers nothing',
  ],
  [
    'an agreement without a contract',
    () => ({ agreements: [agreement('acme', null)] }),
    'notice agreements: the agreement acme is not signed, so it covers nothing',
  ],
  [
    'an agreement that the controller rejects',
    () => ({
      agreements: [agreement('acme', null, { status: { conditions: [{ type: 'Accepted', status: 'False' }] } })],
    }),
    'broken agreements: the agreement acme is not accepted, so it covers nothing',
  ],
  [
    'monitor mode',
    () => ({ exemptions: [exemption('trial', '2026-03-03', { monitor: true })] }),
    'notice exemptions: the exemption trial is in force in clinic for 2 days: nothing is blocked or replaced there',
  ],
  [
    'an exemption that cannot be read',
    () => ({ exemptions: [exemption('trial', 'soon', { monitor: true })] }),
    'notice exemptions: the exemption trial is not accepted, so it grants nothing',
  ],
];

test.each(STATES)('%s is said, with what to do', (_, lists, text) => {
  const verdicts = examine(snapshotOf({ ...healthyLists(bundle), ...lists() }), NOW).filter(
    ({ level }) => level !== 'ok',
  );
  expect(verdicts.map((verdict) => `${verdict.level} ${verdict.check}: ${verdict.text}`)).toContain(text);
  for (const { remedy } of verdicts) expect(remedy).toMatch(/^[^.]{10,}/);
});

test('what is over is not said: ended exemptions, ended pods, pods that nobody asked to guard', () => {
  expect(said({ exemptions: [exemption('past', '2026-02-28', { monitor: true })] })).toEqual([]);
  expect(said({ pods: [pod('clinic', 'job', { image: null, phase: 'Succeeded' })] })).toEqual([]);
  expect(said({ pods: [pod('clinic', 'web', { image: null, labels: { 'lazaret.dev/phi': 'false' } })] })).toEqual([]);
});

test('a cluster without the release says so once, and still names unguarded pods', () => {
  expect(said({ deployments: [], pods: [pod('web', 'chat', { image: null })], agreements: 'absent' })).toEqual([
    'broken release: there is no Deployment lazaret-controller in the namespace lazaret',
    'broken release: the API server does not know the resource provideragreements.lazaret.dev',
    'broken pods: the pod web/chat is labelled PHI-bearing, but its namespace is not guarded',
  ]);
});

test.each([
  ['v1.29.4-eks-1', true],
  ['v1.30.0', false],
  ['v1.36.3', false],
  ['v2.0', true],
])('an API server of version %s is too old: %s', (version, old) => {
  expect(said({}, { version })).toEqual(old ? [`broken release: the API server is ${version}`] : []);
});

test('certificates that were not renewed are said, by the worst of all replicas', () => {
  const controller = `${METRICS.controller}\nlazaret_certificate_expiry_seconds{certificate="serving"} ${(1.5 * DAY) / 1_000}`;
  expect(said({}, { metrics: { ...METRICS, controller } })).toEqual([
    'broken certificates: the certificate "serving" ends in 36 hours and was not renewed',
  ]);
  const ended = 'lazaret_synced 1\nlazaret_certificate_expiry_seconds{certificate="serving"} -5';
  expect(said({}, { metrics: { ...METRICS, controller: ended } })).toEqual([
    'broken certificates: the certificate "serving" has ended',
  ]);
});

test('a caBundle that has ended is said', () => {
  expect(said({}, {}, certificateEnd + DAY)).toContain(
    'broken webhooks: MutatingWebhookConfiguration all.pods.lazaret.dev: the caBundle has ended',
  );
});

test('what metrics show is said: a controller that reads nothing, findings in evidence, no metrics', () => {
  expect(
    said(
      {},
      { metrics: { ...METRICS, controller: METRICS.controller.replace('lazaret_synced 1', 'lazaret_synced 0') } },
    ),
  ).toEqual(['broken controller: a controller has not read the cluster']);
  expect(
    said({}, { metrics: { ...METRICS, collector: 'lazaret_collector_findings_total{finding="fork"} 2' } }),
  ).toEqual(['broken collector: chains of evidence do not go on where they ended']);
  expect(said({}, { metrics: { controller: null, collector: null } })).toEqual([
    'notice collector: the metrics of the collector could not be read',
    'notice certificates: the metrics of the controller could not be read, so ends of its certificates are not known',
  ]);
});

test('a full list of chains is said, by whoever keeps it', () => {
  const leader = 'lazaret_expected_chains 50000\nlazaret_expected_chains_limit 50000';
  const follower = 'lazaret_expected_chains 0\nlazaret_expected_chains_limit 50000';
  const controller = (first: string) => `${METRICS.controller}\n${first}\n${follower}`;
  expect(said({}, { metrics: { ...METRICS, controller: controller(leader) } })).toEqual([
    'broken controller: the list of chains that must exist is full: new pods are not added',
  ]);
  const room = controller(leader.replace('chains 50000', 'chains 49999'));
  expect(said({}, { metrics: { ...METRICS, controller: room } })).toEqual([]);
});

test.each([
  ['lazaret_collector_volume_free_bytes 15\nlazaret_collector_volume_size_bytes 100', []],
  [
    'lazaret_collector_volume_free_bytes 14\nlazaret_collector_volume_size_bytes 100',
    ['broken collector: the evidence volume has 14 % left: when it is full, spools fill and pods refuse'],
  ],
  ['lazaret_collector_expected_age_seconds 600', []],
  [
    'lazaret_collector_expected_age_seconds 7200',
    [
      'broken collector: the list of chains that must exist was not renewed for 2 hours: a pod that vanishes with its evidence is not missed',
    ],
  ],
])('of the collector with %j is said %j', (more, lines) => {
  expect(said({}, { metrics: { ...METRICS, collector: `${METRICS.collector}${more}` } })).toEqual(lines);
});

test('without a controller the certificate of the collector is judged all the same', () => {
  const collector = `lazaret_certificate_expiry_seconds{certificate="collector"} ${DAY / 1_000}`;
  expect(said({}, { metrics: { controller: null, collector } })).toEqual([
    'notice certificates: the metrics of the controller could not be read, so ends of its certificates are not known',
    'broken certificates: the certificate "collector" ends in 24 hours and was not renewed',
  ]);
});

test.each([
  [
    { lazaret_foreign_sockets: 2 },
    'broken',
    'a program runs under the user of the guard in the pod clinic/a: all its traffic is refused',
  ],
  [
    { lazaret_spool_bytes: 70_000 },
    'notice',
    'the spool of the pod clinic/a is 70 % full: from 85 % its exchanges are refused',
  ],
  [{ lazaret_spool_bytes: 85_000 }, 'broken', 'the spool of the pod clinic/a is 85 % full: its exchanges are refused'],
  [{ lazaret_audit_lag_seconds: 600 }, 'notice', 'records of the pod clinic/a wait for the collector for 10 minutes'],
  [
    { lazaret_policy_age_seconds: 12 * 3_600 },
    'notice',
    'the policy in the pod clinic/a is 12 hours old: at 24 hours it refuses everything',
  ],
  [
    { lazaret_policy_age_seconds: 24 * 3_600 },
    'broken',
    'the policy in the pod clinic/a is 24 hours old: everything is refused',
  ],
])('a guard with %j is said', (metrics: Readonly<Record<string, number>>, level, text) => {
  const guards = new Map([
    ['clinic/a', guardMetrics(metrics)],
    ['clinic/b', guardMetrics()],
  ]);
  expect(said({}, { guards })).toEqual([`${level} guards: ${text}`]);
});

test('guards that could not be asked are said, and many faults are named up to a number', () => {
  expect(said({}, { guards: new Map([['clinic/a', null]]) })).toEqual([
    'notice guards: the metrics of 1 guards could not be read',
  ]);
  const bad = guardMetrics({ lazaret_foreign_sockets: 1 });
  const lines = said({}, { guards: new Map(Array.from({ length: 30 }, (_, at) => [`clinic/p-${at}`, bad])) });
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('broken guards: there are 10 further faults of guards');
});

test('keys of an evaluation are said as long as the release uses them', () => {
  const lists = healthyLists(bundle);
  const secrets = [...lists.secrets, { metadata: { name: 'lazaret-evaluation-audit-key' } }];
  expect(said({ secrets })).toEqual([]);
  const [document] = lists.configMaps as { data: Record<string, string> }[];
  document!.data['values.yaml'] = document!.data['values.yaml']!.replace('evaluation: false', 'evaluation: true');
  expect(said({ secrets, configMaps: lists.configMaps })).toEqual([
    'notice keys: records are sealed to a key in this cluster (evaluation): who reads Secrets in lazaret reads prompts',
  ]);
});

test.each(QUESTIONS)(
  'an account that may not read %s is told so, and nothing is said to be well that was not seen',
  (question) => {
    const verdicts = examine(snapshotOf({ ...healthyLists(bundle), [question]: 'forbidden' }), NOW);
    const troubled = new Set(verdicts.filter(({ level }) => level !== 'ok').map(({ check }) => check));
    expect(troubled.size).toBeGreaterThan(0);
    for (const { check, level } of verdicts)
      if (level === 'ok' && check === checkOf(question)) expect.fail(`${check} is said to be well`);
  },
);

function checkOf(question: Question): string {
  const checks: Partial<Record<Question, string>> = {
    namespaces: 'namespaces',
    pods: 'pods',
    nodes: 'nodes',
    secrets: 'keys',
    mutatingWebhooks: 'webhooks',
    admissionPolicies: 'policies',
    agreements: 'agreements',
    exemptions: 'exemptions',
  };
  return checks[question] ?? '';
}

test('many unguarded pods are named up to a number, and the rest is counted', () => {
  const pods = Array.from({ length: 30 }, (__, at) => pod('clinic', `old-${at}`, { image: null }));
  const lines = said({ pods });
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('broken pods: 10 further pods are not guarded');
});

test('no answer of an API server makes the doctor throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...QUESTIONS),
      fc.array(fc.anything({ maxDepth: 4 }), { maxLength: 4 }),
      (question, objects) => {
        const snapshot = snapshotOf({ ...healthyLists(bundle), [question]: objects as Raw[] });
        for (const { text, level, remedy } of examine(snapshot, NOW)) {
          expect(text.length).toBeGreaterThan(0);
          expect(remedy === null).toBe(level === 'ok');
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('samples are read from the text format, whatever stands between', () => {
  const text = '# TYPE a gauge\na_b{x="1",y="q\\"}"} 2.5\na_b 3\na_bc 4\na_b{x="2"} NaN\nnonsense';
  expect(readGauges(text, 'a_b')).toEqual([
    { labels: { x: '1', y: 'q\\"}' }, value: 2.5 },
    { labels: {}, value: 3 },
  ]);
});

test('a snapshot asks by pages, takes Secrets by name only, and finds the release by its labels', async () => {
  const asked: string[] = [];
  const answers = (path: string): { status: number; text: string } => {
    const json = (body: unknown, status = 200) => ({ status, text: JSON.stringify(body) });
    if (path === '/version') return json({ gitVersion: 'v1.36.3' });
    if (path.includes('labelSelector=') && path.includes('deployments'))
      return json({ items: [workload('acme-lazaret-controller', 2, 2)] });
    if (path.includes('labelSelector=')) return json({ items: [{ metadata: { name: 'p-0' } }] });
    if (path.endsWith('/proxy/metrics'))
      return path.includes('lazaret') ? { status: 200, text: METRICS.controller } : json({}, 403);
    if (path.startsWith('/api/v1/pods?limit=500&continue=next%2Fpage'))
      return json({ items: [pod('clinic', 'b')], metadata: {} });
    if (path.startsWith('/api/v1/pods'))
      return json({ items: [pod('clinic', 'a')], metadata: { continue: 'next/page' } });
    if (path.startsWith('/apis/lazaret.dev')) return json({ kind: 'Status' }, 404);
    return json({ kind: 'Status' }, 403);
  };
  const api = {
    get: async (path: string, accept = 'application/json') => {
      asked.push(`${path} ${accept}`);
      return answers(path);
    },
  };
  const snapshot = await takeSnapshot(api, { namespace: 'lazaret', name: undefined });
  expect(snapshot.name).toBe('acme-lazaret');
  expect(snapshot.listings.pods).toEqual({ kind: 'objects', objects: [pod('clinic', 'a'), pod('clinic', 'b')] });
  expect(snapshot.listings.agreements).toEqual({ kind: 'absent' });
  expect(snapshot.listings.nodes).toEqual({ kind: 'forbidden' });
  expect(snapshot.metrics.controller).toBe(METRICS.controller);
  const secrets = asked.filter((line) => line.includes('/secrets'));
  expect(secrets).toHaveLength(1);
  expect(secrets[0]).toContain('as=PartialObjectMetadataList');
});

test('wrong usage and no cluster end with a sentence', async () => {
  await expect(doctor(['extra'], terminal())).rejects.toThrow('takes options only');
  const io = terminal();
  expect(await doctor(['--help'], io)).toBe(0);
  expect(io.out.join('')).toContain('Exit codes');
});

test('lists that cannot be used are said, by whoever cannot use them', () => {
  const controller = (fault: 0 | 1) => `${METRICS.controller}\nlazaret_lists_fault 0\nlazaret_lists_fault ${fault}`;
  expect(said({}, { metrics: { ...METRICS, controller: controller(0) } })).toEqual([]);
  expect(said({}, { metrics: { ...METRICS, controller: controller(1) } })).toEqual([
    'broken controller: the lists of the release cannot be used: guarded pods refuse everything',
  ]);
});
