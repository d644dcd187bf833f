import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import { type AuthoritySource, createAuthoritySource } from '#controller/serving/authority-secret.ts';
import {
  type AuthorityState,
  beginAuthority,
  chainTail,
  formatAuthority,
  parseAuthority,
  trustBundle,
  turnAuthority,
} from '#controller/serving/authority-state.ts';
import { issueLeaf } from '#controller/serving/certificate.ts';
import { chainsTo, readCertificates } from '#controller/serving/chain-check.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';

const START = Date.parse('2026-11-22T00:00:00Z');
const SECRET = '/api/v1/namespaces/lazaret/secrets/lazaret-authority';
const leafOf = async (state: AuthorityState, now: number): Promise<string> =>
  (await issueLeaf(state.current, { names: ['x.svc'], now, lifetimeMs: LIMIT.leafMs })).certificate;
/** A root is backdated by an hour. */
const RENEWAL = START - 3_600_000 + LIMIT.authorityRenewMs;

describe('the turns of an authority', () => {
  it('keep one root until its time has come', async () => {
    const state = await beginAuthority(START);
    expect(await turnAuthority(state, RENEWAL - 1)).toBe(state);
    expect((await turnAuthority(state, RENEWAL)).next).not.toBeNull();
  });

  it('announce a root before anything is signed under it, and sign under it once it was announced long enough', async () => {
    const begun = await beginAuthority(START);
    const announced = await turnAuthority(begun, RENEWAL);
    expect(announced.current).toEqual(begun.current);
    expect(readCertificates(trustBundle(announced))).toHaveLength(2);
    expect(await turnAuthority(announced, RENEWAL + LIMIT.authorityAnnounceMs - 1)).toBe(announced);
    const now = RENEWAL + LIMIT.authorityAnnounceMs;
    const turned = await turnAuthority(announced, now);
    expect(turned.current.certificate).toBe(announced.next?.certificate);
    const leaf = await leafOf(turned, now);
    expect(chainsTo(leaf, trustBundle(announced), now)).toBe(true);
    expect(chainsTo(await leafOf(begun, now), trustBundle(turned), now)).toBe(true);
  });

  it('serve pods that were given only the first root, until that root itself ends', async () => {
    const begun = await beginAuthority(START);
    const now = RENEWAL + LIMIT.authorityAnnounceMs;
    const turned = await turnAuthority(await turnAuthority(begun, RENEWAL), now);
    const retired = await turnAuthority(turned, now + LIMIT.authorityRetireMs);
    expect(readCertificates(trustBundle(retired))).toHaveLength(1);
    const later = now + LIMIT.authorityRetireMs;
    const leaf = await leafOf(retired, later);
    expect(chainsTo(leaf, begun.current.certificate, later)).toBe(false);
    expect(chainsTo(leaf + chainTail(retired, later), begun.current.certificate, later)).toBe(true);
    const end = START + LIMIT.authorityMs;
    expect(chainTail(retired, end)).toBe('');
    expect(chainsTo(leaf + (retired.cross ?? ''), begun.current.certificate, end)).toBe(false);
  });

  it('keep the old root trusted until the last leaf under it has ended', async () => {
    const now = RENEWAL + LIMIT.authorityAnnounceMs;
    const turned = await turnAuthority(await turnAuthority(await beginAuthority(START), RENEWAL), now);
    expect(await turnAuthority(turned, now + LIMIT.authorityRetireMs - 1)).toBe(turned);
    expect(LIMIT.authorityRetireMs).toBeGreaterThan(Math.max(LIMIT.leafMs, LIMIT.collectorLeafMs));
  });

  it('survive the Secret in every state', async () => {
    const begun = await beginAuthority(START);
    const announced = await turnAuthority(begun, RENEWAL);
    const turned = await turnAuthority(announced, RENEWAL + LIMIT.authorityAnnounceMs);
    for (const state of [begun, announced, turned]) {
      const read = parseAuthority(formatAuthority(state));
      expect(formatAuthority(read!)).toEqual(formatAuthority(state));
    }
  });

  it('are not read from a Secret whose key is not that of its root', async () => {
    const [one, other] = [await beginAuthority(START), await beginAuthority(START)];
    const data = { ...formatAuthority(one), 'ca.key': formatAuthority(other)['ca.key']! };
    expect(parseAuthority(data)).toBeNull();
    expect(parseAuthority({})).toBeNull();
    expect(parseAuthority({ ...formatAuthority(one), 'ca.crt': 'AAAA' })).toBeNull();
  });
});

describe('the Secret of the authority', () => {
  let fake: FakeApi;
  let api: KubeApi;
  let now: number;

  beforeEach(async () => {
    now = START;
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

  function source(isLeader = true): AuthoritySource {
    return createAuthoritySource(
      { namespace: 'lazaret', name: 'lazaret-authority', isLeader: () => isLeader, now: () => now },
      api,
    );
  }

  it('is one for two replicas that both take themselves for the leader', async () => {
    const [a, b] = [source(), source()];
    await Promise.all([a.step(), b.step()]);
    await Promise.all([a.step(), b.step()]);
    expect(a.state()).toEqual(b.state());
    now = RENEWAL;
    await Promise.all([a.step(), b.step()]);
    await Promise.all([a.step(), b.step()]);
    expect(a.state()).toEqual(b.state());
    expect(a.state()?.next).not.toBeNull();
  });

  it('is read, and never written, by a replica that does not lead', async () => {
    const follower = source(false);
    await follower.step();
    expect(fake.get(SECRET)).toBeUndefined();
    await source().step();
    await follower.step();
    expect(follower.state()).not.toBeNull();
  });

  it('is put back as it was when it is deleted or broken while we run', async () => {
    const leader = source();
    await leader.step();
    const before = fake.get(SECRET)?.data;
    fake.remove(SECRET);
    await leader.step();
    expect(fake.get(SECRET)?.data).toEqual(before);
    fake.put(SECRET, { metadata: {}, data: { 'ca.crt': 'AAAA' } });
    await leader.step();
    expect(fake.get(SECRET)?.data).toEqual(before);
  });

  it('is made anew when its root has ended, for nothing can be signed under it', async () => {
    const leader = source();
    await leader.step();
    const before = leader.state();
    now = START + LIMIT.authorityMs;
    await leader.step();
    expect(leader.state()?.current.certificate).not.toBe(before?.current.certificate);
    expect(chainsTo(leader.state()!.current.certificate, leader.state()!.current.certificate, now)).toBe(true);
  });
});
