// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { createSecureContext } from 'node:tls';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** A certificate and its key, PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of the public internet, as far as tests go. */
export interface TestAuthority {
  /** PEM. */
  readonly root: string;
  /** Issues a certificate for a name; a `shift` of days makes one that is not yet or no longer valid. */
  readonly issue: (host: string, shiftDays?: number) => Promise<IssuedCertificate>;
  /** The TLS context of a name, made once. */
  readonly contextFor: (host: string) => Promise<SecureContext>;
}

/**
 * Makes an authority.
 * @param keys default: fresh ones. The same key and name are the same authority to whoever trusts one of its roots.
 */
export async function makeTestAuthority(
  name = 'Lazaret test root',
  keys?: webcrypto.CryptoKeyPair,
): Promise<TestAuthority> {
  const root = keys ?? (await webcrypto.subtle.generateKey(ECDSA, false, ['sign', 'verify']));
  const rootId = await SubjectKeyIdentifierExtension.create(root.publicKey, false, webcrypto);
  const rootCertificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      signingAlgorithm: ECDSA,
      keys: root,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        rootId,
      ],
    },
    webcrypto,
  );
  const issue = async (host: string, shiftDays = 0): Promise<IssuedCertificate> => {
    const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
    const kind = /^[0-9.]+$|:/.test(host) ? ('ip' as const) : ('dns' as const);
    const now = Date.now() + shiftDays * DAY_MS;
    const certificate = await X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject: `CN=${host}`,
        issuer: rootCertificate.subject,
        notBefore: new Date(now - DAY_MS),
        notAfter: new Date(now + 7 * DAY_MS),
        publicKey: keys.publicKey,
        signingAlgorithm: ECDSA,
        signingKey: root.privateKey,
        extensions: [
          new SubjectAlternativeNameExtension([{ type: kind, value: host }]),
          new AuthorityKeyIdentifierExtension(rootId.keyId),
        ],
      },
      webcrypto,
    );
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return { certificate: certificate.toString('pem'), key: PemConverter.encode(pkcs8, 'PRIVATE KEY') };
  };
  const contexts = new Map<string, Promise<SecureContext>>();
  const contextFor = (host: string): Promise<SecureContext> => {
    const known =
      contexts.get(host) ?? issue(host).then(({ certificate, key }) => createSecureContext({ cert: certificate, key }));
    contexts.set(host, known);
    return known;
  };
  return { root: `${rootCertificate.toString('pem')}\n`, issue, contextFor };
}

function serialNumber(): string {
  return `01${randomBytes(8).toString('hex')}`;
}
