import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { connectApi, type KubeApi } from '#controller/cluster/api.ts';
import { createBackoff } from '#controller/cluster/backoff.ts';
import { type KeptView, watchCluster } from '#controller/cluster/cluster-view.ts';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';

const AGREEMENTS = '/apis/lazaret.dev/v1alpha1/provideragreements';
const EGRESS = '/apis/lazaret.dev/v1alpha1/namespaces/clinic/egresspolicies';
const VALUES = '/api/v1/namespaces/lazaret/configmaps/lazaret-controller';
const DNS = '/api/v1/namespaces/kube-system/services/kube-dns';
const never = new AbortController().signal;

let fake: FakeApi;
let api: KubeApi;
let view: KeptView;
let faults: string[];

beforeEach(async () => {
  fake = await startFakeApi();
  fake.put('/api/v1/namespaces/clinic', { metadata: { labels: { 'lazaret.dev/guard': 'all' } } });
  fake.put(DNS, { metadata: {}, spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10', 'fd00::a'] } });
  fake.put(VALUES, { metadata: {}, data: { 'values.yaml': 'egress: {destinations: [example.org]}\n' } });
  faults = [];
});

afterEach(async () => {
  vi.useRealTimers();
  await view.stop();
  api.close();
  await fake.close();
});

function start(): void {
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
  view = watchCluster(
    { namespace: 'lazaret', fullname: 'lazaret' },
    {
      api,
      // Waits take no time here; that they grow is a fact of its own.
      backoff: () => createBackoff({ sleep: () => turn(), random: () => 0 }),
      sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      onFault: (path, code) => void faults.push(`${path} ${code}`),
    },
  );
}

async function synced(): Promise<void> {
  expect(await view.until(() => view.synced(), never)).toBe(true);
}

function names(): readonly unknown[] {
  return view.policy().agreements.map(({ metadata }) => (metadata as { name: string }).name);
}

describe('the view of the cluster', () => {
  it('is not synced while one list is missing', async () => {
    const answer = fake.refuse((call) => call === 'GET /api/v1/pods', 503);
    start();
    await view.until(() => view.namespace('clinic') !== null && view.policy().values !== undefined, never);
    await vi.waitFor(() => expect(faults).toContain('/api/v1/pods 503'), 20_000);
    expect(view.synced()).toBe(false);
    answer();
    await synced();
  });

  it('reads lists of more than one page', async () => {
    const count = LIMIT.apiPage * 2 + 1;
    for (let i = 0; i < count; i += 1) fake.put(`/api/v1/namespaces/clinic/pods/p${i}`, { metadata: {} });
    start();
    await synced();
    expect([...view.pods()]).toHaveLength(count);
  });

  it('shows what is made, changed and removed, and numbers each change of policy, deletions too', async () => {
    start();
    await synced();
    const seen: number[] = [];
    view.onChange((change) => change === 'policy' && seen.push(view.policy().revision));
    const made = fake.put(`${AGREEMENTS}/one`, { metadata: { generation: 1 } });
    await view.until(() => view.policy().revision === made, never);
    expect(names()).toEqual(['one']);
    const changed = fake.put(`${AGREEMENTS}/one`, { metadata: { generation: 2 } });
    await view.until(() => view.policy().revision === changed, never);
    fake.remove(`${AGREEMENTS}/one`);
    await view.until(() => view.policy().revision === fake.version(), never);
    expect(names()).toEqual([]);
    expect(seen).toEqual([made, changed, fake.version()]);
  });

  it('takes a change of a status in without a new revision', async () => {
    fake.put(`${AGREEMENTS}/one`, { metadata: { generation: 1 } });
    start();
    await synced();
    const { revision } = view.policy();
    fake.put(`${AGREEMENTS}/one`, { metadata: { generation: 1 }, status: { conditions: [] } });
    await vi.waitFor(() => expect(view.policy().agreements[0]?.status).toBeDefined(), 20_000);
    expect(view.policy().revision).toBe(revision);
  });

  it('gives the same inputs while nothing changes', async () => {
    fake.put(`${AGREEMENTS}/one`, { metadata: { generation: 1 } });
    start();
    await synced();
    expect(view.policy()).toBe(view.policy());
    const before = view.policy();
    const version = fake.put(`${EGRESS}/two`, { metadata: {} });
    await view.until(() => view.policy().revision === version, never);
    expect(view.policy().agreements[0]).toBe(before.agreements[0]);
    expect(view.policy().values).toBe(before.values);
  });

  it('goes on after a cut without losing what happened meanwhile', async () => {
    fake.put(`${AGREEMENTS}/old`, { metadata: {} });
    start();
    await synced();
    const refused = fake.refuse((call) => call.startsWith('WATCH') && call.endsWith('agreements'), 500);
    fake.cutWatches();
    fake.remove(`${AGREEMENTS}/old`);
    fake.put(`${AGREEMENTS}/new`, { metadata: {} });
    refused();
    await view.until(() => names().join() === 'new', never);
    expect(fake.calls.filter((call) => call === `GET ${AGREEMENTS}`)).toHaveLength(1);
  });

  it('lists anew when its place was forgotten, and finds what was deleted', async () => {
    fake.put(`${AGREEMENTS}/old`, { metadata: {} });
    start();
    await synced();
    const refused = fake.refuse((call) => call.startsWith('WATCH'), 500);
    fake.cutWatches();
    fake.remove(`${AGREEMENTS}/old`);
    fake.compact();
    refused();
    await view.until(() => names().length === 0, never);
    expect(faults).toContain(`${AGREEMENTS} 410`);
    expect(view.policy().revision).toBeGreaterThanOrEqual(fake.version());
  });

  it('lists anew after an event that it cannot read', async () => {
    start();
    await synced();
    const before = fake.calls.filter((call) => call === `GET ${AGREEMENTS}`).length;
    fake.say('{"type":"SURPRISE"}');
    await vi.waitFor(
      () => expect(fake.calls.filter((call) => call === `GET ${AGREEMENTS}`).length).toBeGreaterThan(before),
      20_000,
    );
    const version = fake.put(`${AGREEMENTS}/one`, { metadata: {} });
    // Another kind's list may bring the number first: the agreement is in what a higher one stands for.
    await view.until(() => names().length === 1 && view.policy().revision >= version, never);
    expect(names()).toEqual(['one']);
  });

  it('opens a watch anew that says nothing for longer than bookmarks take', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    start();
    await synced();
    await vi.waitUntil(() => fake.calls.includes('WATCH /api/v1/pods'), { interval: 1 });
    const opened = fake.calls.filter((call) => call === 'WATCH /api/v1/pods').length;
    vi.advanceTimersByTime(LIMIT.watchSilenceMs - 1);
    fake.bookmark();
    await turn();
    vi.advanceTimersByTime(LIMIT.watchSilenceMs);
    vi.useRealTimers();
    await vi.waitFor(
      () => expect(fake.calls.filter((call) => call === 'WATCH /api/v1/pods').length).toBeGreaterThan(opened),
      20_000,
    );
    expect(faults).toContain('/api/v1/pods WATCH_SILENT');
  });

  it('gives a change that is told late a number above the one that did not hold it', async () => {
    start();
    await synced();
    const release = fake.holdEvents('apis/lazaret.dev/v1alpha1 provideragreements');
    fake.put(`${AGREEMENTS}/late`, { metadata: {} });
    const later = fake.put(`${EGRESS}/early`, { metadata: {} });
    await view.until(() => view.policy().revision === later, never);
    expect(names()).toEqual([]);
    release();
    await view.until(() => names().length === 1, never);
    fake.put('/api/v1/namespaces/other', { metadata: {} });
    await view.until(() => view.policy().revision > later, never);
    expect(names()).toEqual(['late']);
  });

  it('does not let a watch that is behind bring back what a fresh list no longer has', async () => {
    fake.put(`${AGREEMENTS}/gone`, { metadata: { generation: 1 } });
    start();
    await synced();
    const release = fake.holdEvents('apis/lazaret.dev/v1alpha1 provideragreements');
    fake.put(`${AGREEMENTS}/gone`, { metadata: { generation: 2 } });
    fake.remove(`${AGREEMENTS}/gone`);
    await view.refreshPolicy();
    expect(names()).toEqual([]);
    const seen: number[] = [];
    view.onChange(() => seen.push(names().length));
    release();
    const version = fake.put(`${AGREEMENTS}/marker`, { metadata: {} });
    await view.until(() => view.policy().revision === version, never);
    expect(seen.every((count) => count <= 1)).toBe(true);
    expect(names()).toEqual(['marker']);
  });

  it('names the cluster DNS where the values name no resolver, and no other where they do', async () => {
    start();
    await synced();
    expect(view.policy().values).toEqual({
      egress: { destinations: ['example.org'] },
      network: { resolvers: ['10.96.0.10', 'fd00::a'] },
    });
    const version = fake.put(VALUES, { metadata: {}, data: { 'values.yaml': 'network: {resolvers: [192.0.2.1]}' } });
    await view.until(() => view.policy().revision === version, never);
    expect(view.policy().values).toEqual({ network: { resolvers: ['192.0.2.1'] } });
  });

  it('keeps the last good values when the document breaks or goes', async () => {
    start();
    await synced();
    const { values } = view.policy();
    const broken = fake.put(VALUES, { metadata: {}, data: { 'values.yaml': '{' } });
    await view.until(() => view.policy().revision === broken, never);
    expect(view.policy().values).toEqual(values);
    fake.remove(VALUES);
    await view.until(() => view.policy().revision === fake.version(), never);
    expect(view.policy().values).toEqual(values);
  });

  it('names no resolver where it may not see the cluster DNS, rather than one that it guessed', async () => {
    fake.refuse((call) => call === `GET ${DNS}`, 403);
    start();
    await synced();
    expect(view.policy().values).toEqual({ egress: { destinations: ['example.org'] }, network: { resolvers: [] } });
  });

  it('never keeps managed fields', async () => {
    fake.put(`${AGREEMENTS}/one`, { metadata: { managedFields: [{ manager: 'x' }] } });
    start();
    await synced();
    expect(JSON.stringify(view.policy())).not.toContain('manager');
  });

  it('cannot refresh when the API server does not answer, and says so', async () => {
    start();
    await synced();
    fake.refuse((call) => call === `GET ${AGREEMENTS}`, 500);
    await expect(view.refreshPolicy()).rejects.toMatchObject({ name: 'ApiError', status: 500 });
  });
});
