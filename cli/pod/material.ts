// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { randomBytes, webcrypto } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { parseAllDocuments } from 'yaml';
import { describeFault, parseSource } from '#contract/policy-source.ts';
import { constraintSuffixes } from '#contract/register.ts';
import { PodError } from './job.ts';

const DAY_MS = 86_400_000;

/** The namespace that a pod run stands for. */
export const NAMESPACE = 'phi';

/** A policy source that was read and found usable. */
export interface PolicyText {
  readonly text: string;
  /** The name constraints that a pod under this policy gets. */
  readonly constraints: readonly string[];
}

/**
 * Reads a bundle source and puts a monitor grant behind it when asked.
 * @throws PodError naming every fault of the source
 */
export async function readPolicy(file: string, monitor: boolean, nowMs: number): Promise<PolicyText> {
  const source = await readFile(file, 'utf8').catch(() => {
    throw new PodError(`the policy ${file} cannot be read`);
  });
  const documents: unknown[] = parseAllDocuments(source).map((document) => {
    if (document.errors.length > 0)
      throw new PodError(`the policy ${file} is no YAML: ${document.errors[0]?.code ?? ''}`);
    return document.toJS();
  });
  const all = monitor ? [...documents.flat(), monitorGrant(nowMs)] : documents;
  const parsed = parseSource(all);
  if (!parsed.ok)
    throw new PodError(`the policy ${file} is not usable: ${parsed.faults.map(describeFault).join('; ')}`);
  const hosts = parsed.source.agreements.flatMap((agreement) => agreement.spec.match.hosts);
  return { text: monitor ? JSON.stringify(all) : source, constraints: constraintSuffixes(hosts) };
}

function monitorGrant(nowMs: number): unknown {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'GuardExemption',
    metadata: { name: 'pod-run-monitor' },
    spec: {
      reason: 'npm run pod was started with --monitor',
      approvedBy: 'the caller of npm run pod',
      from: new Date(nowMs - DAY_MS).toISOString(),
      until: new Date(nowMs + DAY_MS).toISOString(),
      namespaces: [NAMESPACE],
      grant: { monitor: true },
    },
  };
}

/** Makes a key pair that signs the policy bundle, as two JWK files. */
export async function writeBundleKeys(privateFile: string, publicFile: string): Promise<void> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const marks = { kid, alg: 'ES256', use: 'sig' };
  const privateJwk = { ...(await exportJWK(pair.privateKey)), ...marks };
  await writeFile(privateFile, JSON.stringify(privateJwk), { mode: 0o600 });
  await writeFile(publicFile, JSON.stringify({ ...publicJwk, ...marks }), { mode: 0o644 });
}

/** Makes the collector's certificate for one address; it is its own trust anchor. */
export async function writeCollectorCertificate(address: string, keyFile: string, certFile: string): Promise<void> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: 'CN=lazaret-collector',
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      signingAlgorithm: algorithm,
      keys,
      extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: address }])],
    },
    webcrypto,
  );
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certFile, certificate.toString('pem'), { mode: 0o644 });
}

/**
 * Runs the project's own command.
 * @returns its standard output
 * @throws PodError with the sentence that it left on standard error
 */
export function runCommand(root: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = ['--disable-warning=ExperimentalWarning', `${root}/cli/main.ts`, ...args];
    execFile(process.execPath, words, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().split('\n').at(-1) ?? '';
      reject(new PodError(`"lazaret ${args.slice(0, 2).join(' ')}" failed: ${said === '' ? 'no reason given' : said}`));
    });
  });
}
