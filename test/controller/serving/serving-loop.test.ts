import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { X509Certificate } from 'node:crypto';
import { LIMIT } from '#contract/limit.ts';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import { createKeySource } from '#controller/release-keys.ts';
import { createAuthoritySource } from '#controller/serving/authority-secret.ts';
import { chainsTo } from '#controller/serving/chain-check.ts';
import { collectorNames, controllerNames } from '#controller/serving/names.ts';
import { createServingLoop } from '#controller/serving/serving-loop.ts';
import { createOwnLeaf } from '#controller/serving/serving-source.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { createTestClock, type TestClock } from '#test/fake/clock.ts';

const HOOKS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
  (kind) => `/apis/admissionregistration.k8s.io/v1/${kind}/lazaret`,
);
const COLLECTOR = '/api/v1/namespaces/lazaret/secrets/lazaret-collector-tls';
const DAY = 86_400_000;

let fake: FakeApi;
let api: KubeApi;
let clock: TestClock;
let faults: string[];

beforeEach(async () => {
  clock = createTestClock();
  faults = [];
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
  for (const path of HOOKS)
    fake.put(path, {
      metadata: {},
      webhooks: [
        { name: 'pods.lazaret.dev', clientConfig: { service: { name: 'x' } }, timeoutSeconds: 5 },
        { name: 'all.lazaret.dev', clientConfig: {} },
      ],
    });
});

afterEach(async () => {
  api.close();
  await fake.close();
});

function replica(leads: boolean | (() => boolean) = true) {
  const isLeader = typeof leads === 'boolean' ? (): boolean => leads : leads;
  const terms = { namespace: 'lazaret', isLeader, mayCreate: isLeader, now: clock.now };
  const authority = createAuthoritySource({ ...terms, name: 'lazaret-authority' }, api);
  const serving = createOwnLeaf(controllerNames('lazaret', 'lazaret', ['127.0.0.1']), authority, clock.now);
  const loop = createServingLoop({
    api,
    clock,
    keys: createKeySource({ ...terms, name: 'lazaret-keys' }, api),
    evaluation: { recipients: () => null, step: () => Promise.resolve() },
    serving,
    authority,
    collector: {
      namespace: 'lazaret',
      name: 'lazaret-collector-tls',
      names: collectorNames('lazaret', 'lazaret'),
      owner: () => Promise.resolve(null),
    },
    webhooks: 'lazaret',
    isLeader,
    onFault: (part, code) => void faults.push(`${part} ${code}`),
  });
  return { authority, serving, loop };
}

function bundles(): readonly string[] {
  return HOOKS.flatMap((path) =>
    ((fake.get(path)?.webhooks ?? []) as { clientConfig: { caBundle?: string } }[]).map(({ clientConfig }) =>
      Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
    ),
  );
}

function collectorFile(name: string): string {
  return Buffer.from(((fake.get(COLLECTOR)?.data ?? {}) as Record<string, string>)[name] ?? '', 'base64').toString();
}

