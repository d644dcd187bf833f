import type { ClusterSnapshot, Listing, Question } from '#cli/doctor-cluster.ts';

/** The time of the tests. */
export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const DAY = 86_400_000;
const SIDECAR = 'registry.example/lazaret/sidecar:0.1.0';

/** A raw object; tests change what they like in it. */
export type Raw = Record<string, unknown>;

export function namespace(name: string, labels: Raw = {}): Raw {
  return { metadata: { name, labels } };
}

export function pod(
  namespaceName: string,
  name: string,
  more: { labels?: Raw; image?: string | null; phase?: string; ready?: boolean } = {},
): Raw {
  const { labels = { 'lazaret.dev/phi': 'true' }, image = SIDECAR, phase = 'Running', ready = true } = more;
  const guard =
    image === null
      ? []
      : [
          { name: 'lazaret-init', image: 'i' },
          { name: 'lazaret-sidecar', image },
        ];
  return {
    metadata: { namespace: namespaceName, name, labels },
    spec: { initContainers: guard, containers: [{ name: 'app', image: 'app' }] },
    status: { phase, initContainerStatuses: image === null ? [] : [{ name: 'lazaret-sidecar', ready }] },
  };
}

export function workload(name: string, replicas: number, readyReplicas: number): Raw {
  return {
    metadata: { name, namespace: 'lazaret' },
    spec: { replicas, template: { spec: { containers: [{ name: 'main', image: `registry.example/${name}:0.1.0` }] } } },
    status: { readyReplicas },
  };
}

export function node(name: string, kubeletVersion: string, operatingSystem = 'linux'): Raw {
  return { metadata: { name }, status: { nodeInfo: { kubeletVersion, operatingSystem } } };
}

export function agreement(name: string, contract: Raw | null, more: Raw = {}): Raw {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name, uid: 'u' },
    spec: {
      provider: 'Acme',
      product: 'API',
      match: { hosts: ['api.acme.example'], paths: ['POST /v1/chat'] },
      ...(contract === null ? {} : { contract: { status: 'signed', ...contract } }),
    },
    ...more,
  };
}

export function exemption(name: string, until: string, grant: Raw): Raw {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'GuardExemption',
    metadata: { name },
    spec: { reason: 'trial', approvedBy: 'privacy office', from: '2026-02-20', until, namespaces: ['clinic'], grant },
  };
}

const hook = (name: string, path: string, caBundle: string, failurePolicy = 'Fail'): Raw => ({
  name,
  failurePolicy,
  clientConfig: { caBundle, service: { name: 'lazaret-controller', path } },
});

export function webhooks(caBundle: string, failurePolicy = 'Fail'): Raw {
  return {
    metadata: { name: 'lazaret' },
    webhooks: [
      hook('all.pods.lazaret.dev', '/mutate', caBundle, failurePolicy),
      hook('templates.lazaret.dev', '/templates', caBundle, 'Ignore'),
    ],
  };
}

export const METRICS = {
  controller: [
    '# HELP lazaret_synced Whether the controller has read the cluster.',
    'lazaret_synced 1',
    `lazaret_certificate_expiry_seconds{certificate="serving"} ${(5 * DAY) / 1_000}`,
    `lazaret_certificate_expiry_seconds{certificate="authority"} ${(900 * DAY) / 1_000}`,
  ].join('\n'),
  collector: `lazaret_certificate_expiry_seconds{certificate="collector"} ${(20 * DAY) / 1_000}\nlazaret_collector_findings_total{finding="fork"} 0\n`,
};

/** Metrics of a guard in which all is well, but for what is given. */
export function guardMetrics(more: Readonly<Record<string, number>> = {}): string {
  const well = { lazaret_spool_bytes: 1_000, lazaret_spool_limit_bytes: 100_000, lazaret_foreign_sockets: 0 };
  return Object.entries({ ...well, ...more })
    .map(([name, value]) => `${name} ${value}`)
    .join('\n');
}

const GUARDS: ClusterSnapshot['guards'] = new Map([['clinic/notes-0', guardMetrics()]]);

/** What the lists of a cluster hold in which everything is well. @param caBundle base64 of PEM */
export function healthyLists(caBundle: string): Record<Question, Raw[]> {
  return {
    namespaces: [namespace('clinic', { 'lazaret.dev/guard': 'labelled' }), namespace('web'), namespace('lazaret')],
    pods: [
      pod('clinic', 'notes-0'),
      pod('clinic', 'db-0', { labels: {}, image: null }),
      pod('web', 'shop', { labels: {}, image: null }),
    ],
    nodes: [node('one', 'v1.36.3'), node('two', 'v1.33.1-gke.100')],
    deployments: [workload('lazaret-controller', 2, 2)],
    statefulSets: [workload('lazaret-collector', 1, 1)],
    secrets: [{ metadata: { name: 'lazaret-keys' } }, { metadata: { name: 'lazaret-authority' } }],
    configMaps: [
      {
        metadata: { name: 'lazaret-controller' },
        data: {
          'values.yaml':
            'evaluation: false\nglobal: {imageRegistry: registry.example}\nsidecar: {image: {repository: lazaret/sidecar, tag: 0.1.0, digest: ""}}\ninit: {image: {repository: lazaret/init, tag: 0.1.0, digest: ""}}\n',
        },
      },
    ],
    mutatingWebhooks: [webhooks(caBundle), { metadata: { name: 'mesh' } }],
    validatingWebhooks: [webhooks(caBundle)],
    admissionPolicies: [
      { metadata: { name: 'lazaret-pods' }, spec: { failurePolicy: 'Fail' } },
      { metadata: { name: 'others' } },
    ],
    admissionPolicyBindings: [
      { metadata: { name: 'lazaret-pods' }, spec: { policyName: 'lazaret-pods', validationActions: ['Deny'] } },
    ],
    policyParameters: [
      {
        metadata: { name: 'lazaret-exemptions' },
        data: { '_sidecar-image.current': SIDECAR, '_init-image.current': 'registry.example/lazaret/init:0.1.0' },
      },
    ],
    agreements: [agreement('anthropic', { ref: 'BAA-1', signedOn: '2026-01-01', expiresOn: '2027-01-01' })],
    exemptions: [],
  };
}

/** A snapshot of these lists; a word stands for a question without an answer. */
export function snapshotOf(
  lists: Record<Question, Raw[] | 'forbidden' | 'absent'>,
  more: Partial<ClusterSnapshot> = {},
): ClusterSnapshot {
  const listings = Object.fromEntries(
    Object.entries(lists).map(([question, list]): [string, Listing] => [
      question,
      typeof list === 'string' ? { kind: list } : { kind: 'objects', objects: list },
    ]),
  ) as Record<Question, Listing>;
  return {
    namespace: 'lazaret',
    name: 'lazaret',
    version: 'v1.36.3',
    listings,
    metrics: METRICS,
    guards: GUARDS,
    ...more,
  };
}
