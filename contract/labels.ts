/** Labels of namespaces and pods. */
export const LABEL = {
  /** On a namespace: `labelled` (guard the pods labelled PHI-bearing) or `all` (guard every pod). */
  guard: 'lazaret.dev/guard',
  /** On a pod: `true` is PHI-bearing, `false` is not. */
  phi: 'lazaret.dev/phi',
} as const;

/** Annotations of pods. The author may write the first three; the mark is the controller's alone. */
export const ANNOTATION = {
  sidecarCpu: 'lazaret.dev/sidecar-cpu',
  sidecarMemory: 'lazaret.dev/sidecar-memory',
  logLevel: 'lazaret.dev/log-level',
  mark: 'lazaret.dev/mark',
} as const;

/** Names of containers, volumes and ports that start like this are ours. */
export const RESERVED_NAME = 'lazaret-';

/** Our two containers: the first two of `initContainers`, in this order. */
export const CONTAINER = { init: 'lazaret-init', sidecar: 'lazaret-sidecar' } as const;

/** Our volumes. */
export const VOLUME = {
  trust: 'lazaret-trust',
  authority: 'lazaret-ca',
  settings: 'lazaret-settings',
  spool: 'lazaret-spool',
  token: 'lazaret-token',
  extraRoots: 'lazaret-extra-roots',
} as const;

/** The audience of the service account token by which a sidecar proves its pod. */
export const TOKEN_AUDIENCE = 'lazaret.dev';

/** The sidecar's uid and gid are drawn from this range, both ends included. */
export const OWNER_RANGE = { first: 20_000, last: 59_999 } as const;

const DOMAIN = 'lazaret.dev';

/** Whether the key of a label or annotation belongs to us: `lazaret.dev/...` or below a name of ours. */
export function isReservedKey(key: string): boolean {
  const prefix = key.slice(0, Math.max(key.indexOf('/'), 0)).toLowerCase();
  return prefix === DOMAIN || prefix.endsWith(`.${DOMAIN}`);
}

/** Whether an audience is ours, or could be taken for ours. */
export function isReservedAudience(audience: string): boolean {
  return audience.toLowerCase().includes(DOMAIN);
}
