import type { NamespaceFacts } from '../admission/pod-facts.ts';
import type { ClusterView, PodSummary, PolicyInputs, RawObject } from '../ports.ts';
import { createNews } from './news.ts';
import { readReleaseValues, withResolvers } from './release-values.ts';
import { summarizePod } from './pod-summary.ts';
import { followResolvers, type ResolverPorts } from './resolvers.ts';
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
export function watchCluster(options: ViewOptions, ports: WatchPorts & ResolverPorts): KeptView {
  const stop = new AbortController();
  const news = createNews();
  const stores = createStores();
  const listed = new Set<Kind>();
  const policy = new PolicyState(stores, () => news.tell('policy'));
  const follow = <T>(kind: Kind, resource: WatchedResource<T>): Promise<void> => {
    const onChange = (version: number): void => {
      resource.onChange(version);
      listed.add(kind);
    };
    return followResource({ ...resource, onChange }, ports, stop.signal);
  };
  const inputs = followInputs(describeInputs(options, stores), {
    policy,
    ports,
    signal: stop.signal,
    synced: () => listed.size === KINDS,
  });
  const tell = (change: 'namespaces' | 'pods') => ({ onChange: () => news.tell(change) });
  const running = [
    ...inputs.watched.map(({ kind, resource }) => follow(kind, resource)),
    follow('namespaces', { ...plain('/api/v1/namespaces', stores.namespaces), ...tell('namespaces') }),
    follow('pods', { ...plain('/api/v1/pods', stores.pods), ...tell('pods') }),
    followResolvers((found) => policy.setResolvers(found), ports, stop.signal),
  ];
  return {
    synced: () => listed.size === KINDS && policy.knowsResolvers,
    ...readStores(stores),
    policy: () => policy.inputs(),
    onChange: news.listen,
    refreshPolicy: inputs.refresh,
    until: news.until,
    stop: async () => {
      stop.abort();
      await Promise.all(running);
    },
  };
}

function readStores({ namespaces, pods }: Stores): Pick<ClusterView, 'namespace' | 'namespaces' | 'pod' | 'pods'> {
  return {
    namespace: (name) => namespaces.get({ namespace: '', name }) ?? null,
    namespaces: () => namespaces.each(),
    pod: (namespace, name) => pods.get({ namespace, name }) ?? null,
    pods: () => pods.each(),
  };
}

interface InputTerms {
  readonly policy: PolicyState;
  readonly ports: WatchPorts;
  readonly signal: AbortSignal;
  readonly synced: () => boolean;
}

/**
 * Keeps the revision true: a change that is told after one with a higher number was not in what that number stood for, so
 * all is listed afresh until a higher number stands for both.
 */
function followInputs(described: readonly DescribedInput[], { policy, ports, signal, synced }: InputTerms) {
  const refresh = async (): Promise<void> => {
    const onChange = (version: number): void => void policy.take(version);
    await Promise.all(described.map(({ resource }) => listResource({ ...resource, onChange }, ports.api)));
  };
  const refreshBeyond = async (version: number): Promise<void> => {
    const backoff = ports.backoff();
    while (policy.revision <= version && !signal.aborted) {
      await refresh().catch(() => undefined);
      if (policy.revision <= version) await backoff.wait(signal);
    }
  };
  const onChange = (version: number): void => {
    if (policy.take(version) && synced()) void refreshBeyond(policy.revision);
  };
  return { refresh, watched: described.map(({ kind, resource }) => ({ kind, resource: { ...resource, onChange } })) };
}

/** The policy inputs as last seen, and the number that stands for them. */
class PolicyState {
  readonly #stores: Stores;
  readonly #tell: () => void;
  #revision = 0;
  #values: RawObject | undefined;
  /** The values with the cluster's resolvers; the same object while neither changes. */
  #filled: RawObject | undefined;
  #resolvers: readonly string[] | null = null;
  /** Made once for each change: what is made of it is kept by its identity. */
  #inputs: { readonly inputs: PolicyInputs; readonly edition: number } | null = null;

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
    if (this.#resolvers !== null && resolvers.join() === this.#resolvers.join()) return;
    this.#resolvers = resolvers;
    this.#fill();
  }

  /** @returns whether the change has no higher number than what was known */
  take(version: number): boolean {
    const late = version <= this.#revision;
    this.#revision = Math.max(this.#revision, version);
    // A broken or missing document changes nothing: what somebody relies on must not fall back to defaults.
    const [found] = this.#stores.values.values();
    const values = found?.values === undefined ? this.#values : fieldOf(found, 'values');
    const same = values === this.#values;
    this.#values = values;
    if (same) this.#changed();
    else this.#fill();
    return late;
  }

  #fill(): void {
    this.#filled = this.#values === undefined ? undefined : withResolvers(this.#values, this.#resolvers ?? []);
    this.#changed();
  }

  #changed(): void {
    this.#inputs = null;
    this.#tell();
  }

  inputs(): PolicyInputs {
    const { agreements, egress, exemptions } = this.#stores;
    const edition = agreements.edition + egress.edition + exemptions.edition;
    if (this.#inputs?.edition === edition) return this.#inputs.inputs;
    const inputs = {
      agreements: agreements.values(),
      egress: egress.values(),
      exemptions: exemptions.values(),
      values: this.#filled,
      revision: this.#revision,
    };
    this.#inputs = { inputs, edition };
    return inputs;
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

interface DescribedInput {
  readonly kind: Kind;
  readonly resource: Omit<WatchedResource<RawObject>, 'onChange'>;
}

function describeInputs({ namespace, fullname }: ViewOptions, stores: Stores): readonly DescribedInput[] {
  const group = (resource: string): string => `/apis/lazaret.dev/v1alpha1/${resource}`;
  const values = {
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    query: { fieldSelector: `metadata.name=${fullname}-controller` },
    store: stores.values,
  };
  return [
    { kind: 'agreements', resource: plain(group('provideragreements'), stores.agreements) },
    { kind: 'egress', resource: plain(group('egresspolicies'), stores.egress) },
    { kind: 'exemptions', resource: plain(group('guardexemptions'), stores.exemptions) },
    { kind: 'values', resource: values },
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
