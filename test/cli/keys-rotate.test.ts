import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keys } from '#cli/keys.ts';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import type { ReleaseKeys } from '#controller/release-keys.ts';
import { createKeySource } from '#controller/release-keys.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';

const SECRET = '/api/v1/namespaces/lazaret/secrets/lazaret-keys';
let fake: FakeApi;
let api: KubeApi;

beforeEach(async () => {
  fake = await startFakeApi();
  const access = { ca: undefined, cert: undefined, key: undefined, servername: undefined, authorization: undefined };
  api = connectApi({ server: fake.url, current: () => access });
});
afterEach(async () => {
  api.close();
  await fake.close();
});

type Secret = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> };

async function rotate(input: unknown, ...args: readonly string[]): Promise<Secret> {
  const io = terminal();
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  const stdin = (async function* () {
    yield Buffer.from(text);
  })();
  expect(await keys(['rotate', ...args], { ...io, stdin })).toBe(0);
  return JSON.parse(io.out.join('')) as Secret;
}

/** The Secret as a controller made it. */
async function made(): Promise<Readonly<Record<string, unknown>>> {
  await read();
  return { kind: 'Secret', apiVersion: 'v1', ...fake.get(SECRET) };
}

/** The keys as a controller reads them. */
async function read(): Promise<ReleaseKeys> {
  const terms = { namespace: 'lazaret', name: 'lazaret-keys', mayCreate: () => true, now: () => 60_000_000 };
  const source = createKeySource(terms, api);
  await source.step();
  const found = source.keys();
  if (found === null) throw new Error('no keys');
  return found;
}

const kidsOf = ({ jwks }: ReleaseKeys) =>
  (JSON.parse(jwks) as { readonly keys: readonly { readonly kid: string }[] }).keys.map(({ kid }) => kid);

test('keys rotate puts the next key in the place of the current one, and leaves all else as it was', async () => {
  const secret = await made();
  const before = await read();
  const rotated = await rotate(secret);
  const { data: _, ...rest } = secret;
  expect(rotated).toMatchObject(rest);
  fake.put(SECRET, rotated);
  const after = await read();
  const [current, next] = kidsOf(before);
  const [nowCurrent, nowNext] = kidsOf(after);
  expect(nowCurrent).toBe(next);
  expect([current, next]).not.toContain(nowNext);
  expect(after.signing.currentKid).toBe(next);
  expect(Buffer.from(after.identity)).toEqual(Buffer.from(before.identity));
  expect(after.signing.epoch).toBe(before.signing.epoch);
});

test('keys rotate --all makes both anew', async () => {
  const secret = await made();
  const before = kidsOf(await read());
  fake.put(SECRET, await rotate(secret, '--all'));
  for (const kid of kidsOf(await read())) expect(before).not.toContain(kid);
});

test('keys rotate refuses what it cannot rotate, and shows nothing of it', async () => {
  const secret = await made();
  const data = secret['data'] as Readonly<Record<string, string>>;
  const mark = randomUUID();
  const broken = Buffer.from(`{"kty":"EC","d":"${mark}"}`).toString('base64');
  const { 'bundle-next.jwk': _, ...without } = data;
  for (const [input, why] of [
    ['', 'is no Secret'],
    [`{"kind":"ConfigMap","data":{"bundle.jwk":"${mark}"}}`, 'is no Secret'],
    [{ ...secret, data: {} }, 'is no Secret'],
    [{ ...secret, data: without }, 'holds no bundle-next.jwk'],
    [{ ...secret, data: { ...data, 'bundle-next.jwk': broken } }, 'no key that can sign'],
    ['x'.repeat(5 * 1024 * 1024), 'too large'],
  ] as const) {
    const fault = await rotate(input).catch(String);
    expect(fault).toContain(why);
    expect(fault).not.toContain(mark);
  }
  await expect(rotate(secret, 'more')).rejects.toThrow('takes --all');
});
