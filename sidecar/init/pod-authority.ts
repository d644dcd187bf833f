// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName, GeneralSubtree, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { POD_ROOT_SUBJECT } from '#contract/pod-paths.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Longer than any pod lives. */
const LIFETIME_MS = 2 * 365 * DAY_MS;
/** For clients whose clock is behind. */
const BACKDATE_MS = 3_600_000;

/** The pod's certificate authority as PEM texts. */
export interface PodAuthority {
  readonly rootCertificate: string;
  readonly intermediateCertificate: string;
  readonly intermediateKey: string;
  readonly leafKey: string;
}

/**
 * Makes a two-tier authority. The root's key signs the intermediate once and is never exported; the name constraints
 * stand on the intermediate, because RFC 5280 §6.1.1 lets verifiers ignore them in a trust anchor, and Java does.
 * @param constraints DNS suffixes that the intermediate may speak for (RFC 5280 §4.2.1.10: no leading dot, sub-names included)
 */
export async function makePodAuthority(constraints: readonly string[], nowMs: number): Promise<PodAuthority> {
  const [root, intermediate, leaf] = await Promise.all([makeKeys(false), makeKeys(true), makeKeys(true)]);
  const rootId = await SubjectKeyIdentifierExtension.create(root.publicKey, false, webcrypto);
  const issue = (subject: string, publicKey: webcrypto.CryptoKey, extensions: Extension[]) =>
    X509CertificateGenerator.create(
      {
        serialNumber: makeSerialNumber(),
        subject: `CN=${subject}`,
        issuer: `CN=${POD_ROOT_SUBJECT}`,
        notBefore: new Date(nowMs - BACKDATE_MS),
        notAfter: new Date(nowMs + LIFETIME_MS),
        publicKey,
        signingAlgorithm: ECDSA,
        signingKey: root.privateKey,
        extensions,
      },
      webcrypto,
    );
  const rootCertificate = await issue(POD_ROOT_SUBJECT, root.publicKey, [
    new BasicConstraintsExtension(true, undefined, true),
    certificateSigning(),
    rootId,
  ]);
  const intermediateCertificate = await issue('Lazaret pod intermediate', intermediate.publicKey, [
    new BasicConstraintsExtension(true, 0, true),
    certificateSigning(),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    nameConstraints(constraints),
    await SubjectKeyIdentifierExtension.create(intermediate.publicKey, false, webcrypto),
    new AuthorityKeyIdentifierExtension(rootId.keyId),
  ]);
  return {
    rootCertificate: toPem(rootCertificate.rawData, 'CERTIFICATE'),
    intermediateCertificate: toPem(intermediateCertificate.rawData, 'CERTIFICATE'),
    intermediateKey: toPem(await exportKey(intermediate.privateKey), 'PRIVATE KEY'),
    leafKey: toPem(await exportKey(leaf.privateKey), 'PRIVATE KEY'),
  };
}

function makeKeys(extractable: boolean): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ECDSA, extractable, ['sign', 'verify']);
}

function certificateSigning(): KeyUsagesExtension {
  return new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true);
}

/** Permits the suffixes and excludes every IP address: without the exclusion, names of that kind would be unconstrained. */
function nameConstraints(constraints: readonly string[]): Extension {
  const permitted = constraints.map((name) => new GeneralSubtree({ base: new GeneralName({ dNSName: name }) }));
  const excluded = ['0.0.0.0/0', '::/0'].map(
    (range) => new GeneralSubtree({ base: new GeneralName({ iPAddress: range }) }),
  );
  const value = new NameConstraints({
    permittedSubtrees: new GeneralSubtrees(permitted),
    excludedSubtrees: new GeneralSubtrees(excluded),
  });
  return new Extension('2.5.29.30', true, AsnConvert.serialize(value));
}

/** 127 random bits with the top bit set: positive in DER and never shortened (RFC 5280 §4.1.2.2). */
function makeSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function exportKey(key: webcrypto.CryptoKey): Promise<ArrayBuffer> {
  return webcrypto.subtle.exportKey('pkcs8', key);
}

function toPem(der: ArrayBuffer, label: string): string {
  return `${PemConverter.encode(der, label).trimEnd()}\n`;
}
