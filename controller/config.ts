import { z } from 'zod';

const NAME = /^[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?$/;
const name = z.string().regex(NAME, 'must be a Kubernetes name');
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
  /** The release's namespace and the prefix of its objects. */
  LAZARET_NAMESPACE: name,
  LAZARET_FULLNAME: name,
  LAZARET_POD_NAME: name,
  LAZARET_CERTS: z.enum(['selfManaged', 'files'], 'must be selfManaged or files').default('selfManaged'),
  LAZARET_TLS_DIR: z.string().min(1).default('/etc/lazaret/tls'),
  /** Further names of the controller's certificate, with commas between: where a webhook is called by URL. */
  LAZARET_SERVING_NAMES: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((part) => part !== '')),
  LAZARET_WEBHOOK_LISTEN: endpoint.default({ host: '::', port: 8_443 }),
  LAZARET_BUNDLE_LISTEN: endpoint.default({ host: '::', port: 8_444 }),
  LAZARET_OPS: endpoint.default({ host: '::', port: 9_090 }),
  LAZARET_COLLECTOR: z.url({ protocol: /^https$/, error: 'must be an https URL' }).optional(),
  /** The token by which the controller proves itself to the collector. */
  LAZARET_COLLECTOR_TOKEN: z.string().min(1).default('/var/run/secrets/lazaret.dev/token'),
  /** The folder with a folder for each Secret of the deployer's lists, where there are any. */
  LAZARET_LISTS: z.string().min(1).optional(),
  LAZARET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** The controller's settings, checked. */
export type ControllerConfig = z.output<typeof SCHEMA> & {
  /** A kubeconfig, outside a cluster; undefined takes the pod's service account. */
  readonly kubeconfig: string | undefined;
};

/**
 * Reads the settings from environment variables.
 * @returns the settings, or every fault at once: one sentence each, naming the variable and never its value
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
):
  | { readonly ok: true; readonly config: ControllerConfig }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const own = Object.fromEntries(
    Object.entries(environment).filter(([key, value]) => key.startsWith('LAZARET_') && value !== ''),
  );
  const parsed = SCHEMA.safeParse(own);
  if (parsed.success) return { ok: true, config: { ...parsed.data, kubeconfig: environment.KUBECONFIG || undefined } };
  return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
}

function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
