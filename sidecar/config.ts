import { z } from 'zod';
import { LIMIT } from '#contract/limit.ts';

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[0-9.]+)(:\d{1,5})?$/, 'must be ADDRESS or ADDRESS:PORT, IPv6 in brackets');
const file = z.string().min(1, 'must name a file');
const files = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const onOff = z.enum(['on', 'off']).transform((value) => value === 'on');

/** An address to listen on or to ask. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

const list = (fallbackPort: number) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(address))
    .transform((parts) => parts.map((part) => parseEndpoint(part, fallbackPort)));

const FIELDS = z.object({
  LAZARET_BUNDLE: file,
  LAZARET_BUNDLE_KEY: file,
  LAZARET_BUNDLE_URL: z.url({ protocol: /^https$/ }).optional(),
  LAZARET_BUNDLE_CA: file.optional(),
  LAZARET_CA_DIR: file,
  LAZARET_RECIPIENTS: file,
  LAZARET_SPOOL: file,
  LAZARET_COLLECTOR: z.url({ protocol: /^https?$/ }),
  LAZARET_COLLECTOR_CA: file.optional(),
  LAZARET_ENROL_TOKEN: file,
  LAZARET_UPSTREAM_CA: file.optional(),
  LAZARET_RESOLVERS: list(53),
  LAZARET_LISTEN: list(15_001).default(parseListen('127.0.0.1:15001,[::1]:15001')),
  LAZARET_OPS: list(15_020).default(parseListen('[::]:15020')),
  LAZARET_POD_NAMESPACE: z.string().min(1),
  LAZARET_POD_NAME: z.string().min(1),
  LAZARET_POD_UID: z.string().min(1),
  LAZARET_SERVICE_ACCOUNT: z.string().default('default'),
  LAZARET_NODE: z.string().default('unknown'),
  LAZARET_CHAIN: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'must be 8 to 64 letters, digits, "-" or "_"'),
  LAZARET_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LAZARET_LISTS: files.default([]),
  LAZARET_LISTS_KEY: file.optional(),
  LAZARET_EGRESS_PROXY: z.url({ protocol: /^http$/ }).optional(),
  LAZARET_ALLOW_MEMORY_SPOOL: onOff.default(false),
  LAZARET_SYNC: onOff.default(true),
  /** A smaller spool than the product's own. */
  LAZARET_SPOOL_BYTES: z.coerce.number().int().min(LIMIT.segmentBytes).max(LIMIT.spoolBytes).optional(),
  LAZARET_PROXY_MODE: onOff.default(false),
});

// Without a release's own roots a server of bundles would be verified against the whole world's.
const SCHEMA = FIELDS.refine((own) => own.LAZARET_BUNDLE_URL === undefined || own.LAZARET_BUNDLE_CA !== undefined, {
  path: ['LAZARET_BUNDLE_CA'],
  message: 'must name a file with the roots that verify LAZARET_BUNDLE_URL',
});

/** The sidecar's settings, checked. */
export type SidecarConfig = z.output<typeof SCHEMA>;

/**
 * Reads the settings from environment variables.
 * @returns the settings, or every fault at once: one sentence each, naming the variable and never its value
 */
export function parseConfig(
  environment: Readonly<Record<string, string | undefined>>,
): { readonly ok: true; readonly config: SidecarConfig } | { readonly ok: false; readonly faults: readonly string[] } {
  const own = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('LAZARET_') && value !== ''),
  );
  const parsed = SCHEMA.safeParse(own, { error: (issue) => (issue.input === undefined ? 'must be set' : undefined) });
  if (parsed.success) return { ok: true, config: parsed.data };
  return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
}

function parseListen(text: string): Endpoint[] {
  return text.split(',').map((part) => parseEndpoint(part, 0));
}

function parseEndpoint(text: string, fallbackPort: number): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([0-9.]+))(?::(\d+))?$/.exec(text);
  return { host: match?.[1] ?? match?.[2] ?? '', port: match?.[3] === undefined ? fallbackPort : Number(match[3]) };
}
