// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { POD_ROOT_SUBJECT, POD_ROOT_SUBJECT_HASH } from '#contract/pod-paths.ts';
import type { PodAuthority } from '#sidecar/init/pod-authority.ts';
import { makePodAuthority } from '#sidecar/init/pod-authority.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NOW = Date.now();
const authority = await makePodAuthority(['anthropic.com', 'api.openai.com'], NOW);

/** A leaf as the sidecar makes it, for any name, allowed or not. */
async function leafFor(
  made: PodAuthority,
  san: { readonly type: 'dns' | 'ip'; readonly value: string },
): Promise<string> {
  const key = (pem: string) =>
    webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ECDSA, true, ['sign']);
  const issuer = new Certificate(made.intermediateCertificate);
  const spki = createPublicKey(made.leafKey).export({ format: 'der', type: 'spki' });
  const publicKey = await webcrypto.subtle.importKey('spki', spki, ECDSA, true, ['verify']);
  const identifier = issuer.getExtension(SubjectKeyIdentifierExtension);
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber: '4711',
      issuer: issuer.subject,
      notBefore: new Date(NOW - 3_600_000),
      notAfter: new Date(NOW + 7 * 86_400_000),
      publicKey,
      signingAlgorithm: ECDSA,
      signingKey: await key(made.intermediateKey),
      extensions: [
        new SubjectAlternativeNameExtension([san], true),
        new AuthorityKeyIdentifierExtension(identifier?.keyId ?? ''),
      ],
    },
    webcrypto,
  );
  return `${leaf.toString('pem')}\n${made.intermediateCertificate}`;
}

/** What a TLS client that trusts the pod root says to a server with this chain. */
async function handshake(chain: string, name: string): Promise<string> {
  const server = createServer({ cert: chain, key: authority.leafKey }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: name, ca: authority.rootCertificate });
      socket.once('secureConnect', () => resolve('trusted'));
      socket.once('error', (error) => resolve(error.message));
      socket.once('close', () => socket.destroy());
    });
  } finally {
    server.close();
  }
}

describe('pod authority', () => {
  it('is trusted for a constrained name and every name below it', async () => {
    for (const value of ['anthropic.com', 'api.anthropic.com', 'api.openai.com']) {
      expect(await handshake(await leafFor(authority, { type: 'dns', value }), value)).toBe('trusted');
    }
  });

  it('is not trusted for any other name, not even a name beside a constrained one', async () => {
    for (const value of ['openai.com', 'chat.openai.com', 'bank.example', 'notanthropic.com']) {
      expect(await handshake(await leafFor(authority, { type: 'dns', value }), value)).toBe(
        'permitted subtree violation',
      );
    }
  });

  it('is not trusted for an IP address', async () => {
    const chain = await leafFor(authority, { type: 'ip', value: '127.0.0.1' });
    expect(await handshake(chain, '')).toBe('excluded subtree violation');
  });

  it('signs its intermediate with a root whose key is nowhere in what it gives out', () => {
    const root = new X509Certificate(authority.rootCertificate);
    const intermediate = new X509Certificate(authority.intermediateCertificate);
    expect(intermediate.verify(root.publicKey)).toBe(true);
    expect(Object.keys(authority).sort()).toEqual([
      'intermediateCertificate',
      'intermediateKey',
      'leafKey',
      'rootCertificate',
    ]);
    const given = [authority.intermediateKey, authority.leafKey].map((pem) =>
      createPublicKey(pem).export({ format: 'der', type: 'spki' }),
    );
    const rootKey = root.publicKey.export({ format: 'der', type: 'spki' });
    expect(given.some((key) => key.equals(rootKey))).toBe(false);
  });

  it('cannot make a further authority', () => {
    const constraints = new Certificate(authority.intermediateCertificate).getExtension(BasicConstraintsExtension);
    expect(constraints).toMatchObject({ critical: true, ca: true, pathLength: 0 });
  });

  it('is new for every pod', async () => {
    const other = await makePodAuthority(['anthropic.com', 'api.openai.com'], NOW);
    expect(other.rootCertificate).not.toBe(authority.rootCertificate);
    expect(other.intermediateKey).not.toBe(authority.intermediateKey);
  });

  it('has a root whose OpenSSL name hash is the one that file names are made of', () => {
    // X509_NAME_hash: SHA-1 over the canonical form, where the value is a lower-case UTF8String in a SET without the outer SEQUENCE.
    const value = Buffer.from(POD_ROOT_SUBJECT.toLowerCase());
    const der = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.from([tag, content.length]), content]);
    const canonical = der(0x31, der(0x30, Buffer.concat([Buffer.from('0603550403', 'hex'), der(0x0c, value)])));
    const hash = createHash('sha1').update(canonical).digest().readUInt32LE(0).toString(16).padStart(8, '0');
    expect(hash).toBe(POD_ROOT_SUBJECT_HASH);
    expect(new X509Certificate(authority.rootCertificate).subject).toBe(`CN=${POD_ROOT_SUBJECT}`);
  });

  it('passes OpenSSL in its strict mode, where it is installed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'chain-'));
    const write = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const leaf = write('leaf.pem', await leafFor(authority, { type: 'dns', value: 'api.anthropic.com' }));
    const root = write('root.pem', authority.rootCertificate);
    const middle = write('middle.pem', authority.intermediateCertificate);
    const said = spawnSync(
      'openssl',
      ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', root, '-untrusted', middle, leaf],
      { encoding: 'utf8' },
    );
    rmSync(dir, { recursive: true });
    expect(said.error === undefined ? said.stdout : ': OK').toContain(': OK');
  });
});
