// The installed product with one guarded application, and what its evidence must say after each thing that breaks.
import { expect } from 'vitest';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { COLLECTOR_CLOCK, addClock, SIDECAR_CLOCK } from './fake-clock.ts';
import { faultyProvider, type FaultyProvider } from './faulty-provider.ts';
import { type AppCall, type CallingApp, startCallingApp } from './calling-app.ts';
import { installProduct, type Product } from './install.ts';
import { loadImage } from './load-image.ts';
import { CLINICAL, IDENTIFIERS } from './product-apps.ts';
import { listRecords, verifyEvidence } from './product-evidence.ts';
import { productImages } from './product-images.ts';
import { GUARDED } from './product-traffic.ts';
import { applyYaml, deleteNamespace, kubectl, makeNamespace, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

export const say = (line: string): void => void process.stderr.write(`faults: ${line}\n`);

/** Small, so that it is full after a few answers, and the evidence that other files read stays small. */
const SPOOL_BYTES = 24 * 1024 * 1024;

/** A surrogate, were one left in what an application sees. */
const SURROGATE = /\b[A-Z]+_\d+[a-z]+\d\d\b/;

const AGREEMENT = {
  apiVersion: 'lazaret.dev/v1alpha1',
  kind: 'ProviderAgreement',
  metadata: { name: 'faults' },
  spec: {
    provider: 'Anthropic',
    product: 'Claude API',
    match: { hosts: ['api.anthropic.com'], paths: ['POST /v1/messages'] },
    contract: { status: 'signed', ref: 'BAA-TEST-5', signedOn: '2026-01-15', expiresOn: '2099-01-14' },
  },
} as const;

/** What a file of faults stands on. */
export interface FaultStage {
  readonly product: Product;
  readonly provider: FaultyProvider;
  readonly clinic: string;
  readonly app: CallingApp;
  /** Leaves the installation as other files find it. */
  readonly leave: () => Promise<void>;
}

/** Installs the product with programs whose clocks can be moved and guards whose spool is small, and starts one application. */
export async function makeStage(): Promise<FaultStage> {
  const provider = faultyProvider();
  const product = await installProduct({ script: provider.script, values: stringify(await clockImages()) });
  const clinic = await makeNamespace(GUARDED);
  // A node leads the webhook's Service to its replicas a moment after they are ready.
  await waitFor('the webhook of agreements', async () => (await applyAgreement(), true as const), 120);
  const app = await startCallingApp(clinic, 'client');
  await waitFor('the first answer', async () => ((await app.call()).status === 200 ? true : null), 60);
  return {
    product,
    provider,
    clinic,
    app,
    leave: async () => {
      await kubectl(['delete', 'provideragreement', 'faults', '--ignore-not-found', '--timeout=60s']);
      await deleteNamespace(clinic);
      await product.leave();
    },
  };
}

export const applyAgreement = (): Promise<string> => applyYaml(stringify(AGREEMENT));

async function clockImages(): Promise<object> {
  const images = await productImages(say);
  const folder = join(PLACE.state, 'clock-images');
  await mkdir(folder, { recursive: true });
  const digests: Record<string, object> = {};
  for (const [program, change] of [
    ['sidecar', { place: SIDECAR_CLOCK, more: [`LAZARET_SPOOL_BYTES=${SPOOL_BYTES}`] }],
    ['collector', { place: COLLECTOR_CLOCK }],
  ] as const) {
    const target = join(folder, `${program}.tar`);
    const digest = await addClock(join(images, `${program}.tar`), target, change);
    await loadImage(PLACE, target);
    digests[program] = { image: { digest } };
  }
  await rm(folder, { recursive: true, force: true });
  return digests;
}

/** An answer reached the application whole, with its patient in it. */
export function expectWhole(call: AppCall): void {
  expect({ ...call, text: textOf(call.text) }).toMatchObject({ status: 200, fault: null });
  expect(textOf(call.text)).toContain(CLINICAL);
}

/** What an application was shown holds no surrogate: it would take it for a name. */
export function expectNoSurrogate({ text }: AppCall): void {
  expect(text).not.toMatch(SURROGATE);
}

/** The text of an answer, streamed or not; what is neither stays as it is. */
export function textOf(text: string): string {
  const deltas = [...text.matchAll(/"text_delta","text":("(?:[^"\\]|\\.)*")/g)].map(([, part = '']) => part);
  if (deltas.length > 0) return deltas.map((part) => String(JSON.parse(part))).join('');
  const [, plain] = /"type":"text","text":("(?:[^"\\]|\\.)*")/.exec(text) ?? [];
  return plain === undefined ? text : String(JSON.parse(plain));
}

/** How an exchange must end in the evidence: `completed`, or another outcome with its reason. */
export type Ending = readonly [outcome: string, reason?: string | null];

/**
 * Waits until the store holds the end of each call, and verifies everything that it holds.
 * @param calls each with the ending that its record must have
 */
export async function expectEvidence(
  { product }: Pick<FaultStage, 'product'>,
  calls: readonly (readonly [AppCall, Ending])[],
): Promise<void> {
  const ids = calls.map(([{ exchange }]) => exchange);
  const ends = await waitFor(
    `the end of ${ids.length} calls in the store`,
    async () => {
      const records = await listRecords(product);
      const ended = records.filter(({ stage }) => stage === 'response' || stage === 'error' || stage === 'blocked');
      const byId = new Map(ended.map((record) => [record['id'], record]));
      const missing = ids.filter((id) => !byId.has(id));
      if (missing.length > 0) throw new Error(`${missing.length} are missing`);
      return byId;
    },
    120,
  );
  for (const [{ exchange }, [outcome, reason = null]] of calls)
    expect(ends.get(exchange)).toMatchObject({ outcome, ...(reason === null ? {} : { reason }) });
  expect(await verifyEvidence(product)).toEqual({ code: 0, findings: [] });
}

/** Every call of a load was answered. */
export function expectServed(calls: readonly AppCall[]): void {
  const bad = calls.filter(({ status, fault }) => status !== 200 || fault !== null);
  expect(bad).toEqual([]);
  expect(calls.length).toBeGreaterThan(0);
}

export const COMPLETED: Ending = ['completed'];

/** No provider ever saw an identifier. */
export function expectNothingSent({ product }: Pick<FaultStage, 'product'>): void {
  for (const { body } of product.provider.received)
    for (const identifier of IDENTIFIERS) expect(body.includes(identifier)).toBe(false);
}
