import type { NamespaceFacts } from '../admission/pod-facts.ts';
import type { ClusterView, PodSummary, PolicyInputs, RawObject } from '../ports.ts';
import { createNews } from './news.ts';
import { readReleaseValues, withResolvers } from './release-values.ts';
import { summarizePod } from './pod-summary.ts';
import { findResolvers } from './resolvers.ts';
import { fieldOf, metaOf, ResourceStore, textMapOf, textOf } from './resource-store.ts';
import { followResource, listResource, type WatchedResource, type WatchPorts } from './resource-watch.ts';

/** Where the release is. */
export interface ViewOptions {
  readonly namespace: string;
  readonly fullname: string;
}

/** A view that is kept up until it is stopped. */
export interface KeptView extends ClusterView {
  /** Resolves with true when the test holds, tried at once and after every change; with false when the signal aborts first. */
  readonly until: (test: () => boolean, signal: AbortSignal) => Promise<boolean>;
  readonly stop: () => Promise<void>;
}

type Kind = 'agreements' | 'egress' | 'exemptions' | 'values' | 'namespaces' | 'pods';
const KINDS = 6;

/** Begins to watch the cluster. `synced` is false until every list was read and the cluster's resolvers are known. */
export function watchCluster(options: ViewOptions, ports: WatchPorts): KeptView {
  const stop = new AbortController();
  const news = createNews();
  const stores = createStores();
  const listed = new Set<Kind>();
  const policy = new PolicyState(stores, () => news.tell('policy'));
  const seen = (kind: 'namespaces' | 'pods'): void => {
    listed.add(kind);
    news.tell(kind);
  };
  const inputs = describeInputs(options, stores, (kind, version) => {
    const late = policy.take(version) && listed.size === KINDS;
    listed.add(kind);
    // A change that is told after one with a higher number was not in what that number stood for: a list says both anew.
    if (late) void refreshBeyond(version);
  });
  const refresh = async (): Promise<void> => {
    const onChange = (version: number): void => void policy.take(version);
    await Promise.all(inputs.map((input) => listResource({ ...input, onChange }, ports.api)));
  };
  const refreshBeyond = async (version: number): Promise<void> => {
    const backoff = ports.backoff();
    while (policy.revision <= version && !stop.signal.aborted) {
      await refresh().catch(() => undefined);
      if (policy.revision <= version) await backoff.wait(stop.signal);
    }
  };
  const follow = <T>(resource: WatchedResource<T>): Promise<void> => followResource(resource, ports, stop.signal);
  const running = [
    ...inputs.map(follow),
    follow({ ...plain('/api/v1/namespaces', stores.namespaces), onChange: () => seen('namespaces') }),
    follow({ ...plain('/api/v1/pods', stores.pods), onChange: () => seen('pods') }),
    findResolvers(ports, stop.signal).then((found) => policy.setResolvers(found)),
  ];
  return {
    synced: () => listed.size === KINDS && policy.knowsResolvers,
    namespace: (name) => stores.namespaces.get({ namespace: '', name }) ?? null,
    namespaces: () => stores.namespaces.each(),
    policy: () => policy.inputs(),
    pod: (namespace, name) => stores.pods.get({ namespace, name }) ?? null,
    pods: () => stores.pods.each(),
    onChange: news.listen,
    refreshPolicy: refresh,
    until: news.until,
    stop: async () => {
      stop.abort();
      await Promise.all(running);
    },
  };
}

/** The policy inputs as last seen, and the number that stands for them. */
class PolicyState {
  readonly #stores: Stores;
  readonly #tell: () => void;
  #revision = 0;
  #values: RawObject | undefined;
  #resolvers: readonly string[] | null = null;

  constructor(stores: Stores, tell: () => void) {
    this.#stores = stores;
    this.#tell = tell;
  }

  get revision(): number {
    return this.#revision;
  }

  get knowsResolvers(): boolean {
    return this.#resolvers !== null;
  }

  setResolvers(resolvers: readonly string[]): void {
    this.#resolvers = resolvers;
    this.#tell();
  }

  /** @returns whether the change has no higher number than what was known */
  take(version: number): boolean {
    const late = version <= this.#revision;
    this.#revision = Math.max(this.#revision, version);
    // A broken or missing document changes nothing: what somebody relies on must not fall back to defaults.
    const [found] = this.#stores.values.values();
    if (found?.values !== undefined) this.#values = fieldOf(found, 'values');
    this.#tell();
    return late;
  }

  inputs(): PolicyInputs {
    const { agreements, egress, exemptions } = this.#stores;
    return {
      agreements: agreements.values(),
      egress: egress.values(),
      exemptions: exemptions.values(),
      values: this.#values === undefined ? undefined : withResolvers(this.#values, this.#resolvers ?? []),
      revision: this.#revision,
    };
  }
}

interface Stores {
  readonly agreements: ResourceStore<RawObject>;
  readonly egress: ResourceStore<RawObject>;
  readonly exemptions: ResourceStore<RawObject>;
  /** `{values}`: what could be read of the release's ConfigMap. */
  readonly values: ResourceStore<RawObject>;
  readonly namespaces: ResourceStore<NamespaceFacts>;
  readonly pods: ResourceStore<PodSummary>;
}

function createStores(): Stores {
  const policy = () => new ResourceStore(withoutManagedFields, hasSameGeneration);
  return {
    agreements: policy(),
    egress: policy(),
    exemptions: policy(),
    values: new ResourceStore<RawObject>((object) => ({ values: readReleaseValues(object) })),
    namespaces: new ResourceStore<NamespaceFacts>(
      (object) => ({ name: textOf(metaOf(object), 'name'), labels: textMapOf(metaOf(object), 'labels') }),
      isSameText,
    ),
    pods: new ResourceStore<PodSummary>(summarizePod, isSameText),
  };
}

function describeInputs(
  { namespace, fullname }: ViewOptions,
  stores: Stores,
  onChange: (kind: Kind, version: number) => void,
): readonly WatchedResource<RawObject>[] {
  const group = (resource: string): string => `/apis/lazaret.dev/v1alpha1/${resource}`;
  const input = (kind: Kind, resource: Omit<WatchedResource<RawObject>, 'onChange'>) => ({
    ...resource,
    onChange: (version: number) => onChange(kind, version),
  });
  return [
    input('agreements', plain(group('provideragreements'), stores.agreements)),
    input('egress', plain(group('egresspolicies'), stores.egress)),
    input('exemptions', plain(group('guardexemptions'), stores.exemptions)),
    input('values', {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      query: { fieldSelector: `metadata.name=${fullname}-controller` },
      store: stores.values,
    }),
  ];
}

function plain<T>(path: string, store: ResourceStore<T>): Omit<WatchedResource<T>, 'onChange'> {
  return { path, query: {}, store };
}

function withoutManagedFields(object: RawObject): RawObject {
  const { managedFields: _managedFields, ...metadata } = metaOf(object);
  return { ...object, metadata };
}

/** The API server counts a generation with every change of the specification, and with none of the status. */
function hasSameGeneration(before: RawObject, after: RawObject): boolean {
  const { generation } = metaOf(after);
  return typeof generation === 'number' && metaOf(before).generation === generation && sameUid(before, after);
}

function sameUid(before: RawObject, after: RawObject): boolean {
  return textOf(metaOf(before), 'uid') === textOf(metaOf(after), 'uid');
}

function isSameText(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}
