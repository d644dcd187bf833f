import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';

/** What a signature of ours stands under; it is the JWS `typ`, so that no signature passes for another thing. */
export const SIGNED_TYPE = {
  record: 'lazaret-record',
  enrol: 'lazaret-enrol',
  batch: 'lazaret-batch',
  attestation: 'lazaret-attestation',
  receipt: 'lazaret-receipt',
  manifest: 'lazaret-manifest',
  expected: 'lazaret-expected',
} as const;
export type SignedType = (typeof SIGNED_TYPE)[keyof typeof SIGNED_TYPE];

/** A public ES256 key. */
export const publicKeySchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().length(43),
  y: z.string().length(43),
});
export type PublicKey = z.infer<typeof publicKeySchema>;

const headSchema = z.looseObject({ alg: z.literal('ES256'), typ: z.enum(SIGNED_TYPE), kid: z.string().max(128) });

/** A compact JWS taken apart; nothing is verified yet. */
export interface Signed {
  readonly type: SignedType;
  readonly kid: string;
  readonly payload: string;
  /** What the signature covers, as it stands. */
  readonly input: string;
  readonly signature: Uint8Array;
}

/**
 * Signs JSON text as a compact JWS (RFC 7515 §3.1, ES256 of RFC 7518 §3.4: the signature is r‖s, not DER).
 * @param signer the private key and its id, the RFC 7638 thumbprint of the public key
 */
export function signCompact(
  type: SignedType,
  payload: string,
  signer: { readonly key: KeyObject; readonly kid: string },
): string {
  const head = Buffer.from(JSON.stringify({ alg: 'ES256', typ: type, kid: signer.kid })).toString('base64url');
  const input = `${head}.${Buffer.from(payload).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(input, 'latin1'), { key: signer.key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** Takes a compact JWS apart. @returns null when it is not one of ours */
export function parseSigned(text: string): Signed | null {
  const [head, payload, signature, ...rest] = text.split('.');
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
  const parsed = headSchema.safeParse(parseJson(Buffer.from(head, 'base64url').toString('utf8')));
  if (!parsed.success) return null;
  const { typ, kid } = parsed.data;
  // One form for one value: bits that decoding would ignore are a change too.
  if (![head, payload, signature].every((part) => Buffer.from(part, 'base64url').toString('base64url') === part))
    return null;
  const input = `${head}.${payload}`;
  return {
    type: typ,
    kid,
    payload: Buffer.from(payload, 'base64url').toString('utf8'),
    input,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** The id of a key: its RFC 7638 §3.2 thumbprint, so that an id cannot stand for another key. */
export function thumbprint({ crv, kty, x, y }: PublicKey): string {
  return hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url');
}

/** @returns a key to verify with, or null when the point is not on the curve: never used then (invalid-curve attacks). */
export function verifyingKey(key: PublicKey): KeyObject | null {
  try {
    const { kty, crv, x, y } = key;
    return createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
  } catch {
    return null;
  }
}

/** Whether a key made a signature. The algorithm is pinned to ES256, whatever stands in the header. */
export function verifySigned(signed: Signed, key: KeyObject): boolean {
  return verify('sha256', Buffer.from(signed.input, 'latin1'), { key, dsaEncoding: 'ieee-p1363' }, signed.signature);
}

/** Reads JSON. @returns null when it is none */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
