import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memberOf } from '#controller/api-request.ts';
import { agreementExpiries } from '#controller/policy/expiry.ts';
import type { Condition } from '#controller/policy/merge-conditions.ts';
import { PolicyCache } from '#controller/policy/policy-cache.ts';
import type { RawObject } from '#controller/ports.ts';
import { startResourceStatus } from '#controller/resource-status.ts';
import { agreement, egressPolicy, exemption, FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { FakeApi } from '#test/fake/kubernetes-api.ts';

let view: FakeCluster;
let api: FakeApi;
let now: number;
let keeper: ReturnType<typeof startResourceStatus> | null = null;

beforeEach(() => {
  view = new FakeCluster();
  api = new FakeApi(view);
  now = Date.UTC(2026, 10, 10);
});
afterEach(() => keeper?.close());

function start(): Promise<void> {
  keeper?.close();
  keeper = startResourceStatus({
    view,
    policies: new PolicyCache(),
    api: api.ask,
    instance: 'controller-0',
    log: pino({ level: 'silent' }),
    now: () => now,
    gapMs: 1,
  });
  return keeper.settled();
}

/** A round after something was changed. */
async function round(): Promise<void> {
  await keeper?.settled();
}

function conditionsOf(object: RawObject | undefined): Readonly<Record<string, Condition>> {
  const list = memberOf(memberOf(object, 'status'), 'conditions') as readonly Condition[];
  return Object.fromEntries((list ?? []).map((condition) => [condition.type, condition]));
}

const patches = (): number => api.of('PATCH', '/status').length;

describe('the status of a resource', () => {
  test('says whether it is accepted, used and how long it lasts', async () => {
    view.inputs = {
      ...view.inputs,
      agreements: [
        agreement('good', {
          contract: { status: 'signed', ref: 'B', signedOn: '2026-01-15', expiresOn: '2026-11-30' },
        }),
      ],
      egress: [egressPolicy('clinic', 'narrow', { media: 'deny' })],
    };
    view.setPod(guardedPod('triage'));
    await start();
    const { Accepted, InUse, Expiring, Expired } = conditionsOf(view.inputs.agreements[0]);
    expect([Accepted?.status, InUse?.status, Expiring?.status, Expired?.status]).toEqual([
      'True',
      'True',
      'True',
      'False',
    ]);
    expect(Expiring).toMatchObject({
      observedGeneration: 1,
      reason: 'EndsSoon',
      message: 'It ends at 2026-12-01T00:00:00.000Z.',
    });
    expect(Expiring?.lastTransitionTime).toBe('2026-11-10T00:00:00Z');
    const narrow = conditionsOf(view.inputs.egress[0]);
    expect(Object.keys(narrow)).toEqual(['Accepted', 'InUse']);
    expect(narrow.InUse?.status).toBe('True');
    expect(api.events).toEqual(['Expiring good']);
  });

  test('of a faulty one names the field and what follows, as a warning event too', async () => {
    const bad = agreement('bad', { kind: 'subscription', contract: { status: 'signd' } });
    view.inputs = { ...view.inputs, agreements: [bad], egress: [egressPolicy('clinic', 'odd', { agreement: ['x'] })] };
    await start();
    expect(conditionsOf(view.inputs.agreements[0]).Accepted).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(conditionsOf(view.inputs.agreements[0]).Accepted?.message).toMatch(
      /^spec\.kind must be .*; spec\.contract\.status must be .*It covers nothing/,
    );
    expect(conditionsOf(view.inputs.agreements[0]).Expired?.status).toBe('Unknown');
    expect(conditionsOf(view.inputs.egress[0]).Accepted?.message).toContain('spec.agreement is not a field');
    expect(conditionsOf(view.inputs.egress[0]).Accepted?.message).toContain('refuses all traffic');
    expect(api.events).toEqual(['NotAccepted bad', 'NotAccepted odd']);
    const [event] = api.of('POST', '/events');
    expect(event?.path).toBe('/api/v1/namespaces/default/events');
    expect(event?.body).toMatchObject({
      type: 'Warning',
      reportingInstance: 'controller-0',
      involvedObject: { uid: 'uid-of-bad' },
    });
  });

  test('of one that contradicts others says what still holds', async () => {
    view.inputs = { ...view.inputs, egress: [egressPolicy('clinic', 'wish', { agreements: ['nobody'] })] };
    await start();
    const { Accepted } = conditionsOf(view.inputs.egress[0]);
    expect(Accepted).toMatchObject({ status: 'False', reason: 'Contradicting' });
    expect(Accepted?.message).toContain('What it takes away holds');
  });

  test('is written once for each change, and our own writes bring no further ones', async () => {
    view.inputs = {
      ...view.inputs,
      agreements: [agreement('one'), agreement('two')],
      exemptions: [exemption('trial', { grant: { monitor: true } })],
    };
    await start();
    expect(patches()).toBe(3);
    const { revision } = view.inputs;
    expect(revision).toBeGreaterThan(3);
    for (let again = 0; again < 5; again++) {
      view.change({});
      await round();
    }
    await start();
    expect(patches()).toBe(3);
  });

  test('keeps the time of the last transition while the status stays, and takes a new generation in', async () => {
    view.inputs = { ...view.inputs, agreements: [agreement('one')] };
    await start();
    now += 3_600_000;
    const [before] = view.inputs.agreements;
    view.change({ agreements: [{ ...before, metadata: { ...(before?.metadata as object), generation: 2 } }] });
    await round();
    const { Accepted } = conditionsOf(view.inputs.agreements[0]);
    expect(Accepted).toMatchObject({ observedGeneration: 2, lastTransitionTime: '2026-11-10T00:00:00Z' });
    expect(patches()).toBe(2);
    expect(api.events).toEqual([]);
  });

  test('turns with the clock and with the pods, with one event for each turn that matters', async () => {
    const contract = { status: 'signed', ref: 'B', signedOn: '2026-01-15', expiresOn: '2027-01-31' };
    view.inputs = { ...view.inputs, agreements: [agreement('one', { contract })] };
    await start();
    expect(conditionsOf(view.inputs.agreements[0]).InUse?.status).toBe('False');
    view.setPod(guardedPod('triage'));
    await round();
    expect(conditionsOf(view.inputs.agreements[0]).InUse?.status).toBe('True');
    expect(api.events).toEqual([]);
    now = Date.UTC(2027, 0, 10);
    await start();
    now = Date.UTC(2027, 1, 1);
    await start();
    expect(conditionsOf(view.inputs.agreements[0])).toMatchObject({
      Expired: { status: 'True' },
      Expiring: { status: 'False' },
    });
    expect(api.events).toEqual(['Expiring one', 'NoLongerExpiring one', 'Expired one']);
  });

  test('keeps conditions that others wrote', async () => {
    const foreign = { type: 'Reviewed', status: 'True' };
    view.inputs = { ...view.inputs, agreements: [{ ...agreement('one'), status: { conditions: [foreign] } }] };
    await start();
    expect(memberOf(memberOf(view.inputs.agreements[0], 'status'), 'conditions')).toContainEqual(foreign);
  });

  test('is not told of when another wrote first; the next look writes it', async () => {
    const stale = agreement('bad', { kind: 'x' });
    const behind = new FakeCluster();
    behind.inputs = { ...behind.inputs, agreements: [stale] };
    view.inputs = {
      ...view.inputs,
      agreements: [{ ...stale, metadata: { ...(stale.metadata as object), resourceVersion: '77' } }],
    };
    keeper = startResourceStatus({
      view: behind,
      policies: new PolicyCache(),
      api: api.ask,
      instance: 'controller-0',
      log: pino({ level: 'silent' }),
      now: () => now,
      gapMs: 1,
    });
    await keeper.settled();
    expect(api.events).toEqual([]);
    await start();
    expect(api.events).toEqual(['NotAccepted bad']);
  });

  test('is not touched before the view is complete', async () => {
    view.isSynced = false;
    view.inputs = { ...view.inputs, agreements: [agreement('one')] };
    await start();
    expect(patches()).toBe(0);
  });
});

test('the time left of agreements is told in seconds, also past their end', () => {
  const contract = { status: 'signed', ref: 'B', signedOn: '2026-01-15' };
  const judged = new PolicyCache().judge({
    agreements: [
      agreement('endless', { contract }),
      agreement('short', { contract: { ...contract, expiresOn: '2026-11-10' } }),
      agreement('over', { contract: { ...contract, expiresOn: '2026-11-08' } }),
      agreement('unreadable', { contract: { ...contract, expiresOn: 'soon' } }),
    ],
    egress: [],
    exemptions: [],
    values: {},
    revision: 1,
  });
  expect(agreementExpiries(judged, now)).toEqual([
    { agreement: 'short', seconds: 86_400 },
    { agreement: 'over', seconds: -86_400 },
  ]);
});
