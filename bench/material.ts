import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { authorityPaths } from '#contract/pod-paths.ts';
import { constraintSuffixes } from '#contract/register.ts';
import { makePodAuthority } from '#sidecar/init/pod-authority.ts';
import { type IssuedCertificate, makeTestAuthority } from '#test/fake/test-authority.ts';
import { LISTED_HOST, LLM_HOST } from './prompt.ts';

const ROOT = join(import.meta.dirname, '..');

/** The files of one run, all in one folder that goes with it. */
export interface Material {
  readonly root: string;
  readonly dir: string;
  /** The root of the upstream's certificate: PEM and file. */
  readonly upstreamRoot: string;
  readonly upstreamRootFile: string;
  /** The upstream's certificates by name. */
  readonly issued: Readonly<Record<string, IssuedCertificate>>;
  /** The pod root that clients of the guard trust: PEM. */
  readonly podRoot: string;
  readonly authorityDir: string;
}

const POLICY = `apiVersion: lazaret.dev/v1alpha1
kind: ProviderAgreement
metadata: { name: anthropic-api }
spec:
  provider: Anthropic
  product: Claude API
  match:
    hosts: [${LLM_HOST}]
    paths: ["POST /v1/messages"]
  contract: { status: signed, ref: BENCH, signedOn: "2025-01-15", expiresOn: "2099-12-31" }
---
values:
  egress:
    destinations: [${LISTED_HOST}]
`;

const TMPFS = 0x0102_1994;

/** Makes the folder of a run on a disk volume: a spool in memory has no syncs that mean anything. */
function makeFolder(): string {
  const place = [tmpdir(), '/var/tmp', ROOT].find((dir) => statfsSync(dir).type !== TMPFS) ?? tmpdir();
  const dir = mkdtempSync(join(place, 'lazaret-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Makes certificates, a pod authority, a signed policy and the keys of auditor and escrow, as a cluster would have them. */
export async function makeMaterial(): Promise<Material> {
  const dir = makeFolder();
  const file = (name: string): string => join(dir, name);
  const authorityDir = file('ca');
  mkdirSync(authorityDir, { mode: 0o700 });
  const constraints = constraintSuffixes([LLM_HOST]);
  const internet = await makeTestAuthority('Lazaret bench root');
  const [provider, listed, collector] = await Promise.all([
    internet.issue(LLM_HOST),
    internet.issue(LISTED_HOST),
    internet.issue('127.0.0.1'),
  ]);
  const pod = await makePodAuthority(constraints, Date.now());
  const paths = authorityPaths(authorityDir);
  await Promise.all([
    writeFile(paths.intermediateCertificate, pod.intermediateCertificate),
    writeFile(paths.intermediateKey, pod.intermediateKey),
    writeFile(paths.leafKey, pod.leafKey),
    writeFile(paths.complete, JSON.stringify({ constraints })),
    writeFile(file('upstream-root.pem'), internet.root),
    writeFile(file(`${LLM_HOST}.pem`), `${provider.certificate}\n${provider.key}\n`),
    writeFile(file(`${LISTED_HOST}.pem`), `${listed.certificate}\n${listed.key}\n`),
    writeFile(file('policy.yaml'), POLICY),
    writeFile(file('token'), randomBytes(32).toString('base64url')),
    writeBundleKeys(dir),
    writeFile(file('collector.pem'), collector.certificate),
    writeFile(file('collector.key'), collector.key),
    runLazaret(['keys', 'init', '--out', dir]),
  ]);
  await writeFile(
    file('bundle'),
    await runLazaret(['policy', 'sign', '--key', file('bundle.private.jwk'), file('policy.yaml')]),
  );
  return {
    root: ROOT,
    dir,
    upstreamRoot: internet.root,
    upstreamRootFile: file('upstream-root.pem'),
    issued: { [LLM_HOST]: provider, [LISTED_HOST]: listed },
    podRoot: pod.rootCertificate,
    authorityDir,
  };
}

/** Makes the key pair that signs the policy. */
async function writeBundleKeys(dir: string): Promise<void> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const marks = { kid: await calculateJwkThumbprint(publicJwk), alg: 'ES256', use: 'sig' };
  await writeFile(`${dir}/bundle.private.jwk`, JSON.stringify({ ...(await exportJWK(pair.privateKey)), ...marks }));
  await writeFile(`${dir}/bundle.public.jwk`, JSON.stringify({ ...publicJwk, ...marks }));
}

/** Runs the project's own command. @returns what it wrote to stdout */
async function runLazaret(words: readonly string[]): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', join(ROOT, 'cli/main.ts')];
  return (await promisify(execFile)(process.execPath, [...flags, ...words])).stdout;
}
