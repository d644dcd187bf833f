import { randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { isStatus, type KubeApi } from './cluster/api.ts';
import { metaOf, textMapOf, textOf } from './cluster/resource-store.ts';
import { nullIfMissing } from './leader.ts';
import type { RawObject, SigningKeys } from './ports.ts';

/** The secrets of a release. */
export interface ReleaseKeys {
  /** HMAC key of identities and marks: 32 bytes. */
  readonly identity: Uint8Array;
  readonly signing: SigningKeys;
  /** JWK Set that verifies what the keys sign, the next one included; public. */
  readonly jwks: string;
}

/** The release's keys as this replica knows them. */
export interface KeySource {
  /** Null until they could be read. */
  readonly keys: () => ReleaseKeys | null;
  /**
   * Reads the Secret; the leader makes it when there is none. Two that make it at once agree: one creation fails and
   * reads what the other made. What exists is never written over, since every guarded pod rests on it.
   * @returns whether the keys changed
   * @throws ApiError when the API server does not answer, TypeError when the Secret holds no keys
   */
  readonly step: () => Promise<boolean>;
}

/** Where the keys are kept, and who may make them. */
export interface KeyTerms {
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  readonly mayCreate: () => boolean;
  readonly now: () => number;
}

type SecretData = Readonly<Record<string, string>>;

const PRIVATE_JWK = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
const IDENTITY_BYTES = 32;

/** Keeps the keys of the Secret in memory. */
export function createKeySource(terms: KeyTerms, api: KubeApi): KeySource {
  const path = `/api/v1/namespaces/${terms.namespace}/secrets`;
  let known: { readonly keys: ReleaseKeys; readonly data: SecretData; readonly version: string } | null = null;
  const take = async (secret: RawObject): Promise<boolean> => {
    const version = textOf(metaOf(secret), 'resourceVersion');
    if (known?.version === version) return false;
    const data = textMapOf(secret, 'data');
    known = { keys: await parseReleaseKeys(data), data, version };
    return true;
  };
  const step = async (): Promise<boolean> => {
    const found = await api.call({ method: 'GET', path: `${path}/${terms.name}` }).catch(nullIfMissing);
    if (found !== null) return take(found);
    if (!terms.mayCreate()) return false;
    // One that was deleted while we run is put back as it was: every guarded pod trusts these keys.
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: { name: terms.name, namespace: terms.namespace },
      data: known?.data ?? (await makeReleaseKeys(terms.now())),
    };
    const made = await api.call({ method: 'POST', path, body }).catch((fault: unknown) => {
      if (isStatus(fault, 409)) return null;
      throw fault;
    });
    return made === null ? step() : take(made);
  };
  return { keys: () => known?.keys ?? null, step };
}

/**
 * Makes the data of the Secret. The first epoch is the time in minutes, so that a release whose Secret was lost begins
 * above every serial it gave out before.
 */
async function makeReleaseKeys(now: number): Promise<SecretData> {
  return encode({
    'identity.key': randomBytes(IDENTITY_BYTES),
    'bundle.jwk': JSON.stringify(await makeJwk()),
    'bundle-next.jwk': JSON.stringify(await makeJwk()),
    epoch: String(Math.floor(now / 60_000)),
  });
}

/** @throws TypeError when the data is not what `makeReleaseKeys` makes; it names the key and never its content */
async function parseReleaseKeys(data: SecretData): Promise<ReleaseKeys> {
  const identity = Buffer.from(data['identity.key'] ?? '', 'base64');
  if (identity.length !== IDENTITY_BYTES)
    throw new TypeError(`identity.key must hold ${IDENTITY_BYTES} bytes: restore the Secret from a backup`);
  const current = readJwk(data, 'bundle.jwk');
  if (current === null) throw new TypeError('bundle.jwk must hold a private P-256 JWK: restore the Secret');
  const next = readJwk(data, 'bundle-next.jwk');
  const epoch = Buffer.from(data.epoch ?? '', 'base64')
    .toString('utf8')
    .trim();
  if (!/^\d{1,15}$/.test(epoch)) throw new TypeError('epoch must be a decimal number: restore the Secret');
  const key = await importJWK({ ...current, alg: 'ES256' }, 'ES256', { extractable: false });
  if (key instanceof Uint8Array) throw new TypeError('bundle.jwk is no private key');
  const set = await Promise.all([current, ...(next === null ? [] : [next])].map(publicJwk));
  const nextKey = next === null ? null : { kty: next.kty, crv: next.crv, x: next.x, y: next.y };
  return {
    identity,
    signing: { current: key, currentKid: set[0]?.kid ?? '', next: nextKey, epoch: Number(epoch) },
    jwks: JSON.stringify({ keys: set }),
  };
}

async function publicJwk({ kty, crv, x, y }: z.infer<typeof PRIVATE_JWK>): Promise<JWK> {
  return { kty, crv, x, y, kid: await calculateJwkThumbprint({ kty, crv, x, y }), alg: 'ES256', use: 'sig' };
}

function readJwk(data: SecretData, name: string): z.infer<typeof PRIVATE_JWK> | null {
  try {
    return PRIVATE_JWK.parse(JSON.parse(Buffer.from(data[name] ?? '', 'base64').toString('utf8')));
  } catch {
    return null;
  }
}

async function makeJwk(): Promise<JWK> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
}

function encode(data: Readonly<Record<string, string | Buffer>>): SecretData {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, Buffer.from(value as string).toString('base64')]),
  );
}
