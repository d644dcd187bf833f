import type { KeyObject } from 'node:crypto';
import { jwksSchema } from '#contract/chain-protocol.ts';
import { parseJson, type Signed, type SignedType, verifyingKey, verifySigned } from '#contract/chain-signature.ts';

interface TrustedKey {
  readonly key: KeyObject;
  /** What it may sign; undefined for anything. */
  readonly signs: readonly SignedType[] | undefined;
}

/** Public keys by id. */
export type TrustedKeys = ReadonlyMap<string, TrustedKey>;

/** Reads a JWKS. Keys that cannot verify are left out; text that is no JWKS holds none. */
export function readKeys(text: string): TrustedKeys {
  const keys = new Map<string, TrustedKey>();
  const parsed = jwksSchema.safeParse(parseJson(text));
  for (const jwk of parsed.success ? parsed.data.keys : []) {
    const key = verifyingKey(jwk);
    if (key !== null) keys.set(jwk.kid, { key, signs: jwk.signs });
  }
  return keys;
}

/** Whether one of the keys made a signature, and may make one of this type: the controller's key signs no receipt. */
export function isSignedBy(signed: Signed, keys: TrustedKeys): boolean {
  const trusted = keys.get(signed.kid);
  if (trusted === undefined || trusted.signs?.includes(signed.type) === false) return false;
  return verifySigned(signed, trusted.key);
}
