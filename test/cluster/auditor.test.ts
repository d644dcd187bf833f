// Evidence leaves the cluster by the commands of docs/evidence.md and is judged where there is nothing but the command and the keys.
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_IMAGE } from '../../tools/image/base-image.ts';
import { CHART } from '#test/chart/chart-files.ts';
import { cutTail, editByte, insertForeign, removeChain, withCopy } from './auditor-tamper.ts';
import { installProduct, type Product } from './install.ts';
import { nameImage } from './load-image.ts';
import { type OfflineImage, unpackImage } from './offline-image.ts';
import { CLIENTS } from './place.ts';
import { callProvider, CLINICAL, IDENTIFIERS, startApp } from './product-apps.ts';
import { type ExpectedChain, readExpectedChains, waitForExpected } from './product-evidence.ts';
import { productImages } from './product-images.ts';
import { GUARDED } from './product-traffic.ts';
import { readCommandBlocks } from './readme-commands.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const [COPY = [], READ = []] = readCommandBlocks('docs/evidence.md', '## From a cluster to another machine');

const AGREEMENT = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name: 'auditor' },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-TEST-3', signedOn: '2026-01-15' },
  },
};

let product: Product;
let clinic = '';
/** The auditor's machine: its folder, and the image of the command. */
let folder = '';
let machine: OfflineImage | null = null;
let chains: readonly ExpectedChain[] = [];
let exchange = '';

beforeAll(async () => {
  product = await installProduct();
  await nameImage(PLACE, BASE_IMAGE, 'docker.io/library/node:26');
  await waitFor('the webhook of agreements', async () => ((await applyYaml(JSON.stringify(AGREEMENT))) ? true : null));
  clinic = await makeNamespace(GUARDED);
  await Promise.all(['first', 'second'].map((name) => startApp(clinic, name)));
  for (const name of ['first', 'second']) exchange = await called(name);
  await waitForExpected(product, [`${clinic}/first`, `${clinic}/second`], 5);
  folder = await mkdtemp(join(tmpdir(), 'lazaret-auditor-'));
  await copyOut();
  chains = await readExpectedChains(product);
  await copyFile(join(product.keys, 'auditor.private.jwk'), join(folder, 'auditor.private.jwk'));
  machine = await unpackImage(join(await productImages(() => undefined), 'lazaret.tar'));
});

afterAll(async () => {
  await tryKubectl(['delete', '--filename', join(CHART, '../../docs/examples/evidence-reader.yaml'), '-n', 'lazaret']);
  await kubectl(['delete', 'provideragreement', 'auditor', '--ignore-not-found', '--timeout=60s']);
  await deleteNamespace(clinic);
  await rm(folder, { recursive: true, force: true });
  await machine?.remove();
  await product.leave();
});

/** Asks the provider until the agreement is in force. @returns the exchange's id */
function called(pod: string): Promise<string> {
  return waitFor(`an answer for ${pod}`, async () => {
    const { status, text, exchange: id } = await callProvider(clinic, pod);
    return status === 200 && text.includes(CLINICAL) ? (id ?? null) : null;
  });
}

/** Runs the manual's commands in the auditor's folder. The examples lie where a checkout has them. */
async function copyOut(): Promise<void> {
  const env = { ...process.env, PATH: `${CLIENTS}:${process.env['PATH'] ?? ''}`, KUBECONFIG: PLACE.kubeconfig };
  await runCommand(['mkdir', '-p', 'docs'], { cwd: folder });
  await runCommand(['ln', '-s', join(CHART, '../../docs/examples'), 'docs/examples'], { cwd: folder });
  for (const command of COPY) await runCommand(['bash', '-c', `set -e -o pipefail; ${command}`], { cwd: folder, env });
  await rm(join(folder, 'docs'), { recursive: true });
}

/** Runs a command of the other machine: what stands behind the image, with the machine's folder. */
function onMachine(verb: string, where: string, words: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const command = READ.find((line) => line.includes(` IMAGE audit ${verb} `)) ?? '';
  const [, args = ''] = command.split(' IMAGE ');
  if (machine === null) throw new Error('no machine');
  return machine.run(
    where,
    args.split(' ').map((word) => words[word] ?? word),
  );
}

