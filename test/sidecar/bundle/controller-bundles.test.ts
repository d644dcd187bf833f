import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BundlePayload } from '#contract/bundle.ts';
import type { Bundle } from '#sidecar/bundle/bundle.ts';
import { openBundle } from '#sidecar/bundle/bundle.ts';
import { agreement, FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { makeKeys, type Serving, serve, type TestKeys } from '../../controller/bundle/serve.ts';
import { lookupLoopback } from './bundle-server.ts';

const TOKEN = `${'a'.repeat(20)}.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.sig`;

let dir: string;
let view: FakeCluster;
let trusted: TestKeys;
let serving: Serving;
let bundle: Bundle | null = null;
let faults: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-controller-bundles-'));
  faults = [];
  view = new FakeCluster();
  view.inputs = { ...view.inputs, agreements: [agreement('anthropic')], revision: 100 };
  view.setPod(guardedPod('triage'));
  trusted = await makeKeys();
  serving = await serve(view, trusted.keys);
  serving.tokens.set(TOKEN, { namespace: 'clinic', name: 'triage', uid: 'uid-triage', serviceAccount: 'default' });
  await writeFile(join(dir, 'token'), TOKEN);
  await writeFile(join(dir, 'key'), JSON.stringify(await publicJwk(trusted)));
});
afterEach(async () => {
  bundle?.close();
  await serving.server.close();
  await rm(dir, { recursive: true, maxRetries: 5 });
});

async function publicJwk({ publicKey }: TestKeys) {
  const { x = '', y = '' } = await exportJWK(publicKey);
  return { kty: 'EC', crv: 'P-256', x, y } as const;
}

async function open(): Promise<Bundle> {
  bundle = await openBundle({
    file: join(dir, 'bundle.jws'),
    keyFile: join(dir, 'key'),
    now: Date.now,
    onFault: (sentence) => faults.push(sentence),
    server: {
      url: `https://localhost:${serving.port}`,
      roots: serving.authority.root,
      tokenFile: join(dir, 'token'),
      lookup: lookupLoopback,
    },
    retryMs: 5,
  });
  return bundle;
}

/** @returns the first payload that a test accepts */
function payloadWith(of: Bundle, accepts: (payload: BundlePayload) => boolean): Promise<BundlePayload> {
  return new Promise((resolve) => {
    const look = (payload: BundlePayload | null): void => {
      if (payload !== null && accepts(payload)) resolve(payload);
    };
    of.onChange(look);
    look(of.payload());
  });
}

test('a sidecar has the policy of its pod from the controller, and a revocation as soon as the cluster has it', async () => {
  const opened = await open();
  const first = await payloadWith(opened, () => true);
  expect(first.policy.agreements.map(({ id }) => id)).toEqual(['anthropic']);
  view.change({ agreements: [], revision: 101 });
  const revoked = await payloadWith(opened, ({ policy }) => policy.agreements.length === 0);
  expect(revoked.serial).toEqual({ epoch: 1, revision: 101 });
  expect(faults).toEqual([]);
});

test('a sidecar follows two changes of the signing key', async () => {
  const [second, third] = [await makeKeys(), await makeKeys()];
  serving.keys = { ...trusted.keys, next: await publicJwk(second) };
  const opened = await open();
  await payloadWith(opened, () => true);
  for (const [revision, keys, next] of [
    [101, second, third],
    [102, second, third],
    [103, third, null],
  ] as const) {
    serving.keys = { ...keys.keys, next: next === null ? null : await publicJwk(next) };
    view.change({ agreements: [agreement(`of-${revision}`)], revision });
    serving.tellKeys();
    const payload = await payloadWith(opened, ({ serial }) => serial.revision === revision);
    expect(payload.policy.agreements.map(({ id }) => id)).toEqual([`of-${revision}`]);
  }
  expect(faults).toEqual([]);
});

test('a token that proves no pod changes nothing', async () => {
  const opened = await open();
  const payload = await payloadWith(opened, () => true);
  // In force first, on disk then.
  while (!existsSync(join(dir, 'bundle.jws'))) await new Promise((resolve) => setImmediate(resolve));
  serving.tokens.clear();
  await writeFile(join(dir, 'token'), TOKEN.replace('a', 'b'));
  opened.close();
  const again = await open();
  expect(again.payload()?.serial).toEqual(payload.serial);
  while (faults.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(faults).toEqual(["The policy bundle was not taken: the controller does not take this pod's token (401)."]);
  expect(again.state()).toBe('current');
});
