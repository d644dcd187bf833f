import { z } from 'zod';
import { parseHost } from '#contract/host.ts';
import { LIMIT } from '#contract/limit.ts';
import { POD_PATH } from '#contract/pod-paths.ts';
import { FILES_VARIABLE, POD_DIRECTORY, POD_FILE } from '#contract/pod-shape.ts';
import type { SocketAddress } from './address.ts';
import { parseSocketAddress, parseUdpDestination } from './address.ts';
import type { UdpDestination } from './network-rules.ts';
import { isSettingsFile, type SettingsFiles } from './settings-files.ts';

const directory = z.string().regex(/^\/[^\0\n]*[^/\0\n]$/, 'must be an absolute path without a trailing slash');
// The range that no distribution gives to people or services, so that an image rarely holds one of them by accident.
const ownerId = z.coerce
  .number('must be 20000 to 59999')
  .int()
  .min(20_000, 'must be 20000 to 59999')
  .max(59_999, 'must be 20000 to 59999');

const FIELDS = z.object({
  LAZARET_PROXY_MODE: z.enum(['on', 'off'], 'must be on or off').default('off'),
  LAZARET_UID: ownerId.optional(),
  LAZARET_GID: ownerId.optional(),
  LAZARET_CA_DIR: directory.default(POD_PATH.authority),
  LAZARET_TRUST_DIR: directory.default(POD_PATH.trust),
  LAZARET_CONSTRAINTS: entries(
    parseConstraint,
    'must list host names of two labels or more, without wildcards',
    LIMIT.nameConstraintBytes / 4,
  )
    .refine((names) => names.length > 0, 'must name at least one host')
    .refine(
      (names) => names.join('').length <= LIMIT.nameConstraintBytes,
      `must hold at most ${LIMIT.nameConstraintBytes} characters of names: use covering suffixes`,
    ),
  LAZARET_RESOLVERS: entries(
    (text) => parseSocketAddress(text, 53),
    'must list ADDRESS or ADDRESS:PORT, IPv6 with a port in brackets',
  ).optional(),
  LAZARET_UDP_ALLOWED: entries(
    parseUdpDestination,
    'must list ADDRESS:PORT or ADDRESS/BITS:PORT, IPv6 in brackets',
  ).default([]),
  LAZARET_EXTRA_ROOTS: z.string().min(1).optional(),
  LAZARET_SETTINGS_DIR: directory.default(POD_DIRECTORY.settings),
  [FILES_VARIABLE]: settingsFiles().optional(),
});

const GUARDED = FIELDS.extend({ LAZARET_UID: ownerId, LAZARET_GID: ownerId });

/** The settings of `lazaret-init`, checked. */
export interface InitConfig {
  /** The sidecar's, whom the packet rules exempt; null: there is no redirect, clients are told an explicit proxy. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly authorityDir: string;
  readonly trustDir: string;
  /** Permitted DNS suffixes of the pod CA, in normal form. */
  readonly constraints: readonly string[];
  /** The resolvers that UDP may reach; undefined: those of the pod's resolv.conf. */
  readonly resolvers: readonly SocketAddress[] | undefined;
  readonly udpAllowed: readonly UdpDestination[];
  /** A PEM file with the operator's own roots. */
  readonly extraRoots: string | undefined;
  readonly settingsDir: string;
  /** What is written there for the sidecar; undefined: nothing, somebody else does. */
  readonly settingsFiles: SettingsFiles | undefined;
}

/**
 * Reads the settings from environment variables.
 * @returns the settings, or every fault at once: one sentence each, naming the variable
 */
export function parseInitConfig(
  environment: Readonly<Record<string, string | undefined>>,
): { readonly ok: true; readonly config: InitConfig } | { readonly ok: false; readonly faults: readonly string[] } {
  const own = Object.entries(environment).filter(([name, value]) => name.startsWith('LAZARET_') && value !== '');
  const given = Object.fromEntries(own);
  const parsed = (given.LAZARET_PROXY_MODE === 'on' ? FIELDS : GUARDED).safeParse(given, {
    error: (issue) => (issue.input === undefined ? 'must be set' : undefined),
  });
  if (!parsed.success) {
    return { ok: false, faults: parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) };
  }
  const { data } = parsed;
  const config = {
    owner: ownerOf(data),
    authorityDir: data.LAZARET_CA_DIR,
    trustDir: data.LAZARET_TRUST_DIR,
    constraints: data.LAZARET_CONSTRAINTS,
    resolvers: data.LAZARET_RESOLVERS,
    udpAllowed: data.LAZARET_UDP_ALLOWED,
    extraRoots: data.LAZARET_EXTRA_ROOTS,
    settingsDir: data.LAZARET_SETTINGS_DIR,
    settingsFiles: data[FILES_VARIABLE],
  };
  return { ok: true, config };
}

function ownerOf(data: z.output<typeof FIELDS>): InitConfig['owner'] {
  const { LAZARET_PROXY_MODE: proxy, LAZARET_UID: uid, LAZARET_GID: gid } = data;
  return proxy === 'on' || uid === undefined || gid === undefined ? null : { uid, gid };
}

/** A comma-separated list, bounded; one bad entry refuses the whole list. */
function entries<T>(parse: (text: string) => T | null, message: string, most: number = LIMIT.initListEntries) {
  return z.string().transform((text, context): readonly T[] => {
    const parts = text.split(',').map((part) => part.trim());
    const values = parts.filter((part) => part !== '').map(parse);
    if (values.length > most || values.includes(null)) {
      context.addIssue({ code: 'custom', message: `${message}, at most ${most}` });
      return z.NEVER;
    }
    return values.filter((value) => value !== null);
  });
}

/** The names are a closed list: a name with a slash in it could reach any file of the pod's volumes. */
function settingsFiles() {
  return z.string().transform((text, context): SettingsFiles => {
    const files = text.length <= LIMIT.settingsFilesBytes ? parseTexts(text) : null;
    if (files !== null && Object.keys(files).every(isSettingsFile)) return files;
    const names = Object.values(POD_FILE).join(', ');
    const message = `must be a JSON object of at most ${LIMIT.settingsFilesBytes} characters, file name to text, with no names but ${names}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

function parseTexts(text: string): SettingsFiles | null {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A single label such as `com` would let the pod CA speak for half the internet. */
function parseConstraint(text: string): string | null {
  const host = parseHost(text);
  return host !== null && host.includes('.') ? host : null;
}
