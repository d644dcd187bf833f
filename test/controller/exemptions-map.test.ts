import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startExemptionsMap } from '#controller/exemptions-map.ts';
import { exemptionEntries, nextExemptionTurn } from '#controller/policy/exemption-entries.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import type { RawObject } from '#controller/ports.ts';
import type { AdmissionSettings } from '#controller/admission/settings.ts';
import { makeSettings } from '#test/controller/admission/fixture.ts';
import { exemption, FakeCluster } from '#test/fake/cluster-view.ts';
import { FakeApi } from '#test/fake/kubernetes-api.ts';

const NOV_10 = Date.UTC(2026, 10, 10);

function entries(exemptions: readonly RawObject[], now = NOV_10): Readonly<Record<string, string>> {
  const { source } = new PolicyCache().judge({ agreements: [], egress: [], exemptions, values: {}, revision: 1 });
  return exemptionEntries(source.exemptions, now);
}

const hardening = (name: string, spec: Readonly<Record<string, unknown>> = {}): RawObject =>
  exemption(name, { grant: { hardening: ['B-28'] }, ...spec });

describe('the entries of exemptions', () => {
  test('name namespace, rule and the labels of the pods, or every pod', () => {
    const odd = hardening('odd', {
      namespaces: ['ward', 'clinic'],
      podSelector: { matchLabels: { 'example.org/tier': 'a', app: 'x' } },
    });
    expect(entries([odd, hardening('all')])).toEqual({
      'clinic.B-28': '*,app=x;example.org/tier=a',
      'ward.B-28': 'app=x;example.org/tier=a',
    });
  });

  test('hold exemptions from their first to before their end, and none with a fault', () => {
    expect(entries([hardening('early', { from: '2026-11-11' })])).toEqual({});
    expect(entries([hardening('last-day', { until: '2026-11-10' })], NOV_10 + 86_399_999)).toEqual({
      'clinic.B-28': '*',
    });
    expect(entries([hardening('last-day', { until: '2026-11-10' })], NOV_10 + 86_400_000)).toEqual({});
    expect(entries([hardening('no-reason', { reason: '' })])).toEqual({});
    expect(entries([exemption('other', { grant: { monitor: true } })])).toEqual({});
  });

  test('leave rules out that nothing can lift', () => {
    expect(entries([hardening('all', { grant: { hardening: ['B-1', 'B-999'] } })])).toEqual({});
  });

  test.each([
    { app: 'x,*' },
    { app: 'x;other=y' },
    { 'a=b': 'c' },
    { 'app,*': '' },
    { '': 'x' },
    { app: 'x\n*' },
    { app: '*' },
  ])('hold nothing of a selector that no pod can have: %o', (matchLabels) => {
    expect(entries([hardening('odd', { podSelector: { matchLabels } })])).toEqual({});
  });

  test('turn when a grant of hardening begins or ends', () => {
    const { source } = new PolicyCache().judge({
      agreements: [],
      egress: [],
      exemptions: [
        hardening('one', { from: '2026-11-12' }),
        exemption('other', { from: '2026-11-11', grant: { monitor: true } }),
      ],
      values: {},
      revision: 1,
    });
    expect(nextExemptionTurn(source.exemptions, NOV_10)).toBe(Date.UTC(2026, 10, 12));
    expect(nextExemptionTurn(source.exemptions, Date.UTC(2026, 10, 12))).toBe(Date.UTC(2026, 10, 21));
    expect(nextExemptionTurn(source.exemptions, Date.UTC(2026, 10, 21))).toBeNull();
  });
});

describe('the parameters of the policies', () => {
  let view: FakeCluster;
  let api: FakeApi;
  let now = NOV_10;
  let settings: AdmissionSettings | null = null;
  let keeper: ReturnType<typeof startExemptionsMap> | null = null;

  beforeEach(() => {
    view = new FakeCluster();
    api = new FakeApi(view);
    now = NOV_10;
    settings = makeSettings();
  });
  afterEach(() => keeper?.close());

  function start(): Promise<void> {
    keeper?.close();
    keeper = startExemptionsMap({
      view,
      policies: new PolicyCache(),
      api: api.ask,
      namespace: 'lazaret',
      name: 'lazaret-exemptions',
      settings: () => settings,
      log: pino({ level: 'silent' }),
      now: () => now,
      gapMs: 1,
    });
    return keeper.settled();
  }
  const written = (): Readonly<Record<string, string>> | undefined =>
    api.parameters.get('lazaret-exemptions')?.data as Readonly<Record<string, string>> | undefined;
  /** The exemptions in it. */
  const data = (): unknown => {
    const all = written();
    return all && Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith('_')));
  };
  const writes = (): number => api.of('POST', '/policyparameters').length + api.of('PUT', '/policyparameters').length;

  test('is made, follows the exemptions, and is not written when nothing changed', async () => {
    await start();
    expect(data()).toEqual({});
    view.change({ exemptions: [hardening('one')] });
    await keeper?.settled();
    expect(data()).toEqual({ 'clinic.B-28': '*' });
    view.change({ exemptions: [{ ...hardening('one'), status: { conditions: [] } }] });
    await keeper?.settled();
    expect(writes()).toBe(2);
    view.change({ exemptions: [] });
    await keeper?.settled();
    expect(data()).toEqual({});
  });

  test('loses a grant at its end by our clock', async () => {
    view.inputs = { ...view.inputs, exemptions: [hardening('one')] };
    await start();
    expect(data()).toEqual({ 'clinic.B-28': '*' });
    now = Date.UTC(2026, 10, 21) - 20;
    await start();
    now += 20;
    await expect.poll(data).toEqual({});
  });

  test('is put right when somebody wrote a grant of their own into it', async () => {
    await start();
    api.putParameters('lazaret-exemptions', { 'clinic.B-28': '*' });
    await start();
    expect(data()).toEqual({});
  });

  test('is written later when the API server does not take it now', async () => {
    api.failing = 503;
    await start();
    api.failing = null;
    view.change({ exemptions: [hardening('one')] });
    await keeper?.settled();
    expect(data()).toEqual({ 'clinic.B-28': '*' });
  });

  test('hold what only run time knows of a guarded pod, and the value before it', async () => {
    await start();
    const before = written()?.['_files.current'];
    expect(before).toBeTruthy();
    settings = makeSettings({ network: { resolvers: ['192.0.2.53'] } });
    await expect.poll(() => written()?.['_resolvers.current']).toContain('192.0.2.53');
    expect(written()?.['_resolvers.previous']).toBeTruthy();
  });

  test('are not made before it is known how pods are guarded, and lose an ended grant all the same', async () => {
    settings = null;
    await start();
    expect(written()).toBeUndefined();
    settings = makeSettings();
    view.inputs = { ...view.inputs, exemptions: [hardening('one')] };
    await start();
    expect(data()).toEqual({ 'clinic.B-28': '*' });
    const before = written()?.['_files.current'];
    settings = null;
    now = Date.UTC(2026, 10, 21);
    await start();
    expect(data()).toEqual({});
    expect(written()?.['_files.current']).toBe(before);
  });
});
