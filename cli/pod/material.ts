// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { exportJWK, generateKeyPair } from 'jose';
import type { Policy } from '#contract/policy.ts';
import { compilePolicy } from '#contract/policy-compile.ts';
import type { PolicySource } from '#contract/policy-source.ts';
import { describeFault, parseSource } from '#contract/policy-source.ts';
import { readSource } from '#contract/policy-text.ts';
import { constraintSuffixes } from '#contract/register.ts';
import { keysInit } from '../keys.ts';
import { signBundle } from '../policy-sign.ts';
import { PodError } from './job.ts';

const DAY_MS = 86_400_000;

/** The namespace of a pod whose policy names none. */
const DEFAULT_NAMESPACE = 'phi';

/** A policy, for the one workload that a pod run is. */
export interface PodPolicy {
  readonly policy: Policy;
  readonly namespace: string;
  /** The name constraints that a pod under this policy gets. */
  readonly constraints: readonly string[];
}

/**
 * Reads a bundle source and compiles it for a pod that carries every label which its selectors ask for.
 * @param monitor puts a monitor grant behind it
 * @throws PodError naming every fault of the source
 */
export async function readPolicy(file: string, monitor: boolean, nowMs: number): Promise<PodPolicy> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new PodError(`the policy ${file} cannot be read`);
  });
  const parsed = readSource(text);
  if (!parsed.ok)
    throw new PodError(`the policy ${file} is not usable: ${parsed.faults.map(describeFault).join('; ')}`);
  const namespace = namespaceOf(parsed.source, file);
  const source = monitor ? withMonitorGrant(parsed.source, namespace, nowMs) : parsed.source;
  const hosts = source.agreements.flatMap((agreement) => agreement.spec.match.hosts);
  const policy = compilePolicy(source, { namespace, labels: labelsOf(source, file) });
  return { policy, namespace, constraints: constraintSuffixes(hosts) };
}

function namespaceOf(source: PolicySource, file: string): string {
  const named = new Set(source.egress.map((document) => document.metadata.namespace));
  const [first = source.exemptions[0]?.spec.namespaces[0] ?? DEFAULT_NAMESPACE, ...others] = named;
  if (others.length === 0) return first;
  throw new PodError(
    `the policy ${file} has EgressPolicies for ${named.size} namespaces: a pod is in one, so leave the others out`,
  );
}

function labelsOf(source: PolicySource, file: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const { spec } of [...source.egress, ...source.exemptions]) {
    for (const [key, value] of Object.entries(spec.podSelector.matchLabels)) {
      if (labels[key] === undefined || labels[key] === value) labels[key] = value;
      else throw new PodError(`the policy ${file} selects pods by two values of the label ${key}: a pod has one`);
    }
  }
  return labels;
}

function withMonitorGrant(source: PolicySource, namespace: string, nowMs: number): PolicySource {
  const grant = {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'GuardExemption',
    metadata: { name: 'pod-run-monitor' },
    spec: {
      reason: 'npm run pod was started with --monitor',
      approvedBy: 'the caller of npm run pod',
      from: new Date(nowMs - DAY_MS).toISOString(),
      until: new Date(nowMs + DAY_MS).toISOString(),
      namespaces: [namespace],
      grant: { monitor: true },
    },
  };
  const parsed = parseSource([grant]);
  if (!parsed.ok) throw new PodError('the monitor grant is not usable');
  return { ...source, exemptions: [...source.exemptions, ...parsed.source.exemptions] };
}

/** Signs a policy with a key of this run alone. @returns the bundle, and the public key that verifies it, as JSON */
export async function signPolicy(
  policy: Policy,
  nowMs: number,
): Promise<{ readonly bundle: string; readonly key: string }> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '', d = '' } = await exportJWK(pair.privateKey);
  const publicKey = { kty: 'EC', crv: 'P-256', x, y } as const;
  const payload = { version: 1, serial: { epoch: 1, revision: nowMs }, issuedAt: nowMs, policy } as const;
  return { bundle: await signBundle(payload, { ...publicKey, d }), key: JSON.stringify(publicKey) };
}

/** Makes the auditor's and the escrow's keys, as `lazaret keys init` does. */
export async function makeAuditKeys(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await keysInit(['--out', dir], {
    stdin: Readable.from([]),
    stdout: () => undefined,
    stderr: () => undefined,
    readFile: (path) => readFile(path, 'utf8'),
    writeFile: (path, text, mode) => writeFile(path, text, { mode }),
  });
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
