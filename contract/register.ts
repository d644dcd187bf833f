import type { Host } from './brand.ts';
import { LIMIT } from './limit.ts';
import { LLM_HOSTS } from './llm-hosts.data.ts';

/** What a known host is to somebody who must protect identifiers. */
export type HostKind =
  | 'api-baa-possible'
  | 'api'
  | 'router'
  | 'prc'
  | 'coding-backend'
  | 'consumer-chat'
  | 'observability'
  | 'shared-infrastructure';

/** One row of the provider register. */
export interface RegisteredHost {
  readonly pattern: string;
  readonly provider: string;
  readonly kind: HostKind;
  readonly note?: string;
  /** Present on mixed-use hosts: only these paths are LLM traffic (`*` stands for one segment; otherwise prefixes). */
  readonly paths?: readonly string[];
}

/** For the developer who meets the refusal of a host of this kind: what it is and what to do. */
export const KIND_SENTENCES = {
  'api-baa-possible': 'The provider offers a business associate agreement, but none is registered for this workload.',
  api: 'This model API is not known to offer a business associate agreement; use an approved provider.',
  router:
    'A router hands prompts on to other providers, so no single agreement covers them; call an approved provider directly.',
  prc: 'This provider is operated under the law of the PRC and is not approved for traffic that may carry PHI.',
  'coding-backend':
    'The backend of a coding assistant copies files and prompts and is not approved for traffic that may carry PHI.',
  'consumer-chat': 'A consumer product cannot be covered by a business associate agreement; use an approved API.',
  observability:
    'An observability service receives whole prompts and answers; send it no LLM traces from this workload.',
  'shared-infrastructure': 'This host serves many purposes and is not LLM traffic by itself.',
} as const satisfies Record<HostKind, string>;

interface Rows {
  readonly exact: ReadonlyMap<string, RegisteredHost>;
  readonly families: readonly { readonly shape: RegExp; readonly row: RegisteredHost }[];
  readonly below: ReadonlyMap<string, RegisteredHost>;
}

let rows: Rows | undefined;

/**
 * Finds what is known of a host. The most specific row wins: an exact name, then a regional family (a region that is not
 * known yet counts too), then the longest `*.` suffix.
 * @returns null for a host that the register does not name
 */
export function lookupHost(host: Host): RegisteredHost | null {
  rows ??= indexRows();
  const exact = rows.exact.get(host) ?? rows.families.find(({ shape }) => shape.test(host))?.row;
  if (exact !== undefined) return exact;
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    const row = rows.below.get(host.slice(dot + 1));
    if (row !== undefined) return row;
  }
  return null;
}

/**
 * Whether a host may never be a listed destination: a known LLM host. Shared infrastructure is none.
 * @returns its row, or null
 */
export function lookupLlmHost(host: Host): RegisteredHost | null {
  const row = lookupHost(host);
  return row === null || row.kind === 'shared-infrastructure' ? null : row;
}

/**
 * Whether a path of a registered host is LLM traffic: always, except on mixed-use hosts outside the row's paths.
 * @param path origin form, with or without query
 */
export function isLlmPath(row: RegisteredHost, path: string): boolean {
  return row.paths === undefined || row.paths.some((pattern) => pathShape(pattern).test(path));
}

/**
 * The name constraints of a pod's CA: the agreements' hosts, then the register's API hosts as far as `LIMIT.nameConstraintBytes`
 * allows, those without regions first. A suffix permits the name itself and every name below it (RFC 5280 §4.2.1.10), so names
 * below a chosen suffix are left out.
 * @param agreementHosts host patterns: exact, `*.x`, or a regional family of the register
 * @throws RangeError when the agreements' hosts alone do not fit
 */
export function constraintSuffixes(agreementHosts: readonly string[]): readonly string[] {
  const required = minimal(agreementHosts.flatMap(suffixesOfPattern));
  let left = LIMIT.nameConstraintBytes - ENVELOPE_BYTES - encodedBytes(required);
  if (left < 0) {
    throw new RangeError(
      `the agreements name ${required.length} hosts, more than the pod CA's name constraints hold (${LIMIT.nameConstraintBytes} bytes): use *.suffix patterns or fewer regions`,
    );
  }
  const chosen = new Set(required);
  for (const suffix of apiSuffixes()) {
    if (chosen.has(suffix) || isBelowOne(suffix, chosen) || encodedBytes([suffix]) > left) continue;
    chosen.add(suffix);
    left -= encodedBytes([suffix]);
  }
  return minimal([...chosen]);
}

