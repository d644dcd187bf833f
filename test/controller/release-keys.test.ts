import { CompactSign, compactVerify, createLocalJWKSet, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import { createKeySource, type KeySource } from '#controller/release-keys.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';

const SECRET = '/api/v1/namespaces/lazaret/secrets/lazaret-keys';
let fake: FakeApi;
let api: KubeApi;

beforeEach(async () => {
  fake = await startFakeApi();
  api = connectApi({
    server: fake.url,
    current: () => ({
      ca: undefined,
      cert: undefined,
      key: undefined,
      servername: undefined,
      authorization: undefined,
    }),
  });
});

afterEach(async () => {
  api.close();
  await fake.close();
});

function source(mayCreate = true): KeySource {
  return createKeySource(
    { namespace: 'lazaret', name: 'lazaret-keys', mayCreate: () => mayCreate, now: () => 60_000_000 },
    api,
  );
}

function data(): Record<string, string> {
  return { ...(fake.get(SECRET)?.data as Record<string, string>) };
}

describe('the keys of a release', () => {
  it('are the same for two replicas that make them together', async () => {
    const [a, b] = [source(), source()];
    await Promise.all([a.step(), b.step()]);
    expect(a.keys()?.jwks).toBe(b.keys()?.jwks);
    expect(Buffer.from(a.keys()!.identity)).toEqual(Buffer.from(b.keys()!.identity));
  });

  it('are waited for by a replica that may not make them', async () => {
    const follower = source(false);
    expect(await follower.step()).toBe(false);
    expect(follower.keys()).toBeNull();
    await source().step();
    expect(await follower.step()).toBe(true);
    expect(follower.keys()).not.toBeNull();
  });

  it('sign what the public set verifies, under the key id of the set', async () => {
    const made = source();
    await made.step();
    const { signing, jwks } = made.keys()!;
    const jws = await new CompactSign(Buffer.from('x'))
      .setProtectedHeader({ alg: 'ES256', kid: signing.currentKid })
      .sign(signing.current);
    const set = JSON.parse(jwks) as { keys: JWK[] };
    expect((await compactVerify(jws, createLocalJWKSet(set))).protectedHeader.kid).toBe(signing.currentKid);
    expect(set.keys).toHaveLength(2);
    expect(set.keys[1]).toMatchObject(signing.next!);
    expect(JSON.stringify([set, signing.next])).not.toContain('"d"');
    expect(signing.current.extractable).toBe(false);
    expect(signing.epoch).toBe(1_000);
  });

  it('are put back as they were when somebody deletes them while we run', async () => {
    const made = source();
    await made.step();
    const before = data();
    fake.remove(SECRET);
    await made.step();
    expect(data()).toEqual(before);
  });

  it('follow the Secret: a grown epoch counts at the next step', async () => {
    const made = source();
    await made.step();
    fake.put(SECRET, { metadata: {}, data: { ...data(), epoch: Buffer.from('1001\n').toString('base64') } });
    expect(await made.step()).toBe(true);
    expect(made.keys()?.signing.epoch).toBe(1_001);
    expect(await made.step()).toBe(false);
  });

  it.each(['identity.key', 'bundle.jwk', 'epoch'])(
    'are never written over, and a broken %s is named without its content',
    async (name) => {
      const made = source();
      await made.step();
      const known = made.keys();
      const broken = { ...data(), [name]: Buffer.from('c2VjcmV0').toString('base64') };
      fake.put(SECRET, { metadata: {}, data: broken });
      await expect(made.step()).rejects.toThrow(new RegExp(name));
      await expect(made.step()).rejects.not.toThrow(/c2VjcmV0/);
      expect(made.keys()).toBe(known);
      expect(data()).toEqual(broken);
    },
  );
});
