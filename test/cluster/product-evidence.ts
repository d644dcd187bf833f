import { request } from 'node:https';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditList } from '#cli/audit-list.ts';
import { auditOpen } from '#cli/audit-open.ts';
import { auditVerify } from '#cli/audit-verify.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import type { Product } from './install.ts';
import { kubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** What an auditor found, with the exit code. */
export interface Verification {
  readonly code: number;
  /** The lines of `lazaret audit verify --json`, notices too. */
  readonly findings: readonly Readonly<Record<string, unknown>>[];
}

/** A chain that the controller says must exist. */
export interface ExpectedChain {
  readonly chain: string;
  /** `NAMESPACE/POD` */
  readonly pod: string;
  readonly to: string | null;
  readonly seq: number;
}

/** The collector's public keys, as an auditor fetches them at its door. @returns a JWKS */
async function fetchTrust(): Promise<string> {
  const address = await kubectl([
    'get',
    'service/lazaret-collector',
    '-n',
    'lazaret',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
  const ca = await kubectl(['get', 'secret/lazaret-collector-tls', '-n', 'lazaret', '-o', 'jsonpath={.data.ca\\.crt}']);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const servername = 'lazaret-collector.lazaret.svc';
  const options = { host: address, port: 8443, path: '/v1/jwks', servername, ca: Buffer.from(ca, 'base64') };
  const sent = request({ ...options, headers: { host: servername } }, (answer) => {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    answer.on('error', reject);
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

/** The chains of the controller's last list. */
export async function readExpectedChains({ store }: Product): Promise<readonly ExpectedChain[]> {
  const [, payload = ''] = (await readFile(join(store, 'expected.jws'), 'utf8')).split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')).chains;
}

/** Waits until the controller's list, made each minute, says something of every pod that is named, as `NAMESPACE/POD`. */
export async function waitForExpected(product: Product, pods: readonly string[], records = 1): Promise<void> {
  const said = async (): Promise<true | null> => {
    const chains = await readExpectedChains(product);
    const isThere = (name: string) => chains.some(({ pod, seq }) => pod === name && seq >= records);
    return pods.every(isThere) ? true : null;
  };
  await waitFor(`the list of chains to name ${pods.join(', ')}`, said, 150);
}

/** Copies the evidence away and verifies the copy with the collector's keys and the controller's list. */
export async function verifyEvidence(product: Product): Promise<Verification> {
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-evidence-'));
  try {
    const store = join(dir, 'store');
    await cp(product.store, store, { recursive: true });
    const trust = join(dir, 'collector.jwks');
    await writeFile(trust, await fetchTrust());
    const io = terminal();
    const args = ['--store', store, '--trust', trust, '--expect', join(store, 'expected.jws'), '--json'];
    const code = await auditVerify(args, io);
    return { code, findings: readLines(io.out) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The records in the store, in the order of their chains. */
export async function listRecords({ store }: Product): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const io = terminal();
  await auditList(['--store', store, '--json'], io);
  return readLines(io.out);
}

/** An exchange in clear, as the auditor opens it. */
export async function openExchange({ store, keys }: Product, id: string): Promise<string> {
  const io = terminal();
  const code = await auditOpen(['--store', store, '--key', join(keys, 'auditor.private.jwk'), '--id', id], io);
  if (code !== 0) throw new Error(`${id} cannot be opened: ${io.err.join('')}`);
  return io.out.join('');
}

function readLines(out: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  const lines = out.join('').split('\n');
  return lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
}
