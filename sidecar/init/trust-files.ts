import { X509Certificate } from 'node:crypto';
import { chown, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rootCertificates } from 'node:tls';
import { LIMIT } from '#contract/limit.ts';
import type { AuthorityPaths, TrustPaths } from '#contract/pod-paths.ts';
import { faultCode, InitError } from './init-error.ts';
import { encodeJavaKeyStore } from './java-key-store.ts';
import type { PodAuthority } from './pod-authority.ts';
import { makeDirectories, replaceFile } from './write-file.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The one uid and gid that may read the private files. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Reads the operator's roots.
 * @returns each certificate as PEM
 * @throws InitError when the file cannot be read, is too large, or holds anything that is no certificate
 */
export async function readExtraRoots(file: string): Promise<readonly string[]> {
  const pem = await readFile(file, 'latin1').catch((error: unknown) => {
    throw new InitError(`The operator's roots in LAZARET_EXTRA_ROOTS cannot be read (${faultCode(error)}).`);
  });
  const blocks = pem.match(CERTIFICATE) ?? [];
  const usable = pem.length <= LIMIT.extraRootsBytes && blocks.length > 0 && blocks.every(isCertificate);
  // A damaged block must not vanish unseen: the count of openings tells.
  if (!usable || pem.split('-----BEGIN ').length - 1 !== blocks.length) {
    throw new InitError(
      "The operator's roots in LAZARET_EXTRA_ROOTS are not a PEM file of certificates and nothing else.",
    );
  }
  return blocks.map((block) => `${block}\n`);
}

/** Writes what applications are pointed at; readable by everyone, writable by nobody. */
export async function writeTrustFiles(
  paths: TrustPaths,
  podRoot: string,
  extraRoots: readonly string[],
  nowMs: number,
): Promise<void> {
  const added = [...extraRoots, podRoot];
  const all = [...rootCertificates.map((pem) => `${pem.trim()}\n`), ...added];
  const ders = all.map((pem) => new X509Certificate(pem).raw);
  await makeDirectories([paths.dir, paths.hashedDir, paths.phpDir]);
  await Promise.all([
    replaceFile(paths.allRoots, all.join(''), 0o444),
    replaceFile(paths.addedRoots, added.join(''), 0o444),
    replaceFile(paths.podRoot, podRoot, 0o444),
    replaceFile(paths.hashedPodRoot, podRoot, 0o444),
    replaceFile(paths.phpIni, `curl.cainfo="${paths.allRoots}"\nopenssl.cafile="${paths.allRoots}"\n`, 0o444),
    replaceFile(paths.javaStore, encodeJavaKeyStore(ders, nowMs), 0o444),
  ]);
}

/** Writes the private half, for the sidecar's uid alone; `complete` comes last. */
export async function writeAuthorityFiles(
  paths: AuthorityPaths,
  authority: PodAuthority,
  owner: Owner,
  constraints: readonly string[],
): Promise<void> {
  await makeDirectories([dirname(paths.complete)]);
  await Promise.all([
    writePrivate(paths.intermediateCertificate, authority.intermediateCertificate, owner),
    writePrivate(paths.intermediateKey, authority.intermediateKey, owner),
    writePrivate(paths.leafKey, authority.leafKey, owner),
  ]);
  await replaceFile(paths.complete, markOf(constraints), 0o444);
}

/** Whether an earlier run finished its work for the same names. Both directories live as long as the pod, no longer. */
export async function hasCompleteAuthority(paths: AuthorityPaths, constraints: readonly string[]): Promise<boolean> {
  const mark = await readFile(paths.complete, 'utf8').catch(() => '');
  return mark === markOf(constraints);
}

function markOf(constraints: readonly string[]): string {
  return `${JSON.stringify({ constraints })}\n`;
}

async function writePrivate(path: string, content: string, owner: Owner): Promise<void> {
  await replaceFile(path, content, 0o400);
  await chown(path, owner.uid, owner.gid).catch((error: unknown) => {
    throw new InitError(
      `The pod CA's files cannot be given to the sidecar (${faultCode(error)}): lazaret-init needs the capability CHOWN.`,
    );
  });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
