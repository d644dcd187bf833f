// How the controller proves itself to the API server. The published client brings 40 MB of models for this: see
// docs/decisions/0015.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The kubelet renews a token long before it ends; client-go reads it as often. */
const TOKEN_MS = 60_000;

/** What one request to the API server carries. */
export interface ApiAuthority {
  /** PEM of the API server's authority; undefined takes the system's roots. */
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly servername: string | undefined;
  /** Value of the header `authorization`. */
  readonly authorization: string | undefined;
}

/** Where the API server is and how to speak with it. */
export interface ApiCredentials {
  readonly server: URL;
  /** Read afresh as the kubelet renews the token. @throws when a file is gone */
  readonly current: () => ApiAuthority;
}

const FILE_OR_DATA = z.string().min(1).optional();
const KUBECONFIG = z.object({
  'current-context': z.string().min(1),
  contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) })),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.url({ protocol: /^https?$/ }),
        'certificate-authority': FILE_OR_DATA,
        'certificate-authority-data': FILE_OR_DATA,
        'tls-server-name': z.string().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({
        token: z.string().optional(),
        tokenFile: FILE_OR_DATA,
        'client-certificate': FILE_OR_DATA,
        'client-certificate-data': FILE_OR_DATA,
        'client-key': FILE_OR_DATA,
        'client-key-data': FILE_OR_DATA,
      }),
    }),
  ),
});

/**
 * The credentials of a pod's service account, as the kubelet mounts them.
 * @param account the mount, with `token` and `ca.crt`
 * @throws TypeError when this is no pod
 */
export function podCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  now: () => number,
  account: string = ACCOUNT,
): ApiCredentials {
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  if (host === undefined || port === undefined)
    throw new TypeError(
      'this is no pod (KUBERNETES_SERVICE_HOST is not set): name a kubeconfig in KUBECONFIG to run outside a cluster',
    );
  const server = new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`);
  const read = cached(now, () => ({
    ...NONE,
    ca: readFileSync(`${account}/ca.crt`),
    authorization: `Bearer ${readFileSync(`${account}/token`, 'utf8').trim()}`,
  }));
  return { server, current: read };
}

/**
 * The credentials of a kubeconfig's current context: certificates or tokens, given or in files. Programs that make
 * credentials (`exec`) are not started.
 * @throws TypeError when the file cannot be used
 */
export function kubeconfigCredentials(path: string, now: () => number): ApiCredentials {
  const parsed = KUBECONFIG.safeParse(parse(readFileSync(path, 'utf8')));
  const fault = (what: string): TypeError => new TypeError(`KUBECONFIG: ${path}: ${what}`);
  if (!parsed.success)
    throw fault(`${parsed.error.issues[0]?.path.join('.') ?? ''}: ${parsed.error.issues[0]?.message ?? ''}`);
  const { contexts, clusters, users } = parsed.data;
  const context = contexts.find(({ name }) => name === parsed.data['current-context'])?.context;
  const cluster = clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = users.find(({ name }) => name === context?.user)?.user;
  if (cluster === undefined || user === undefined) throw fault('its current-context names no cluster and user of it');
  const bytes = (file: string | undefined, data: string | undefined): Buffer | undefined => {
    if (data !== undefined) return Buffer.from(data, 'base64');
    return file === undefined ? undefined : readFileSync(resolve(dirname(path), file));
  };
  const read = cached(now, () => {
    const token = user.token ?? bytes(user.tokenFile, undefined)?.toString('utf8').trim();
    return {
      ca: bytes(cluster['certificate-authority'], cluster['certificate-authority-data']),
      cert: bytes(user['client-certificate'], user['client-certificate-data']),
      key: bytes(user['client-key'], user['client-key-data']),
      servername: cluster['tls-server-name'],
      authorization: token === undefined ? undefined : `Bearer ${token}`,
    };
  });
  return { server: new URL(cluster.server), current: read };
}

const NONE: ApiAuthority = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  servername: undefined,
  authorization: undefined,
};

function cached(now: () => number, read: () => ApiAuthority): () => ApiAuthority {
  let known: { readonly authority: ApiAuthority; readonly at: number } | null = null;
  return () => {
    if (known === null || now() - known.at >= TOKEN_MS) known = { authority: read(), at: now() };
    return known.authority;
  };
}
