import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { BundleKey, BundlePayload } from '#contract/bundle.ts';
import { BUNDLE_PAYLOAD, BUNDLE_TYPE } from '#contract/bundle.ts';

/** A key that bundles may be signed with, by its thumbprint (RFC 7638). */
export interface TrustedKey {
  readonly kid: string;
  readonly key: CryptoKey;
  /** Its public form. */
  readonly jwk: BundleKey;
}

/** A bundle whose signature is good, and the key that says so. */
export interface VerifiedBundle {
  readonly payload: BundlePayload;
  readonly by: TrustedKey;
}

/**
 * Reads the operator's verification keys: one public JWK, or a JWK Set (RFC 7517 §5).
 * @throws Error with one sentence when the text is neither, or holds a private key, which has no business in a pod
 */
export async function readTrustedKeys(text: string): Promise<readonly TrustedKey[]> {
  const parsed = parseJson(text);
  const list = isSet(parsed) ? parsed.keys : [parsed];
  if (list.length === 0) throw new Error('the bundle key file holds no key: give the public JWK of the signer');
  return Promise.all(list.map(readKey));
}

/** The key that a verified bundle names for the next ones. */
export function trustNextKey(key: BundleKey): Promise<TrustedKey> {
  return readKey(key);
}

async function readKey(jwk: unknown): Promise<TrustedKey> {
  if (!isPublicP256(jwk))
    throw new Error(
      'a bundle key must be a public EC key on P-256 in JWK form: {"kty":"EC","crv":"P-256","x":...,"y":...} without "d"',
    );
  const { kty, crv, x, y } = jwk;
  const key = await importJWK({ kty, crv, x, y }, 'ES256');
  if (key instanceof Uint8Array) throw new Error('a bundle key must be an EC key');
  return { kid: await calculateJwkThumbprint({ kty, crv, x, y }), key, jwk: { kty, crv, x, y } };
}

/**
 * Verifies a bundle: compact JWS under ES256 (RFC 7515 §5.2) by a trusted key, of our type, with a payload of our shape.
 * The algorithm is fixed here and never taken from the header (RFC 8725 §3.1).
 * @throws Error with one sentence that says why it is not taken
 */
export async function verifyBundle(text: string, trusted: readonly TrustedKey[]): Promise<VerifiedBundle> {
  const { signed, by } = await verifySignature(text.trim(), trusted);
  const parsed = BUNDLE_PAYLOAD.safeParse(parseJson(new TextDecoder().decode(signed)));
  if (parsed.success) return { payload: parsed.data, by };
  const [issue] = parsed.error.issues;
  throw new Error(
    `its payload is not one that this version understands (${issue?.path.join('.') ?? ''}): sign it with the same version`,
  );
}

async function verifySignature(
  text: string,
  trusted: readonly TrustedKey[],
): Promise<{ signed: Uint8Array; by: TrustedKey }> {
  for (const by of trusted) {
    const verified = await compactVerify(text, by.key, { algorithms: ['ES256'] }).catch(() => null);
    if (verified === null) continue;
    if (verified.protectedHeader.typ !== BUNDLE_TYPE) throw new Error(`it is not of type ${BUNDLE_TYPE}`);
    return { signed: verified.payload, by };
  }
  throw new Error('no trusted key verifies its signature');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
}

function isSet(value: unknown): value is { readonly keys: readonly unknown[] } {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}

function isPublicP256(value: unknown): value is BundleKey {
  if (typeof value !== 'object' || value === null || 'd' in value) return false;
  const jwk: JWK = value;
  return jwk.kty === 'EC' && jwk.crv === 'P-256' && typeof jwk.x === 'string' && typeof jwk.y === 'string';
}