/** Whether a name is one of the suffixes or below one: the test a verifier makes with a permitted dNSName. */
export function isCovered(name: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/** The extension around the names: two sequences, the excluded address ranges, the object identifier. */
const ENVELOPE_BYTES = 96;
const API_KINDS: readonly HostKind[] = ['api-baa-possible', 'api', 'router', 'prc', 'observability', 'coding-backend'];

/** A GeneralSubtree costs two tags and two lengths beside its name. */
function encodedBytes(suffixes: readonly string[]): number {
  return suffixes.reduce((sum, suffix) => sum + suffix.length + 4, 0);
}

function minimal(suffixes: readonly string[]): readonly string[] {
  const unique = new Set(suffixes);
  return [...unique].filter((suffix) => !isBelowOne(suffix, unique));
}

/** Looks each wider name up: to compare all with all would hold every caller up whenever an agreement changes. */
function isBelowOne(suffix: string, others: ReadonlySet<string>): boolean {
  for (let dot = suffix.indexOf('.'); dot >= 0; dot = suffix.indexOf('.', dot + 1))
    if (others.has(suffix.slice(dot + 1))) return true;
  return false;
}

function* apiSuffixes(): Generator<string> {
  for (const regional of [false, true]) {
    for (const kind of API_KINDS) {
      for (const [pattern, , rowKind] of LLM_HOSTS) {
        if (rowKind === kind && isFamily(pattern) === regional) yield* suffixesOfPattern(pattern);
      }
    }
  }
}

/** A name constraint knows no `*` inside a name, so a family becomes the names of its known regions. */
function suffixesOfPattern(pattern: string): readonly string[] {
  if (!isFamily(pattern)) return [pattern.replace(/^\*\./, '')];
  const regions = LLM_HOSTS.find((row) => row[0] === pattern)?.[4];
  return regions === undefined ? [] : regions.split(' ').map((region) => pattern.replace('*', region));
}

function isFamily(pattern: string): boolean {
  return pattern.replace(/^\*\./, '').includes('*');
}

function indexRows(): Rows {
  const exact = new Map<string, RegisteredHost>();
  const below = new Map<string, RegisteredHost>();
  const families: { shape: RegExp; row: RegisteredHost }[] = [];
  for (const [pattern, provider, kind, note] of LLM_HOSTS) {
    const paths = /(?:^|\s)path=(\S+?)(?:;|$)/.exec(note ?? '')?.[1]?.split(',');
    const row: RegisteredHost = {
      pattern,
      provider,
      kind: kind as HostKind,
      ...(note ? { note } : {}),
      ...(paths === undefined ? {} : { paths }),
    };
    if (isFamily(pattern)) families.push({ shape: familyShape(pattern), row });
    else if (pattern.startsWith('*.')) below.set(pattern.slice(2), row);
    else exact.set(pattern, row);
  }
  return { exact, families, below };
}

function familyShape(pattern: string): RegExp {
  const labels = pattern.startsWith('*.') ? '(?:[a-z0-9_-]+\\.)+' : '';
  const rest = pattern.replace(/^\*\./, '').split('*').map(escapeRegExp).join('[a-z0-9-]+');
  return new RegExp(`^${labels}${rest}$`);
}

const shapes = new Map<string, RegExp>();

function pathShape(pattern: string): RegExp {
  const known = shapes.get(pattern);
  if (known !== undefined) return known;
  // A doubled slash or a case change is normalised away by some servers, so it must not lead around the register.
  const body = pattern.split('*').map(escapeRegExp).join('[^/?]+').replaceAll('/', '/+');
  const shape = new RegExp(`^${body}${pattern.endsWith('/') ? '' : '(?=[/?#]|$)'}`, 'i');
  shapes.set(pattern, shape);
  return shape;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
