import type { NamespaceFacts } from '#controller/admission/pod-facts.ts';
import type { ClusterChange, ClusterView, PodSummary, PolicyInputs, RawObject } from '#controller/ports.ts';

/** A cluster in memory that can be behind, out of reach, and changed. */
export class FakeCluster implements ClusterView {
  inputs: PolicyInputs = { agreements: [], egress: [], exemptions: [], values: {}, revision: 1 };
  isSynced = true;
  /** What a fresh list would show; null when the API server does not answer. */
  onRefresh: (() => void) | null = () => undefined;
  refreshes = 0;
  readonly #pods = new Map<string, PodSummary>();
  readonly #listeners = new Set<(change: ClusterChange) => void>();

  synced(): boolean {
    return this.isSynced;
  }
  namespace(name: string): NamespaceFacts | null {
    return { name, labels: {} };
  }
  namespaces(): Iterable<NamespaceFacts> {
    return [];
  }
  policy(): PolicyInputs {
    return this.inputs;
  }
  pod(namespace: string, name: string): PodSummary | null {
    return this.#pods.get(`${namespace}/${name}`) ?? null;
  }
  pods(): Iterable<PodSummary> {
    return this.#pods.values();
  }
  onChange(listener: (change: ClusterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  refreshPolicy(): Promise<void> {
    this.refreshes++;
    if (this.onRefresh === null) return Promise.reject(new Error('no answer'));
    this.onRefresh();
    return Promise.resolve();
  }

  /** Changes policy inputs; the revision grows by one unless it is given. */
  change(inputs: Partial<PolicyInputs>): void {
    this.inputs = { ...this.inputs, revision: this.inputs.revision + 1, ...inputs };
    this.#tell('policy');
  }
  setPod(pod: PodSummary): void {
    this.#pods.set(`${pod.namespace}/${pod.name}`, pod);
    this.#tell('pods');
  }
  removePod(namespace: string, name: string): void {
    this.#pods.delete(`${namespace}/${name}`);
    this.#tell('pods');
  }
  #tell(change: ClusterChange): void {
    // One that stops listening, or begins to, while it is told changes nothing for this round.
    const told = [...this.#listeners];
    for (const listener of told) listener(change);
  }
}

/** A pod with a guard. */
export function guardedPod(name: string, given: Partial<PodSummary> = {}): PodSummary {
  return {
    namespace: 'clinic',
    name,
    uid: `uid-${name}`,
    labels: {},
    serviceAccount: 'default',
    node: 'node-1',
    chain: `chain-of-${name}`,
    sidecarImage: 'lazaret/sidecar:0.1.0',
    createdAt: Date.UTC(2026, 0, 1),
    phase: 'Running',
    ready: true,
    ...given,
  };
}

/** A ProviderAgreement in force, as the API server gives it. */
export function agreement(name: string, spec: Readonly<Record<string, unknown>> = {}): RawObject {
  return resource(
    'ProviderAgreement',
    { name },
    {
      provider: 'Anthropic',
      product: 'Claude API',
      match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
      contract: { status: 'signed', ref: 'BAA-1', signedOn: '2026-01-15' },
      ...spec,
    },
  );
}

export function egressPolicy(namespace: string, name: string, spec: Readonly<Record<string, unknown>>): RawObject {
  return resource('EgressPolicy', { namespace, name }, spec);
}

export function exemption(name: string, spec: Readonly<Record<string, unknown>>): RawObject {
  return resource(
    'GuardExemption',
    { name },
    {
      reason: 'a trial',
      approvedBy: 'security officer',
      from: '2026-11-01',
      until: '2026-11-20',
      namespaces: ['clinic'],
      ...spec,
    },
  );
}

function resource(
  kind: string,
  metadata: Readonly<Record<string, string>>,
  spec: Readonly<Record<string, unknown>>,
): RawObject {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind,
    metadata: { ...metadata, uid: `uid-of-${metadata.name}`, resourceVersion: '10', generation: 1 },
    spec,
  };
}
