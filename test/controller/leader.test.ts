import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import { createLeader, type Leader } from '#controller/leader.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { createTestClock, type TestClock } from '#test/fake/clock.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/lazaret/leases/lazaret-controller';

let fake: FakeApi;
let api: KubeApi;
let clock: TestClock;
let stop: AbortController;
let runs: Promise<void>[];

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
  clock = createTestClock();
  stop = new AbortController();
  runs = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(runs);
  api.close();
  await fake.close();
});

function candidate(holder: string, signal = stop.signal): Leader {
  const owner = () => Promise.resolve({ kind: 'Deployment', uid: 'u' });
  const leader = createLeader({ namespace: 'lazaret', name: 'lazaret-controller', holder, owner }, api, clock);
  runs.push(leader.run(signal));
  return leader;
}

function spec(): Readonly<Record<string, unknown>> {
  return (fake.get(LEASE)?.spec ?? {}) as Readonly<Record<string, unknown>>;
}

function asked(): number {
  return fake.calls.filter((call) => call.endsWith('leases/lazaret-controller')).length;
}

/** Resolves when every candidate has asked and waits for its next round. */
async function atRest(): Promise<void> {
  await vi.waitFor(() => expect(clock.asleep()).toBe(runs.length), 20_000);
}

/** Lets every candidate that waits ask once more. */
async function nextRound(ms: number): Promise<void> {
  await atRest();
  const before = asked();
  clock.advance(ms);
  await vi.waitFor(() => expect(asked()).toBeGreaterThan(before), 20_000);
  await atRest();
}

describe('the leader', () => {
  it('is one of two that start together', async () => {
    const [a, b] = [candidate('a'), candidate('b')];
    await vi.waitFor(() => expect([a, b].filter((one) => one.isLeader())).toHaveLength(1), 20_000);
    await nextRound(LIMIT.leaseRetryMs);
    expect([a, b].filter((one) => one.isLeader())).toHaveLength(1);
  });

  it('writes a Lease as Kubernetes reads it, collected with the release', async () => {
    const a = candidate('a');
    await vi.waitFor(() => expect(a.isLeader()).toBe(true), 20_000);
    expect(spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      renewTime: '2026-11-22T00:00:00.000000Z',
      acquireTime: '2026-11-22T00:00:00.000000Z',
      leaseTransitions: 1,
    });
    expect(fake.get(LEASE)?.metadata.ownerReferences).toEqual([{ kind: 'Deployment', uid: 'u' }]);
  });

  it('ceases to lead before another may, when the API server does not answer it', async () => {
    const a = candidate('a');
    await vi.waitFor(() => expect(a.isLeader()).toBe(true), 20_000);
    fake.refuse(() => true, 500);
    clock.advance(LIMIT.leaseGiveUpMs - 1);
    expect(a.isLeader()).toBe(true);
    clock.advance(1);
    expect(a.isLeader()).toBe(false);
    expect(LIMIT.leaseGiveUpMs).toBeLessThan(LIMIT.leaseMs);
  });

  it('takes over from a leader that died, by its own clock, after the length of the lease and not before', async () => {
    fake.put(LEASE, {
      metadata: {},
      spec: { holderIdentity: 'dead', renewTime: '2099-01-01T00:00:00.000000Z', leaseTransitions: 4 },
    });
    const a = candidate('a');
    await nextRound(LIMIT.leaseMs - 1);
    expect(a.isLeader()).toBe(false);
    await nextRound(LIMIT.leaseRetryMs);
    await vi.waitFor(() => expect(a.isLeader()).toBe(true), 20_000);
    expect(spec()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 5 });
  });

  it('gives the lease back when it stops, so that the next takes it at once', async () => {
    const own = new AbortController();
    const a = candidate('a', own.signal);
    await vi.waitFor(() => expect(a.isLeader()).toBe(true), 20_000);
    own.abort();
    await vi.waitFor(() => expect(spec().holderIdentity).toBe(''), 20_000);
    expect(a.isLeader()).toBe(false);
    const b = candidate('b');
    await vi.waitFor(() => expect(b.isLeader()).toBe(true), 20_000);
  });

  it('does not lead when another wrote the lease between its look and its write', async () => {
    fake.put(LEASE, { metadata: {}, spec: { holderIdentity: '' } });
    const stale = fake.refuse((call) => call === `PUT ${LEASE}`, 409);
    const a = candidate('a');
    await vi.waitFor(() => expect(fake.calls).toContain(`PUT ${LEASE}`), 20_000);
    await atRest();
    expect(a.isLeader()).toBe(false);
    stale();
  });
});
