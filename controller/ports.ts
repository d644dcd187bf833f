import type { NamespaceFacts } from './admission/pod-facts.ts';

/** An object as the API server gives it; nothing in it is trusted to have a shape. */
export type RawObject = Readonly<Record<string, unknown>>;

/** What the registry and the reports need of a pod; the rest of the object is not kept. */
export interface PodSummary {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly node: string;
  /** The chain id of its sidecar; null when the pod carries no guard of ours. */
  readonly chain: string | null;
  /** Image of its sidecar, null when there is none. */
  readonly sidecarImage: string | null;
  /** Ms since the epoch. */
  readonly createdAt: number;
  /** `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`. */
  readonly phase: string;
  /** Whether its sidecar is ready. */
  readonly ready: boolean;
}

/** The three resources and the release's configuration, as last seen. */
export interface PolicyInputs {
  readonly agreements: readonly RawObject[];
  readonly egress: readonly RawObject[];
  readonly exemptions: readonly RawObject[];
  /** The chart's values: the parsed `values.yaml` of the release's ConfigMap. */
  readonly values: unknown;
  /** Highest resourceVersion seen among all of these, deletions included. */
  readonly revision: number;
}

/** What changed; listeners are called after the view shows it. */
export type ClusterChange = 'policy' | 'namespaces' | 'pods';

/** The cluster as the controller sees it: read from memory, kept up by watches. */
export interface ClusterView {
  /** Whether every watch has delivered its first list; nothing may be decided before. */
  synced(): boolean;
  namespace(name: string): NamespaceFacts | null;
  namespaces(): Iterable<NamespaceFacts>;
  policy(): PolicyInputs;
  pod(namespace: string, name: string): PodSummary | null;
  pods(): Iterable<PodSummary>;
  /** @returns the way to stop */
  onChange(listener: (change: ClusterChange) => void): () => void;
  /** Lists the policy inputs afresh, past any watch that is behind. @throws when the API server does not answer */
  refreshPolicy(): Promise<void>;
}

/** A pod as the API server vouches for it (TokenReview of an audience-bound token). */
export interface ProvenPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/** Asks the API server whom a token belongs to. @returns null when it proves no pod; @throws when the API server does not answer */
export type ProveToken = (token: string) => Promise<ProvenPod | null>;

/** A private ES256 key that signs bundles and the list of expected chains; `d` never leaves the process. */
export interface SigningKeys {
  readonly current: CryptoKey;
  readonly currentKid: string;
  /** Public JWK of the key that comes next, named in each bundle. */
  readonly next: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string } | null;
  /** The epoch of serials; grows after a restore. */
  readonly epoch: number;
}