describe('the upkeep of certificates', () => {
  it('makes everything in one round of the leader: keys, authority, leaf, caBundles, the certificate of the collector', async () => {
    const { loop, serving } = replica();
    expect(await loop.step()).toBe(true);
    expect(faults).toEqual([]);
    expect(loop.trusted()).toBe(true);
    expect(bundles()).toEqual(Array.from({ length: 4 }, () => serving.serving()?.trust));
    expect(loop.repairs()).toBe(4);
    expect(chainsTo(collectorFile('tls.crt'), collectorFile('ca.crt'), clock.now())).toBe(true);
    expect(new X509Certificate(collectorFile('tls.crt')).checkHost('lazaret-collector.lazaret.svc')).toBeDefined();
    expect(
      new X509Certificate(collectorFile('tls.crt')).checkHost('lazaret-collector-0.lazaret-collector.lazaret.svc'),
    ).toBeDefined();
    expect(new X509Certificate(serving.serving()!.chain).checkIP('127.0.0.1')).toBeDefined();
    expect(await loop.step()).toBe(false);
    expect(loop.repairs()).toBe(4);
  });

  it('leaves every other field of the webhooks as it was', async () => {
    await replica().loop.step();
    expect(fake.get(HOOKS[0]!)?.webhooks).toMatchObject([
      { name: 'pods.lazaret.dev', clientConfig: { service: { name: 'x' } }, timeoutSeconds: 5 },
      { name: 'all.lazaret.dev' },
    ]);
  });

  it('repairs a caBundle that somebody wrote over, and is not ready while it is wrong', async () => {
    const { loop } = replica();
    await loop.step();
    const follower = replica(false);
    await follower.loop.step();
    expect(follower.loop.trusted()).toBe(true);
    const hook = fake.get(HOOKS[1]!)!;
    fake.put(HOOKS[1]!, {
      ...hook,
      webhooks: [{ name: 'pods.lazaret.dev', clientConfig: { caBundle: Buffer.from('other').toString('base64') } }],
    });
    await follower.loop.step();
    expect(follower.loop.trusted()).toBe(false);
    await loop.step();
    await follower.loop.step();
    expect(follower.loop.trusted()).toBe(true);
  });

  it('is ready without a webhook, because nobody can call it wrongly and bundles are still asked for', async () => {
    for (const path of HOOKS) fake.remove(path);
    const { loop } = replica();
    await loop.step();
    expect(loop.trusted()).toBe(true);
  });

  it('renews a leaf after a third of its time, and not before', async () => {
    const { loop, serving } = replica();
    await loop.step();
    const first = serving.serving()?.chain;
    clock.advance(LIMIT.leafMs / 3 - 1);
    await loop.step();
    expect(serving.serving()?.chain).toBe(first);
    clock.advance(1);
    expect(await loop.step()).toBe(true);
    expect(serving.serving()?.chain).not.toBe(first);
  });

  it('tells the end of the collector’s certificate only while it leads: who leads later renews it', async () => {
    let leads = true;
    const { loop } = replica(() => leads);
    await loop.step();
    expect(loop.collectorEndsAt()).toBe(new X509Certificate(collectorFile('tls.crt')).validToDate.getTime());
    leads = false;
    await loop.step();
    expect(loop.collectorEndsAt()).toBeNull();
  });

  it('renews the collector at half of its time, and makes it anew when it is broken', async () => {
    const { loop } = replica();
    await loop.step();
    const first = collectorFile('tls.crt');
    clock.advance(LIMIT.collectorLeafMs / 2 - 1);
    await loop.step();
    expect(collectorFile('tls.crt')).toBe(first);
    clock.advance(1);
    await loop.step();
    const second = collectorFile('tls.crt');
    expect(second).not.toBe(first);
    fake.put(COLLECTOR, { metadata: {}, data: { ...(fake.get(COLLECTOR)?.data as object), 'tls.key': 'AAAA' } });
    await loop.step();
    expect(collectorFile('tls.key')).toContain('PRIVATE KEY');
  });

  it('serves a certificate that the API server trusts at every moment of a rotation, on both replicas', async () => {
    const [leader, follower] = [replica(), replica(false)];
    const roots = new Set<string>();
    const turn = LIMIT.authorityRenewMs / DAY;
    const days = [
      0,
      2,
      4,
      turn - 1,
      turn - 0.5,
      turn,
      turn + 0.5,
      turn + 1,
      ...Array.from({ length: 17 }, (_, i) => turn + 2 * i + 2),
    ];
    const begin = clock.now();
    for (const day of days) {
      const pause = begin + day * DAY - clock.now();
      clock.advance(pause);
      // Nobody was there for a year: the leaf of the follower has ended with it.
      if (pause > 3 * DAY) await follower.loop.step();
      await leader.loop.step();
      // What the follower shows was made before it saw what the leader did.
      const shown = follower.serving.serving();
      if (shown !== null) for (const bundle of bundles()) expect(chainsTo(shown.chain, bundle, clock.now())).toBe(true);
      await follower.loop.step();
      for (const { serving } of [leader, follower])
        for (const bundle of bundles()) expect(chainsTo(serving.serving()!.chain, bundle, clock.now())).toBe(true);
      for (const root of leader.serving.serving()!.trust.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g)!)
        roots.add(root);
    }
    expect(roots.size).toBe(2);
    expect(leader.serving.serving()!.trust.match(/BEGIN/g)).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  it('names what failed by a word and goes on with the rest', async () => {
    fake.refuse((call) => call.includes('mutatingwebhook'), 403);
    const { loop, serving } = replica();
    await loop.step();
    expect(faults).toEqual(['caBundle 403', 'webhooks 403']);
    expect(serving.serving()).not.toBeNull();
    expect(collectorFile('tls.crt')).not.toBe('');
  });
});
