import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import { LeafCache } from '#sidecar/intercept/leaf.ts';
import { makePodAuthority, type PodAuthority } from '#sidecar/init/pod-authority.ts';

const DAY = 24 * 3_600_000;
const HOST = 'api.openai.com' as Host;
const made = makePodAuthority(['api.openai.com', 'many.example'], Date.now());

function cacheOf(
  authority: PodAuthority,
  now: () => number,
  permitted = ['api.openai.com', 'many.example'],
): LeafCache {
  return new LeafCache(
    {
      intermediate: { certPem: authority.intermediateCertificate, key: authority.intermediateKey },
      leafKey: authority.leafKey,
      permitted,
    },
    now,
  );
}

/** The certificates that a server with the host's context shows. */
async function chainOf(cache: LeafCache, host: Host): Promise<readonly X509Certificate[]> {
  const context = await cache.context(host);
  const server = createServer({ SNICallback: (_name, done) => done(null, context) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    servername: host,
    rejectUnauthorized: false,
  });
  await once(client, 'secureConnect');
  const leaf = client.getPeerCertificate(true);
  client.destroy();
  server.close();
  return [new X509Certificate(leaf.raw), new X509Certificate(leaf.issuerCertificate.raw)];
}

test('a leaf has the profile that every verifier takes', async () => {
  const authority = await made;
  const [leaf, intermediate] = await chainOf(cacheOf(authority, Date.now), HOST);
  expect(leaf?.subject ?? '').toBe('');
  expect(leaf?.subjectAltName).toBe(`DNS:${HOST}`);
  expect(leaf?.ca).toBe(false);
  expect(intermediate?.fingerprint256).toBe(new X509Certificate(authority.intermediateCertificate).fingerprint256);
  expect(leaf?.checkIssued(intermediate!)).toBe(true);
  const life = Date.parse(leaf!.validTo) - Date.parse(leaf!.validFrom);
  expect(life).toBe(7 * DAY);
  expect(Date.parse(leaf!.validFrom)).toBeLessThanOrEqual(Date.now() - 3_590_000);
});

test('OpenSSL takes the chain in its strictest reading, and sees the extensions it must', async () => {
  const authority = await made;
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-leaf-'));
  try {
    const [leaf] = await chainOf(cacheOf(authority, Date.now), HOST);
    const files = {
      root: authority.rootCertificate,
      intermediate: authority.intermediateCertificate,
      leaf: leaf!.toString(),
    };
    for (const [name, pem] of Object.entries(files)) await writeFile(join(dir, name), pem);
    const run = promisify(execFile);
    const strict = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      join(dir, 'root'),
      '-untrusted',
      join(dir, 'intermediate'),
    ];
    expect((await run('openssl', [...strict, '-verify_hostname', HOST, join(dir, 'leaf')])).stdout).toContain('OK');
    await expect(run('openssl', [...strict, '-verify_hostname', 'example.org', join(dir, 'leaf')])).rejects.toThrow();
    const { stdout } = await run('openssl', ['x509', '-in', join(dir, 'leaf'), '-noout', '-text']);
    expect(stdout).toMatch(/Subject Alternative Name: critical/);
    expect(stdout).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(stdout).toMatch(/TLS Web Server Authentication/);
    expect(stdout).toMatch(/Authority Key Identifier/);
    expect(stdout).not.toMatch(/Subject Key Identifier|Basic Constraints|CA Issuers|CRL/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('many that ask for one host at once wait for one certificate', async () => {
  const cache = cacheOf(await made, Date.now);
  const contexts = await Promise.all(Array.from({ length: 20 }, () => cache.context(HOST)));
  expect(new Set(contexts).size).toBe(1);
});

test('a certificate is renewed at half of its life, by the clock that is given', async () => {
  let now = Date.now();
  const cache = cacheOf(await made, () => now);
  const first = await cache.context(HOST);
  now += 3.4 * DAY;
  expect(await cache.context(HOST)).toBe(first);
  now += 0.2 * DAY;
  expect(await cache.context(HOST)).not.toBe(first);
});

test('the longest unused host makes room when the cache is full', async () => {
  const cache = cacheOf(await made, Date.now);
  const kept = await cache.context(HOST);
  const second = await cache.context('b.many.example' as Host);
  for (let index = 0; index < LIMIT.leafCache - 2; index += 1) await cache.context(`h${index}.many.example` as Host);
  expect(await cache.context(HOST)).toBe(kept);
  await cache.context('one-more.many.example' as Host);
  expect(await cache.context(HOST)).toBe(kept);
  expect(await cache.context('b.many.example' as Host)).not.toBe(second);
});

test('a name outside the constraints is never issued, and the error says what to do', async () => {
  const cache = cacheOf(await made, Date.now);
  expect(cache.permits('example.org' as Host)).toBe(false);
  expect(cache.permits('notapi.openai.com' as Host)).toBe(false);
  expect(cache.permits('eu.api.openai.com' as Host)).toBe(true);
  await expect(cache.context('example.org' as Host)).rejects.toThrow(/restart the pod/);
});

test('a failure is not kept: the next connection tries again', async () => {
  const authority = await made;
  const ca = {
    intermediate: { certPem: authority.intermediateCertificate, key: 'no key' },
    leafKey: authority.leafKey,
    permitted: ['api.openai.com'],
  };
  const cache = new LeafCache(ca, Date.now);
  await expect(cache.context(HOST)).rejects.toThrow();
  ca.intermediate.key = authority.intermediateKey;
  expect(await cache.context(HOST)).toBeDefined();
});
