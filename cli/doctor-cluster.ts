import { z } from 'zod';

/** What the API server said to one question: objects, or why there are none. */
export type Listing =
  | { readonly kind: 'objects'; readonly objects: readonly unknown[] }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'absent' };

/** What `lazaret doctor` asks the cluster for. Secrets by name only: their content never leaves the cluster. */
export const QUESTIONS = [
  'namespaces',
  'pods',
  'nodes',
  'deployments',
  'statefulSets',
  'secrets',
  'configMaps',
  'mutatingWebhooks',
  'validatingWebhooks',
  'admissionPolicies',
  'admissionPolicyBindings',
  'policyParameters',
  'agreements',
  'exemptions',
] as const;
export type Question = (typeof QUESTIONS)[number];

/** A cluster at one moment, as the API server gave it. */
export interface ClusterSnapshot {
  /** The release's namespace. */
  readonly namespace: string;
  /** FULLNAME of the release: every object is named after it. */
  readonly name: string;
  /** Version of the API server, such as `v1.36.3`. */
  readonly version: string;
  readonly listings: Readonly<Record<Question, Listing>>;
  /** Metrics of the release's pods in Prometheus' text format; null where they could not be read. */
  readonly metrics: Readonly<Record<'controller' | 'collector', string | null>>;
  /** Metrics of guards, by `NAMESPACE/POD`: those that are not ready first, and not more than a number. */
  readonly guards: ReadonlyMap<string, string | null>;
}

const text = z.string().catch('');
const textMap = z.record(z.string(), z.string()).catch({});
const count = z.number().catch(0);
const list = <T extends z.ZodType>(item: T) => z.array(item).catch([]);
const metadata = z.looseObject({ name: text, namespace: text, labels: textMap, creationTimestamp: text });
const container = z.looseObject({ name: text, image: text });
const clientConfig = z.looseObject({
  caBundle: text,
  service: z.looseObject({ path: text }).catch({ path: '' }),
});

/** The fields that are looked at; a field of another shape reads as an empty one, which then is what is complained about. */
const SHAPES = {
  namespaces: z.looseObject({ metadata }),
  pods: z.looseObject({
    metadata,
    spec: z.looseObject({ initContainers: list(container) }).catch({ initContainers: [] }),
    status: z
      .looseObject({
        phase: text,
        initContainerStatuses: list(z.looseObject({ name: text, ready: z.boolean().catch(false) })),
      })
      .catch({ phase: '', initContainerStatuses: [] }),
  }),
  nodes: z.looseObject({
    metadata,
    status: z
      .looseObject({
        nodeInfo: z
          .looseObject({ kubeletVersion: text, operatingSystem: text })
          .catch({ kubeletVersion: '', operatingSystem: '' }),
      })
      .catch({ nodeInfo: { kubeletVersion: '', operatingSystem: '' } }),
  }),
  workloads: z.looseObject({
    metadata,
    spec: z
      .looseObject({
        replicas: z.number().catch(1),
        template: z
          .looseObject({ spec: z.looseObject({ containers: list(container) }).catch({ containers: [] }) })
          .catch({ spec: { containers: [] } }),
      })
      .catch({ replicas: 1, template: { spec: { containers: [] } } }),
    status: z.looseObject({ readyReplicas: count }).catch({ readyReplicas: 0 }),
  }),
  secrets: z.looseObject({ metadata }),
  parameters: z.looseObject({ metadata, data: textMap }),
  configMaps: z.looseObject({ metadata, data: textMap }),
  webhooks: z.looseObject({
    metadata,
    webhooks: list(z.looseObject({ name: text, failurePolicy: text, clientConfig })),
  }),
  policies: z.looseObject({
    metadata,
    spec: z.looseObject({ failurePolicy: z.string().catch('Fail') }).catch({ failurePolicy: '' }),
  }),
  bindings: z.looseObject({
    metadata,
    spec: z
      .looseObject({ policyName: text, validationActions: list(z.string()) })
      .catch({ policyName: '', validationActions: [] }),
  }),
} as const;

export type PodObject = z.infer<typeof SHAPES.pods>;
export type WorkloadObject = z.infer<typeof SHAPES.workloads>;
export type WebhookObject = z.infer<typeof SHAPES.webhooks>;

/** The cluster with the fields that are looked at. A question without an answer has an empty list; `listings` says why. */
export interface Cluster {
  readonly snapshot: ClusterSnapshot;
  readonly namespaces: readonly z.infer<typeof SHAPES.namespaces>[];
  readonly pods: readonly PodObject[];
  readonly nodes: readonly z.infer<typeof SHAPES.nodes>[];
  readonly controller: WorkloadObject | null;
  readonly collector: WorkloadObject | null;
  readonly secrets: readonly string[];
  /** The release's document: text of `values.yaml`, or null. */
  readonly document: string | null;
  readonly mutating: WebhookObject | null;
  readonly validating: WebhookObject | null;
  readonly policies: readonly z.infer<typeof SHAPES.policies>[];
  readonly bindings: readonly z.infer<typeof SHAPES.bindings>[];
  /** What the policies know beside the object, or null where they know nothing. */
  readonly parameters: Readonly<Record<string, string>> | null;
}

/** Takes a snapshot apart. Nothing in it is trusted to have a shape. */
export function readCluster(snapshot: ClusterSnapshot): Cluster {
  const { name } = snapshot;
  const read = <T>(question: Question, shape: z.ZodType<T>): readonly T[] =>
    objectsOf(snapshot, question).flatMap((object) => {
      const parsed = shape.safeParse(object);
      return parsed.success ? [parsed.data] : [];
    });
  const named = <T extends { readonly metadata: { readonly name: string } }>(objects: readonly T[], own: string) =>
    objects.find((object) => object.metadata.name === own) ?? null;
  const ours = (own: string): boolean => own === name || own.startsWith(`${name}-`);
  return {
    snapshot,
    namespaces: read('namespaces', SHAPES.namespaces),
    pods: read('pods', SHAPES.pods),
    nodes: read('nodes', SHAPES.nodes),
    controller: named(read('deployments', SHAPES.workloads), `${name}-controller`),
    collector: named(read('statefulSets', SHAPES.workloads), `${name}-collector`),
    secrets: read('secrets', SHAPES.secrets).map((secret) => secret.metadata.name),
    document: named(read('configMaps', SHAPES.configMaps), `${name}-controller`)?.data['values.yaml'] ?? null,
    mutating: named(read('mutatingWebhooks', SHAPES.webhooks), name),
    validating: named(read('validatingWebhooks', SHAPES.webhooks), name),
    policies: read('admissionPolicies', SHAPES.policies).filter((policy) => ours(policy.metadata.name)),
    bindings: read('admissionPolicyBindings', SHAPES.bindings),
    parameters: named(read('policyParameters', SHAPES.parameters), `${name}-exemptions`)?.data ?? null,
  };
}

/** The raw objects of a question; none where it has no answer. */
export function objectsOf({ listings }: ClusterSnapshot, question: Question): readonly unknown[] {
  const listing = listings[question];
  return listing.kind === 'objects' ? listing.objects : [];
}
