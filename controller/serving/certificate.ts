// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { isIP } from 'node:net';
import { LIMIT } from '#contract/limit.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** For clients whose clock is behind. */
const BACKDATE_MS = 3_600_000;

/** A certificate and its private key, PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** What a leaf is made for. */
export interface LeafTerms {
  /** DNS names or addresses. */
  readonly names: readonly string[];
  /** Ms since the epoch. */
  readonly now: number;
  readonly lifetimeMs: number;
}

interface Issuance {
  readonly subject: string;
  readonly publicKey: webcrypto.CryptoKey;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: Extension[];
}

/** Makes the authority of a release. The name differs from that of every earlier one, so that no verifier confuses two. */
export async function makeAuthority(now: number): Promise<CertifiedKey> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const subject = `CN=Lazaret release authority ${randomBytes(4).toString('hex')}`;
  const certificate = await sign(
    {
      subject,
      keyId: (await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto)).keyId,
      key: keys.privateKey,
    },
    {
      subject,
      publicKey: keys.publicKey,
      notBefore: now - BACKDATE_MS,
      notAfter: now + LIMIT.authorityMs,
      extensions: authorityExtensions(),
    },
  );
  return { certificate, key: toPem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY') };
}

/**
 * Certifies the key of a new authority by the old one: shown beside leaves of the new one, it lets pods that were given
 * only the old root go on trusting the release until that root ends.
 */
export async function crossSign(next: CertifiedKey, previous: CertifiedKey): Promise<string> {
  const old = new X509Certificate(previous.certificate);
  const wanted = new X509Certificate(next.certificate);
  return sign(await signerOf(previous), {
    subject: wanted.subject,
    publicKey: await wanted.publicKey.export(webcrypto),
    notBefore: wanted.notBefore.getTime(),
    notAfter: Math.min(old.notAfter.getTime(), wanted.notAfter.getTime()),
    extensions: authorityExtensions(),
  });
}

/** Issues a serving certificate with a key of its own. */
export async function issueLeaf(authority: CertifiedKey, { names, now, lifetimeMs }: LeafTerms): Promise<CertifiedKey> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const [first = ''] = names;
  const certificate = await sign(await signerOf(authority), {
    // A common name holds 64 characters (RFC 5280 A.1); verifiers read the alternative names.
    subject: `CN=${first.slice(0, 64)}`,
    publicKey: keys.publicKey,
    notBefore: now - BACKDATE_MS,
    notAfter: now + lifetimeMs,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
    ],
  });
  return { certificate, key: toPem(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY') };
}

interface Signer {
  readonly subject: string;
  readonly keyId: string;
  readonly key: webcrypto.CryptoKey;
}

async function signerOf({ certificate, key }: CertifiedKey): Promise<Signer> {
  const parsed = new X509Certificate(certificate);
  const publicKey = await parsed.publicKey.export(webcrypto);
  const { keyId } = await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto);
  const [der] = PemConverter.decode(key);
  if (der === undefined) throw new TypeError('the key of the authority is no PEM');
  return {
    subject: parsed.subject,
    keyId,
    key: await webcrypto.subtle.importKey('pkcs8', der, ECDSA, false, ['sign']),
  };
}

async function sign(signer: Signer, issuance: Issuance): Promise<string> {
  const { subject, publicKey, notBefore, notAfter, extensions } = issuance;
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: makeSerialNumber(),
      subject,
      issuer: signer.subject,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey,
      signingAlgorithm: ECDSA,
      signingKey: signer.key,
      extensions: [
        ...extensions,
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        new AuthorityKeyIdentifierExtension(signer.keyId),
      ],
    },
    webcrypto,
  );
  return toPem(certificate.rawData, 'CERTIFICATE');
}

function authorityExtensions(): Extension[] {
  return [
    new BasicConstraintsExtension(true, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ];
}

/** 127 random bits with the top bit set: positive in DER and never shortened (RFC 5280 §4.1.2.2). */
function makeSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function toPem(der: ArrayBuffer, label: string): string {
  return `${PemConverter.encode(der, label).trimEnd()}\n`;
}
