import type { TrustPaths } from './pod-paths.ts';

/** One environment variable of a container. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
}

/** What an application container's environment became, and where the application's own settings had to give way. */
export interface MergedEnvironment {
  readonly environment: readonly EnvironmentVariable[];
  /** Names whose own value was replaced by another one: the roots it named are trusted only if the operator supplies them. */
  readonly replaced: readonly string[];
}

/** Settings that replace a client's roots: they need the public roots too. */
const REPLACING = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'AWS_CA_BUNDLE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'CARGO_HTTP_CAINFO',
  'NIX_SSL_CERT_FILE',
  'HTTPLIB2_CA_CERTS',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
  'npm_config_cafile',
] as const;

/** Settings that add to the roots a client has. */
const ADDING = ['NODE_EXTRA_CA_CERTS', 'DENO_CERT'] as const;

/** Settings that are lists, with what stands between two entries: ours goes behind the application's own. */
const LISTS: Readonly<Record<string, string>> = { JAVA_TOOL_OPTIONS: ' ', PHP_INI_SCAN_DIR: ':' };

/**
 * The environment that makes an application's clients trust the pod CA; the one source for every place that makes a
 * guarded container. No variable names a proxy or a base URL: traffic is captured by the packet rules.
 * @param paths the trust files as the container sees them
 */
export function podEnvironment(paths: TrustPaths): readonly EnvironmentVariable[] {
  return [
    ...REPLACING.map((name) => ({ name, value: paths.allRoots })),
    ...ADDING.map((name) => ({ name, value: paths.addedRoots })),
    // The JVM takes the last of several -D of one name, so ours wins behind the application's own options.
    { name: 'JAVA_TOOL_OPTIONS', value: `-Djavax.net.ssl.trustStore=${paths.javaStore}` },
    // An empty first entry keeps the directory that PHP was built with.
    { name: 'PHP_INI_SCAN_DIR', value: `:${paths.phpDir}` },
  ];
}

/**
 * Sets our variables over a container's own. The rule: a list keeps its own entries and gets ours behind them; any
 * other variable of that name takes our value and is reported, because a client that keeps its own roots would refuse
 * every answer. Merging twice gives the same as merging once.
 * @param existing the container's own variables, in order; of two with one name the last counts, as in Kubernetes
 */
export function mergeEnvironment(
  existing: readonly EnvironmentVariable[],
  ours: readonly EnvironmentVariable[],
): MergedEnvironment {
  const merged = new Map(existing.map(({ name, value }) => [name, value]));
  const replaced: string[] = [];
  for (const { name, value } of ours) {
    const before = merged.get(name);
    const separator = LISTS[name];
    if (separator === undefined && before !== undefined && before !== value) replaced.push(name);
    merged.set(name, separator === undefined ? value : appendEntry(before, value, separator));
  }
  return { environment: [...merged].map(([name, value]) => ({ name, value })), replaced };
}

function appendEntry(before: string | undefined, value: string, separator: string): string {
  if (before === undefined || before === '') return value;
  const entry = value.startsWith(separator) ? value : separator + value;
  return before === value || before.endsWith(entry) ? before : before + entry;
}
