import { mkdtemp, rm, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BundlePayload } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Bundle } from '#sidecar/bundle/bundle.ts';
import { openBundle } from '#sidecar/bundle/bundle.ts';
import { agreement, contract, exemption, NOW, policyOf, values } from '../../contract/policy-fixture.ts';
import { makeSigner, signBundle, type Signer } from './signed-bundle.ts';

let dir: string;
let signer: Signer;
let now: number;
let faults: string[];
let opened: Bundle[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-bundle-'));
  signer = await makeSigner();
  now = NOW;
  faults = [];
  opened = [];
  await writeFile(join(dir, 'key'), JSON.stringify(signer.jwk));
});

afterEach(async () => {
  for (const bundle of opened) bundle.close();
  await rm(dir, { recursive: true });
});

function sign(
  over: Partial<BundlePayload> & Record<string, unknown> = {},
  { by = signer, header = {} } = {},
): Promise<string> {
  return signBundle(by, over, header);
}

/** Puts a bundle in place as an operator's tool would: whole, by a rename. */
async function place(text: string): Promise<void> {
  await writeFile(join(dir, 'new'), text);
  await rename(join(dir, 'new'), join(dir, 'bundle'));
}

async function open(pollMs = 3_600_000): Promise<Bundle> {
  const bundle = await openBundle({
    file: join(dir, 'bundle'),
    keyFile: join(dir, 'key'),
    now: () => now,
    onFault: (sentence) => faults.push(sentence),
    pollMs,
  });
  opened.push(bundle);
  return bundle;
}

test('a signed bundle gives its policy', async () => {
  await place(`${await sign()}\n`);
  const bundle = await open();
  expect(bundle.current()).toEqual(policyOf(agreement()));
  expect(bundle.state()).toBe('current');
  expect(faults).toEqual([]);
});

test('a missing bundle is no policy, and one that comes later is found', async () => {
  const bundle = await open();
  expect([bundle.state(), bundle.current()]).toEqual(['missing', null]);
  expect(faults).toEqual(['The policy bundle was not taken: its file cannot be opened.']);
  await place(await sign());
  await bundle.check();
  expect(bundle.state()).toBe('current');
});

test('a new bundle replaces the old one without being asked, and listeners are told', async () => {
  await place(await sign());
  const bundle = await open(5);
  const changed = new Promise<BundlePayload>((resolve) => bundle.onChange(resolve));
  await place(
    await sign({ serial: { epoch: 1, revision: 2 }, policy: policyOf(values({ policy: { maxIdentifiers: 3 } })) }),
  );
  expect((await changed).serial.revision).toBe(2);
  expect(bundle.current()?.maxIdentifiers).toBe(3);
});

test('a bundle is in force until it is 24 hours old, and not after', async () => {
  await place(await sign());
  const bundle = await open();
  now = NOW + LIMIT.policyStaleMs - 1;
  expect(bundle.state()).toBe('current');
  now = NOW + LIMIT.policyStaleMs;
  expect([bundle.state(), bundle.current()]).toEqual(['stale', null]);
  await place(await sign({ serial: { epoch: 1, revision: 2 }, issuedAt: now }));
  await bundle.check();
  expect(bundle.state()).toBe('current');
});

test('a bundle of a signer whose clock is ahead is taken at once, and lasts no longer for it', async () => {
  await place(await sign({ issuedAt: NOW + 3_600_000 }));
  const bundle = await open();
  expect(bundle.state()).toBe('current');
  now = NOW + LIMIT.policyStaleMs - 1;
  expect(bundle.state()).toBe('current');
  now = NOW + LIMIT.policyStaleMs;
  expect(bundle.state()).toBe('stale');
});

