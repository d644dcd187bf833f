import { z } from 'zod';

const file = z.string().min(1, 'must name a file');
const endpoint = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[0-9.]+):\d{1,5}$/, 'must be ADDRESS:PORT, IPv6 in brackets')
  .transform(parseEndpoint);

/** An address to listen on; port 0 lets the system choose. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const SCHEMA = z.object({
  LAZARET_LISTEN: endpoint.default({ host: '::', port: 8_443 }),
  LAZARET_OPS: endpoint.default({ host: '::', port: 9_090 }),
  LAZARET_TLS_CERT: file.optional(),
  LAZARET_TLS_KEY: file.optional(),
  LAZARET_PLAIN: z.enum(['on', 'off']).default('off'),
  LAZARET_STORE: file,
  LAZARET_SIGNING_KEY: file,
  LAZARET_POD_PROOF: z.enum(['token', 'kubernetes'], 'must be token or kubernetes').default('token'),
  LAZARET_ENROL_TOKEN: file.optional(),
  LAZARET_CONTROLLER: z
    .string()
    .regex(/^system:serviceaccount:[^:]+:[^:]+$/, 'must be system:serviceaccount:NAMESPACE:NAME')
    .optional(),
  LAZARET_API_SERVER: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  LAZARET_SERVICE_ACCOUNT_DIR: file.default('/var/run/secrets/kubernetes.io/serviceaccount'),
  LAZARET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

type Environment = Readonly<Record<string, string | undefined>>;

/** The collector's settings, checked. */
export type CollectorConfig = z.output<typeof SCHEMA>;

/**
 * Reads the settings from environment variables. In a pod the API server's address comes from the variables that Kubernetes sets.
 * @returns the settings, or every fault at once: one sentence each, naming the variable and never its value
 */
export function parseConfig(
  environment: Environment,
):
  | { readonly ok: true; readonly config: CollectorConfig }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const own: Environment = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('LAZARET_') && value !== ''),
  );
  const given: Environment = { LAZARET_API_SERVER: apiServerOf(environment), ...own };
  const parsed = SCHEMA.safeParse(given);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const all = [...faults, ...jointFaults(given)];
  return parsed.success && all.length === 0 ? { ok: true, config: parsed.data } : { ok: false, faults: all };
}

/** What one setting asks of another. Apart from the schema, so that these faults are reported together with its own. */
function jointFaults(given: Environment): readonly string[] {
  const faults: string[] = [];
  if (given['LAZARET_PLAIN'] === 'on') {
    if (!/^(127\.|\[::1\])/.test(given['LAZARET_LISTEN'] ?? ''))
      faults.push(
        'LAZARET_PLAIN: plain HTTP is for tests on loopback only: listen on 127.0.0.1, or give a certificate',
      );
  } else {
    if (given['LAZARET_TLS_CERT'] === undefined) faults.push('LAZARET_TLS_CERT: must name the certificate file (PEM)');
    if (given['LAZARET_TLS_KEY'] === undefined) faults.push('LAZARET_TLS_KEY: must name the private key file (PEM)');
  }
  if (given['LAZARET_POD_PROOF'] === 'kubernetes') {
    if (given['LAZARET_API_SERVER'] === undefined)
      faults.push('LAZARET_API_SERVER: must be the API server: KUBERNETES_SERVICE_HOST is not set, so this is no pod');
  } else if (given['LAZARET_ENROL_TOKEN'] === undefined)
    faults.push(
      'LAZARET_ENROL_TOKEN: must name the token file of pods that enrol, or set LAZARET_POD_PROOF=kubernetes',
    );
  return faults;
}

function apiServerOf(environment: Environment): string | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === undefined || host === '') return undefined;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
