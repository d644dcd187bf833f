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

const SCHEMA = z
  .object({
    LAZARET_LISTEN: endpoint.default({ host: '::', port: 8_443 }),
    LAZARET_OPS: endpoint.default({ host: '::', port: 9_090 }),
    LAZARET_TLS_CERT: file.optional(),
    LAZARET_TLS_KEY: file.optional(),
    LAZARET_PLAIN: z.enum(['on', 'off']).default('off'),
    LAZARET_STORE: file,
    LAZARET_SIGNING_KEY: file,
    LAZARET_ENROL_TOKEN: file,
    LAZARET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  })
  .superRefine((given, context) => {
    const fault = (name: string, message: string): void => context.addIssue({ code: 'custom', path: [name], message });
    if (given.LAZARET_PLAIN === 'off') {
      if (given.LAZARET_TLS_CERT === undefined) fault('LAZARET_TLS_CERT', 'must name the certificate file (PEM)');
      if (given.LAZARET_TLS_KEY === undefined) fault('LAZARET_TLS_KEY', 'must name the private key file (PEM)');
    } else if (!/^127\.|^::1$/.test(given.LAZARET_LISTEN.host)) {
      fault('LAZARET_PLAIN', 'plain HTTP is for tests on loopback only: listen on 127.0.0.1, or give a certificate');
    }
  });

/** The collector's settings, checked. */
export type CollectorConfig = z.output<typeof SCHEMA>;

/**
 * Reads the settings from environment variables.
 * @returns the settings, or every fault at once: one sentence each, naming the variable and never its value
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
):
  | { readonly ok: true; readonly config: CollectorConfig }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const own = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('LAZARET_') && value !== ''),
  );
  const parsed = SCHEMA.safeParse(own);
  if (parsed.success) return { ok: true, config: parsed.data };
  return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
}

function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