test.each<readonly [what: string, make: () => Promise<string>, why: RegExp]>([
  ['another signer', async () => sign({}, { by: await makeSigner() }), /no trusted key/],
  [
    'a changed payload',
    async () => (await sign()).replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`),
    /no trusted key/,
  ],
  ['another type of JWS', () => sign({}, { header: { typ: 'JWT' } }), /not of type/],
  [
    'no signature',
    async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign()).split('.')[1]}.`,
    /no trusted key/,
  ],
  ['noise', async () => 'not a bundle', /no trusted key/],
  ['nothing', async () => '', /no trusted key/],
  [
    'a policy that lacks a field',
    () => sign({ policy: { agreements: [] } as never }),
    /payload is not one that this version understands \(policy\./,
  ],
  ['a field that this version does not know', () => sign({ later: true }), /payload is not one/],
  ['a signature of the future', () => sign({ issuedAt: NOW + LIMIT.clockSkewMs + 1 }), /signed in the future/],
  ['more bytes than the bound', async () => 'x'.repeat(LIMIT.bundleBytes + 1), /larger than/],
])('a bundle with %s is not taken: neither first nor after a good one', async (_, make, why) => {
  await place(await make());
  const bundle = await open();
  expect(bundle.state()).toBe('missing');
  await place(await sign());
  await bundle.check();
  const good = bundle.payload();
  await place(await make());
  await bundle.check();
  expect(bundle.payload()).toBe(good);
  expect(faults).toHaveLength(2);
  for (const fault of faults) expect(fault).toMatch(why);
});

test.each([
  ['a lower revision', { serial: { epoch: 2, revision: 6 } }],
  ['a lower epoch with a higher revision', { serial: { epoch: 1, revision: 9 } }],
  ['the same serial and an earlier signature', { serial: { epoch: 2, revision: 7 }, issuedAt: NOW - 1 }],
])('a bundle with %s is not taken, so that nobody undoes a revocation', async (_, over) => {
  await place(await sign({ serial: { epoch: 2, revision: 7 } }));
  const bundle = await open();
  const kept = bundle.payload();
  await place(await sign({ policy: policyOf(values({})), ...over }));
  await bundle.check();
  expect(bundle.payload()).toBe(kept);
  expect(faults).toHaveLength(1);
});

test('a higher epoch is taken with any revision, and the same serial when signed later', async () => {
  await place(await sign({ serial: { epoch: 2, revision: 7 } }));
  const bundle = await open();
  now = NOW + 1_000;
  await place(await sign({ serial: { epoch: 2, revision: 7 }, issuedAt: now }));
  await bundle.check();
  expect(bundle.payload()?.issuedAt).toBe(now);
  await place(await sign({ serial: { epoch: 3, revision: 0 } }));
  await bundle.check();
  expect(bundle.payload()?.serial).toEqual({ epoch: 3, revision: 0 });
  expect(faults).toEqual([]);
});

test('a bundle names the key that the next ones are signed with', async () => {
  const next = await makeSigner();
  await place(await sign({ nextKey: next.jwk }));
  const bundle = await open();
  await place(await sign({ serial: { epoch: 1, revision: 2 } }, { by: next }));
  await bundle.check();
  expect(bundle.payload()?.serial.revision).toBe(2);
});

test('a key that a bundle named signs on after it named the one behind it', async () => {
  const [next, later] = [await makeSigner(), await makeSigner()];
  await place(await sign({ nextKey: next.jwk }));
  const bundle = await open();
  for (const [revision, by] of [
    [2, next],
    [3, next],
    [4, later],
    [5, later],
  ] as const) {
    await place(await sign({ serial: { epoch: 1, revision }, nextKey: later.jwk }, { by }));
    await bundle.check();
    expect(bundle.payload()?.serial.revision).toBe(revision);
  }
  // Its turn is over.
  await place(await sign({ serial: { epoch: 1, revision: 6 } }, { by: next }));
  await bundle.check();
  expect(bundle.payload()?.serial.revision).toBe(5);
});

test('a bundle of 12 hours is told once, and again when a later one gets as old', async () => {
  await place(await sign());
  const bundle = await open();
  now = NOW + LIMIT.policyWarnMs - 1;
  await bundle.check();
  expect(faults).toEqual([]);
  for (now of [NOW + LIMIT.policyWarnMs, NOW + LIMIT.policyWarnMs + 1]) await bundle.check();
  expect(faults).toEqual([expect.stringMatching(/older than 12 hours, and at 24 everything is refused/)]);
  await place(await sign({ issuedAt: now }));
  await bundle.check();
  now += LIMIT.policyWarnMs;
  await bundle.check();
  expect(faults).toHaveLength(2);
});

test('a private key in the pod is refused, and any key of a set is taken', async () => {
  await place(await sign());
  await writeFile(join(dir, 'key'), JSON.stringify({ ...signer.jwk, d: 'AA' }));
  const bundle = await open();
  expect(bundle.state()).toBe('missing');
  expect(faults[0]).toMatch(/public EC key/);
  await writeFile(join(dir, 'key'), JSON.stringify({ keys: [(await makeSigner()).jwk, signer.jwk] }));
  await bundle.check();
  expect(bundle.state()).toBe('current');
});

test('a bad bundle is told once, not at every look', async () => {
  await place('noise');
  const bundle = await open();
  await bundle.check();
  await bundle.check();
  expect(faults).toHaveLength(1);
});

test('two looks at once take one bundle once', async () => {
  await place(await sign());
  const bundle = await open();
  let told = 0;
  bundle.onChange(() => told++);
  await place(await sign({ serial: { epoch: 1, revision: 2 } }));
  await Promise.all([bundle.check(), bundle.check()]);
  expect(told).toBe(1);
});

test('listeners are told when a grant ends, when an agreement ends and when the bundle gets stale', async () => {
  const policy = policyOf(
    exemption({ monitor: true }, { until: '2026-11-22T13:00:00Z' }),
    agreement(contract({ expiresOn: '2026-11-22T14:00:00Z' })),
  );
  await place(await sign({ policy }));
  const bundle = await open();
  const told: number[] = [];
  bundle.onChange(() => told.push(now));
  const hours = [13, 14, 36].map((hour) => Date.parse('2026-11-22T00:00:00Z') + hour * 3_600_000);
  for (const at of hours) {
    for (now of [at - 1, at, at + 1]) await bundle.check();
  }
  expect(told).toEqual(hours);
  expect(bundle.state()).toBe('stale');
});
