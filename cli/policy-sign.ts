import { CompactSign, calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { BundleKey, BundlePayload, Serial } from '#contract/bundle.ts';
import { BUNDLE_PAYLOAD, BUNDLE_TYPE, formatSerial, isStale, parseSerial } from '#contract/bundle.ts';
import { parseArguments } from './arguments.ts';
import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';
import { compileFor, readNamed, readPolicySource } from './policy-source.ts';

/** `lazaret policy sign`: compiles a source and signs the bundle. */
export async function signPolicy(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, {
    key: 'value',
    'next-key': 'value',
    out: 'value',
    serial: 'value',
    namespace: 'value',
    label: 'values',
  });
  const path = onePath(given.positionals, 'SOURCE');
  const key = await readKey(io, given.required('key'));
  if (key.d === undefined)
    throw new UsageError('--key must be a private key: lazaret policy key --out DIR makes a pair');
  const next = given.value('next-key');
  const issuedAt = Date.now();
  const payload: BundlePayload = {
    version: 1,
    serial: serialOf(given.value('serial'), issuedAt),
    issuedAt,
    policy: compileFor(await readPolicySource(io, path), given),
    ...(next === undefined ? {} : { nextKey: publicPart(await readKey(io, next)) }),
  };
  const bundle = `${await signBundle(payload, key)}\n`;
  const out = given.value('out');
  if (out === undefined) io.stdout(bundle);
  else await io.writeFile(out, bundle, 0o644);
  return 0;
}

/** `lazaret policy verify`: whether a bundle was signed by a key, and what it is. Exit code 1 when it was not. */
export async function verifyPolicy(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { key: 'value', json: 'switch' });
  const path = onePath(given.positionals, 'BUNDLE');
  const { kty, crv, x, y } = await readKey(io, given.required('key'));
  const key = await importJWK({ kty, crv, x, y }, 'ES256');
  const text = (await readNamed(io, path)).trim();
  const verified = await compactVerify(text, key, { algorithms: ['ES256'] }).catch(() => null);
  const payload =
    verified?.protectedHeader.typ === BUNDLE_TYPE
      ? BUNDLE_PAYLOAD.safeParse(parseJson(new TextDecoder().decode(verified.payload)))
      : null;
  if (payload?.success !== true) {
    io.stderr(
      `${path} is not a policy bundle that this key signed: sign its source again, or verify with the signer's key\n`,
    );
    return 1;
  }
  const { serial, issuedAt, policy } = payload.data;
  const facts = {
    serial: formatSerial(serial),
    issued_at: new Date(issuedAt).toISOString(),
    stale: isStale(payload.data.issuedAt, Date.now()),
    agreements: policy.agreements.map(({ id }) => id),
    destinations: policy.destinations.map(({ pattern }) => pattern),
  };
  io.stdout(
    given.has('json')
      ? `${JSON.stringify(facts)}\n`
      : `good signature, serial ${facts.serial}, signed at ${facts.issued_at}${facts.stale ? ' (stale: older than 24 h)' : ''}\n`,
  );
  return 0;
}

/** `lazaret policy key`: makes a pair of keys for bundles. */
export async function makePolicyKey(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { out: 'value' });
  const directory = given.required('out');
  const exists = await io.readFile(`${directory}/policy.private.jwk`).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new UsageError(`${directory} already holds policy.private.jwk: choose another directory or move it away`);
  const pair = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(pair.privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const { kty, crv, x, y } = jwk;
  await io.writeFile(
    `${directory}/policy.private.jwk`,
    `${JSON.stringify({ ...jwk, kid, alg: 'ES256', use: 'sig' })}\n`,
    0o600,
  );
  await io.writeFile(
    `${directory}/policy.public.jwk`,
    `${JSON.stringify({ kty, crv, x, y, kid, alg: 'ES256', use: 'sig' })}\n`,
    0o644,
  );
  return 0;
}

/**
 * Signs a bundle as compact JWS under ES256.
 * @param key a private EC key on P-256
 */
export async function signBundle(payload: BundlePayload, key: PolicyKey): Promise<string> {
  const { kty, crv, x, y } = key;
  const signer = await importJWK({ ...key }, 'ES256');
  const kid = await calculateJwkThumbprint({ kty, crv, x, y });
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ: BUNDLE_TYPE, kid })
    .sign(signer);
}

/** An EC key on P-256, private when it has `d`. */
export interface PolicyKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly d?: string;
}

/** @throws UsageError when a file holds no EC key on P-256 */
async function readKey(io: CommandIo, path: string): Promise<PolicyKey> {
  const jwk = parseJson(await readNamed(io, path));
  if (!isPolicyKey(jwk))
    throw new UsageError(`${path} is not an EC key on P-256 in JWK form: lazaret policy key --out DIR makes a pair`);
  return jwk.d === undefined ? publicPart(jwk) : { ...publicPart(jwk), d: jwk.d };
}

function publicPart({ x, y }: PolicyKey): BundleKey & PolicyKey {
  return { kty: 'EC', crv: 'P-256', x, y };
}

function isPolicyKey(value: unknown): value is PolicyKey {
  if (typeof value !== 'object' || value === null) return false;
  const jwk: Partial<Record<string, unknown>> = { ...value };
  const text = (field: unknown) => typeof field === 'string';
  return jwk.kty === 'EC' && jwk.crv === 'P-256' && text(jwk.x) && text(jwk.y) && (jwk.d === undefined || text(jwk.d));
}

/** Without `--serial` a later signature has a higher revision. */
function serialOf(text: string | undefined, now: number): Serial {
  if (text === undefined) return { epoch: 1, revision: now };
  return parseSerial(text) ?? wrongSerial();
}

function wrongSerial(): never {
  throw new UsageError('--serial takes EPOCH.REVISION, two whole numbers, as in 1.4711');
}

function onePath(positionals: readonly string[], name: string): string {
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) throw new UsageError(`name exactly one ${name}: see --help`);
  return path;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