function chainOf(pod: string): string {
  return chains.find((line) => line.pod === `${clinic}/${pod}`)?.chain ?? 'none';
}

/** What the auditor is told of a copy that somebody changed. */
async function afterChange(change: (copy: string) => Promise<number | void>): Promise<CommandResult & { seq: number }> {
  return withCopy(folder, async (copy) => {
    const seq = Number(await change(copy));
    return { ...(await onMachine('verify', copy)), seq };
  });
}

describe('an auditor with a copy of the evidence, the keys, and no network', () => {
  it('is told that it is whole, while the pods go on', async () => {
    const { status, stdout, stderr } = await onMachine('verify', folder);
    expect({ status, stderr, stdout }).toEqual({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/ chains verified: no finding\n$/),
    });
  });

  it('has sealed files: no identifier stands in them', async () => {
    const { stdout } = await runTar();
    expect(stdout.length).toBeGreaterThan(1_000);
    for (const identifier of IDENTIFIERS) expect(stdout).not.toContain(identifier);
  });

  it('opens an exchange: what was asked, what the provider got, what the surrogates stood for', async () => {
    const { status, stdout } = await onMachine('open', folder, { EXCHANGE: exchange });
    expect(status).toBe(0);
    const [, sent = '', vault = ''] = stdout.split('\n== ').filter((part) => !part.startsWith('record '));
    expect(sent).toMatch(/^request, as it was sent .*NAME_\w+/s);
    for (const identifier of IDENTIFIERS) expect(sent).not.toContain(identifier);
    // Of a date the year stays.
    for (const original of ['Maria Gonzalez', '48120937', '03/14', '(231) 555-0148'])
      expect(vault).toContain(`"original":"${original}"`);
  });

  it('opens nothing without the key', async () => {
    const { status, stdout } = await onMachine('open', folder, {
      EXCHANGE: exchange,
      'auditor.private.jwk': 'collector.jwks',
    });
    expect([status, stdout]).toEqual([2, '']);
  });

  it('finds one edited byte, and in which record', async () => {
    const { status, stdout, seq } = await afterChange((copy) => editByte(copy, chainOf('first')));
    expect(status).toBe(1);
    expect(stdout).toContain(`FINDING edited (${chainOf('first')} record ${seq}): `);
    expect(stdout).not.toContain(chainOf('second'));
  });

  it('finds that the end of a pod’s records was taken away, and from where on', async () => {
    const { status, stdout, seq } = await afterChange((copy) => cutTail(copy, chainOf('first'), 3));
    expect(status).toBe(1);
    expect(stdout).toContain(`FINDING truncated_tail (${chainOf('first')} record ${seq}): `);
    expect(stdout).not.toContain(chainOf('second'));
  });

  it('finds that a pod is missing as a whole, and which', async () => {
    const { status, stdout } = await afterChange((copy) => removeChain(copy, chainOf('first')));
    expect(status).toBe(1);
    expect(stdout).toContain(
      `FINDING missing_chain (${chainOf('first')}): the whole chain of the pod ${clinic}/first is missing`,
    );
    expect(stdout).not.toContain(chainOf('second'));
  });

  it('finds it too when everything else that tells of the pod is gone from the store', async () => {
    const { status, stdout } = await afterChange(async (copy) => {
      await removeChain(copy, chainOf('first'));
      for (const name of ['manifest.jws', 'expected.jws', 'jwks.json']) await rm(join(copy, 'evidence', name));
    });
    expect(status).toBe(1);
    expect(stdout).toContain(`the whole chain of the pod ${clinic}/first is missing`);
  });

  it('finds a record of another pod, and where it was put in', async () => {
    const { status, stdout, seq } = await afterChange((copy) =>
      insertForeign(copy, chainOf('second'), chainOf('first')),
    );
    expect(status).toBe(1);
    expect(stdout).toContain(`FINDING foreign_record (${chainOf('first')} record ${seq}): `);
    expect(stdout).not.toContain(chainOf('second'));
  });
});

/** Everything that was copied out of the cluster, as text. */
async function runTar(): Promise<{ readonly stdout: string }> {
  const stdout = await runCommand(['tar', '--create', '--directory', folder, 'evidence', 'expected.jws']);
  expect(await readFile(join(folder, 'expected.jws'), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+/);
  return { stdout };
}
