import { createHash } from 'node:crypto';
import type { CREDENTIAL_KINDS } from './agreement-schema.ts';

/** How a request authenticates. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** What policy may know of a request's credential: never the credential itself. */
export interface Credential {
  readonly kind: CredentialKind;
  /** The prefix of a known family of keys, or '' for an unknown form. */
  readonly prefix: string;
  /** First 128 bits of the key's SHA-256, hexadecimal; '' without a key. Keys are random, so it tells nothing of the key. */
  readonly fingerprint: string;
  /** Whether the key begins with a text; the key stays inside. */
  readonly startsWith: (prefix: string) => boolean;
}

/** Prefixes that tell the kind of a key, most specific first (openai's and others' public documentation). */
const FAMILIES: readonly (readonly [prefix: string, kind: CredentialKind])[] = [
  ['sk-ant-api03-', 'api-key'],
  ['sk-ant-admin01-', 'admin-key'],
  ['sk-ant-oat01-', 'oauth'],
  ['sk-ant-ort01-', 'oauth'],
  ['sk-ant-sid01-', 'session'],
  ['sk-ant-sid', 'session'],
  ['sk-ant-o', 'oauth'],
  ['sk-ant-', 'api-key'],
  ['sk-admin-', 'admin-key'],
  ['sk-proj-', 'api-key'],
  ['sk-svcacct-', 'api-key'],
  ['sk-', 'api-key'],
  ['gsk_', 'api-key'],
  ['AIza', 'api-key'],
  ['sess-', 'session'],
  ['ya29.', 'oauth'],
  ['gho_', 'oauth'],
  ['ghu_', 'oauth'],
  ['eyJ', 'oauth'],
];

const KEY_FIELDS: ReadonlySet<string> = new Set(['x-api-key', 'api-key', 'x-goog-api-key']);

/**
 * Tells the kind of a request's credential from its header fields.
 * @param headers names in any case, duplicates kept
 * @returns `none` without a credential; `ambiguous` where several fields differ or one is malformed, because the provider
 * may look at another one than we do; otherwise kind, known prefix and fingerprint
 */
export function classifyCredential(headers: readonly (readonly [name: string, value: string])[]): Credential {
  const found: string[] = [];
  let cookie = false;
  let signer: string | undefined;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === 'cookie') cookie = true;
    else if (KEY_FIELDS.has(lower)) found.push(value.trim());
    else if (lower !== 'authorization') continue;
    else if (/^AWS4-(HMAC|ECDSA-P256)-SHA256 /i.test(value)) signer = /Credential=([^/,\s]+)/.exec(value)?.[1] ?? '';
    else found.push(/^Bearer +(\S+)$/i.exec(value.trim())?.[1] ?? '');
  }
  const keys = new Set(found);
  const [key] = keys;
  if (keys.size > 1 || (signer !== undefined && keys.size > 0) || key === '') return withoutKey('ambiguous');
  if (signer !== undefined) return { ...withoutKey('signature'), fingerprint: fingerprintKey(signer) };
  if (key === undefined) return withoutKey(cookie ? 'session' : 'none');
  const family = FAMILIES.find(([prefix]) => key.startsWith(prefix));
  return {
    kind: family?.[1] ?? 'api-key',
    prefix: family?.[0] ?? '',
    fingerprint: fingerprintKey(key),
    startsWith: (prefix) => key.startsWith(prefix),
  };
}

function withoutKey(kind: CredentialKind): Credential {
  return { kind, prefix: '', fingerprint: '', startsWith: () => false };
}

/** @returns the first 128 bits of a key's SHA-256 in hexadecimal, as `keyFingerprints` of an agreement has them */
export function fingerprintKey(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
