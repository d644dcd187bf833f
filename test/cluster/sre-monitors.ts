// The Prometheus operator's part, without the operator: its resources as they are, and what it makes of monitors.
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from './run-command.ts';
import { type Discovery, labelName } from './sre-discovery.ts';
import { getObject, kubectl } from './test-cluster.ts';

const MODULE = 'github.com/prometheus-operator/prometheus-operator';
const PLURALS = ['servicemonitors', 'podmonitors', 'prometheusrules'] as const;

/** Takes the operator's own definitions of its resources into the cluster, so that the API server judges the chart's by their schema. */
export async function installMonitoringApi(): Promise<void> {
  const told = await runCommand(['go', 'mod', 'download', '-json', MODULE], {
    cwd: join(import.meta.dirname, 'go/prometheus-operator'),
  });
  const { Dir: dir } = z.object({ Dir: z.string() }).parse(JSON.parse(told));
  const files = PLURALS.map(
    (plural) => `--filename=${join(dir, `example/prometheus-operator-crd/monitoring.coreos.com_${plural}.yaml`)}`,
  );
  await kubectl(['apply', '--server-side', '--force-conflicts', ...files]);
  const names = PLURALS.map((plural) => `crd/${plural}.monitoring.coreos.com`);
  await kubectl(['wait', ...names, '--for=condition=Established', '--timeout=60s']);
}

/** Takes them out again, with every monitor. */
export async function removeMonitoringApi(): Promise<void> {
  const names = PLURALS.map((plural) => `${plural}.monitoring.coreos.com`);
  await kubectl(['delete', 'crd', ...names, '--ignore-not-found', '--timeout=60s']);
}

// Strict: a field that the chart begins to use must be translated, not passed over.
const selectorSchema = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .default([]),
});
const endpointSchema = z.strictObject({
  port: z.string(),
  path: z.string(),
  interval: z.string(),
  honorLabels: z.boolean().default(false),
});
const namespacesSchema = z.union([
  z.strictObject({ any: z.literal(true) }).transform(() => null),
  z.strictObject({ matchNames: z.array(z.string()) }).transform(({ matchNames }) => matchNames),
]);
const metadataSchema = z.looseObject({ name: z.string(), namespace: z.string() });
const shared = { namespaceSelector: namespacesSchema, selector: selectorSchema };
const monitorSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('ServiceMonitor'),
    metadata: metadataSchema,
    spec: z.strictObject({ ...shared, endpoints: z.array(endpointSchema) }),
  }),
  z.looseObject({
    kind: z.literal('PodMonitor'),
    metadata: metadataSchema,
    spec: z.strictObject({ ...shared, podMetricsEndpoints: z.array(endpointSchema) }),
  }),
]);
type Monitor = z.infer<typeof monitorSchema>;
type Endpoint = z.infer<typeof endpointSchema>;

/** The monitors of the release, as the API server keeps them. */
export async function readMonitors(): Promise<readonly Monitor[]> {
  const { items } = await getObject(['servicemonitors,podmonitors', '--namespace=lazaret']);
  return z.array(monitorSchema).parse(items);
}

/** The groups of the release's PrometheusRule, as the API server keeps them. */
export async function readRuleGroups(): Promise<unknown> {
  const { spec } = await getObject(['prometheusrule/lazaret', '--namespace=lazaret']);
  return z.looseObject({ groups: z.array(z.unknown()).min(1) }).parse(spec).groups;
}

/** One rule of `relabel_configs`. */
type Relabel = Readonly<Record<string, unknown>>;

/** What the operator makes of a monitor: one job for each endpoint (pkg/prometheus/promcfg.go), targets found through the API server. */
export function scrapeJobs(monitor: Monitor, discovery: Discovery): readonly object[] {
  const { kind, metadata, spec } = monitor;
  const endpoints = kind === 'ServiceMonitor' ? monitor.spec.endpoints : monitor.spec.podMetricsEndpoints;
  return endpoints.map((endpoint, at) => ({
    job_name: `${kind}/${metadata.namespace}/${metadata.name}/${at}`,
    honor_labels: endpoint.honorLabels,
    metrics_path: endpoint.path,
    scrape_interval: endpoint.interval,
    http_sd_configs: [
      {
        url: discovery.urlOf(kind === 'ServiceMonitor' ? 'endpoints' : 'pod', spec.namespaceSelector),
        refresh_interval: '2s',
      },
    ],
    relabel_configs: kind === 'ServiceMonitor' ? serviceRelabels(monitor, endpoint) : podRelabels(monitor, endpoint),
  }));
}

function serviceRelabels({ spec }: Monitor, { port }: Endpoint): readonly Relabel[] {
  return [
    ...selectorRelabels('service', spec.selector),
    keep(['__meta_kubernetes_endpoint_port_name'], port),
    dropEnded,
    put('namespace', '__meta_kubernetes_namespace'),
    put('service', '__meta_kubernetes_service_name'),
    put('pod', '__meta_kubernetes_pod_name'),
    put('container', '__meta_kubernetes_pod_container_name'),
    put('job', '__meta_kubernetes_service_name'),
    { target_label: 'endpoint', replacement: port },
  ];
}

function podRelabels({ metadata, spec }: Monitor, { port }: Endpoint): readonly Relabel[] {
  return [
    ...selectorRelabels('pod', spec.selector),
    keep(['__meta_kubernetes_pod_container_port_name'], port),
    dropEnded,
    put('namespace', '__meta_kubernetes_namespace'),
    put('container', '__meta_kubernetes_pod_container_name'),
    put('pod', '__meta_kubernetes_pod_name'),
    { target_label: 'job', replacement: `${metadata.namespace}/${metadata.name}` },
    { target_label: 'endpoint', replacement: port },
  ];
}

function selectorRelabels(
  role: 'service' | 'pod',
  { matchLabels, matchExpressions }: z.infer<typeof selectorSchema>,
): readonly Relabel[] {
  const wanted = [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, values: [value] })),
    ...matchExpressions,
  ];
  return wanted.map(({ key, values }) => {
    const name = labelName(key);
    const source = [`__meta_kubernetes_${role}_label_${name}`, `__meta_kubernetes_${role}_labelpresent_${name}`];
    return keep(source, `(${values.join('|')});true`);
  });
}

const dropEnded: Relabel = {
  action: 'drop',
  source_labels: ['__meta_kubernetes_pod_phase'],
  regex: '(Failed|Succeeded)',
};

function keep(source: readonly string[], regex: string): Relabel {
  return { action: 'keep', source_labels: source, regex };
}

function put(label: string, source: string): Relabel {
  return { source_labels: [source], target_label: label };
}
