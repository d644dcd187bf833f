import { createHmac, hkdfSync } from 'node:crypto';

/** The keys that a deployer's lists are hashed and checked with, all derived from one secret. */
export interface ListKey {
  /** 128 bits for words, 128 bits for the filter. */
  readonly words: Uint32Array;
  readonly filter: Uint32Array;
  /** Tells keys apart; says nothing of them. */
  readonly id: string;
  /** Authenticates a table. */
  readonly mac: Uint8Array;
}

const MIN_SECRET = 32;

/**
 * Derives the keys of a table (RFC 5869, SHA-256).
 * @param secret a text of at least 32 characters, as of `openssl rand -base64 32`; white space around it does not count
 * @returns null when it is too short to be a secret
 */
export function deriveListKey(secret: string): ListKey | null {
  const text = secret.trim();
  if (text.length < MIN_SECRET) return null;
  const bytes = new Uint8Array(hkdfSync('sha256', text, 'lazaret lists', 'v1', 72));
  return {
    words: new Uint32Array(bytes.slice(0, 16).buffer),
    filter: new Uint32Array(bytes.slice(16, 32).buffer),
    mac: bytes.slice(32, 64),
    id: Buffer.from(bytes.subarray(64)).toString('hex'),
  };
}

/** HMAC-SHA-256 of a table's bytes: a damaged or forged table must refuse, not find less. */
export function authenticate(key: ListKey, bytes: Uint8Array): Uint8Array {
  return createHmac('sha256', key.mac).update(bytes).digest();
}
