// What breaks around a guarded pod: after each fault the evidence says exactly what happened, and nothing else.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  applyAgreement,
  COMPLETED,
  expectEvidence,
  expectNoSurrogate,
  expectNothingSent,
  expectServed,
  expectWhole,
  type FaultStage,
  makeStage,
  say,
  textOf,
} from './faults-stage.ts';
import { moveClock, COLLECTOR_CLOCK, SIDECAR_CLOCK } from './fake-clock.ts';
import {
  admitAllTheWhile,
  beginTurn,
  evict,
  restartRollout,
  restartRuntime,
  scale,
  waitForRoot,
} from './faults-acts.ts';
import { type AppCall, startCallingApp } from './calling-app.ts';
import { listRecords, verifyEvidence, waitForExpected } from './product-evidence.ts';
import { kubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

/** One answer of those that fill a spool. */
const LARGE_BYTES = 4 * 1024 * 1024;

let stage: FaultStage;

beforeAll(async () => {
  stage = await makeStage();
});
afterAll(async () => {
  await stage.leave();
});

describe('a provider that', () => {
  it.each<[what: string, model: string, status: number, reason: string]>([
    ['resets before it answers', 'reset-at-once', 503, 'upstream_unreachable'],
    ['resets in the middle of its answer', 'reset-in-body', 503, 'upstream_unreachable'],
    ['announces more than it sends', 'length-too-long', 503, 'upstream_unreachable'],
    ['sends more than it announced', 'length-too-short', 503, 'response_unreadable'],
    ['breaks its own chunks', 'chunk-broken', 503, 'upstream_unreachable'],
    ['ends without its last chunk', 'chunk-unfinished', 503, 'upstream_unreachable'],
    ['announces two lengths', 'two-lengths', 503, 'upstream_unreachable'],
    ['speaks something else', 'no-http', 503, 'upstream_unreachable'],
  ])('%s is refused with a reason, and recorded', async (_what, model, status, reason) => {
    const call = await stage.app.call({ body: { model } });
    expect(call).toMatchObject({ status, reason, fault: null, text: expect.stringContaining(reason) });
    expectNoSurrogate(call);
    await expectEvidence(stage, [[call, [model === 'length-too-short' ? 'refused' : 'provider_error', reason]]]);
  });

  it('resets within a stream: what came is restored, an error event says why, and the stream is cut', async () => {
    const call = await stage.app.call({ body: { model: 'reset-in-stream', stream: true } });
    expect(call).toMatchObject({ status: 200, text: expect.stringContaining('upstream_unreachable') });
    expectNoSurrogate(call);
    await expectEvidence(stage, [[call, ['cut', 'upstream_unreachable']]]);
  });

  it('stalls within a stream: the application has what came, goes when it likes, and that is recorded', async () => {
    const call = await stage.app.call({ body: { model: 'stream-stalls', stream: true }, patienceMs: 3_000 });
    expect(call).toMatchObject({ status: 200, fault: expect.stringMatching(/timeout|abort/i) });
    expect(textOf(call.text)).toContain('Maria Gonzalez');
    expectNoSurrogate(call);
    await expectEvidence(stage, [[call, ['client_gone']]]);
  });

  it('never answers: an application that goes is recorded as gone', async () => {
    const requests = async (): Promise<readonly string[]> =>
      (await listRecords(stage.product)).filter((record) => record['stage'] === 'request').map(({ id }) => String(id));
    const before = await requests();
    const call = await stage.app.call({ body: { model: 'silent' }, patienceMs: 3_000 });
    expect(call).toMatchObject({ status: 0, fault: expect.stringMatching(/timeout|abort/i) });
    const exchange = await waitFor(
      'the request of that call',
      async () => (await requests()).find((id) => !before.includes(id)) ?? null,
    );
    await expectEvidence(stage, [[{ ...call, exchange }, ['client_gone']]]);
  });

  it('is slow: the application sees each part when it came, and all of it', async () => {
    const gate = stage.provider.gate('slow');
    const id = await stage.app.start({ body: { model: 'slow', stream: true } });
    await waitFor('the first part', async () =>
      textOf((await stage.app.look(id)).text).includes('Maria') ? true : null,
    );
    expect((await stage.app.look(id)).done).toBe(false);
    gate.open();
    const call = await endOf(id);
    expectWhole(call);
    await expectEvidence(stage, [[call, COMPLETED]]);
  });
});

describe('while an application calls a provider all the time', () => {
  it('the release’s authority takes its turn, and no call, no pod and no record is lost', {
    timeout: 400_000,
  }, async () => {
    let root = '';
    let denied: readonly string[] = [];
    const calls = await stage.app.callAllTheWhile(async () => {
      denied = await admitAllTheWhile(stage.clinic, async () => {
        root = await beginTurn();
        await waitForRoot('lazaret-controller', 443, root);
        await waitForRoot('lazaret-collector', 8443, root);
      });
      await expectRevocation();
    });
    say(`${calls.length} calls while the authority changed`);
    expect(denied).toEqual([]);
    expectServed(calls.filter(({ reason }) => reason !== 'agreement_missing'));
    await expectEvidence(
      stage,
      calls.filter(({ status }) => status === 200).map((call) => [call, COMPLETED]),
    );
  });

  it('controller and collector are replaced: long streams go on to their end', { timeout: 400_000 }, async () => {
    const gate = stage.provider.gate('long');
    const id = await stage.app.start({ body: { model: 'long', stream: true } });
    const calls = await stage.app.callAllTheWhile(async () => {
      await Promise.all([
        restartRollout('statefulset/lazaret-collector'),
        restartRollout('deployment/lazaret-controller'),
      ]);
      expect((await stage.app.look(id)).done).toBe(false);
      gate.open();
      await endOf(id);
    });
    const stream = await stage.app.look(id);
    expectWhole(stream);
    expectServed(calls);
    say(`${calls.length} calls while everything restarted`);
    await expectRevocation();
    await expectEvidence(
      stage,
      [stream, ...calls].map((call) => [call, COMPLETED]),
    );
  });

  it('the node’s runtime crashes and comes back: pods go on, and new ones start', { timeout: 400_000 }, async () => {
    const calls = await stage.app.callAllTheWhile(async () => {
      await restartRuntime(async () => expectWhole(await stage.app.call()));
      const after = await startCallingApp(stage.clinic, 'after');
      expectWhole(await after.call());
    });
    expectServed(calls);
    await expectEvidence(
      stage,
      calls.map((call) => [call, COMPLETED]),
    );
  });
});

describe('a pod', () => {
  it('that is evicted in the middle of a stream records its end and closes its chain', {
    timeout: 300_000,
  }, async () => {
    const app = await startCallingApp(stage.clinic, 'evicted', { terminationGracePeriodSeconds: 30 });
    stage.provider.gate('left');
    const id = await app.start({ body: { model: 'left', stream: true } });
    await waitFor('the first part', async () => (textOf((await app.look(id)).text).includes('Maria') ? true : null));
    const call = await app.look(id);
    await evict(stage.clinic, 'evicted');
    await expectEvidence(stage, [[call, ['client_gone']]]);
    const chain = (await listRecords(stage.product)).filter(({ id: one }) => one === call.exchange)[0]?.['chain'];
    const own = (await listRecords(stage.product)).filter((record) => record['chain'] === chain);
    expect(own.map((record) => record['stage'])).toEqual(['open', 'request', 'error', 'close']);
  });
});

describe.each([
  ['an hour ahead', 3_600],
  ['an hour behind', -3_600],
] as const)('with a clock that is %s', (_what, seconds) => {
  it('the sidecar guards, records and hears of revocations', { timeout: 300_000 }, async () => {
    await moveClock(stage.clinic, 'client', SIDECAR_CLOCK, seconds);
    try {
      await waitFor('the clock to have moved', async () => {
        const [, age = '0'] = /^lazaret_policy_age_seconds (\S+)/m.exec(await stage.app.askGuard('/metrics')) ?? [];
        return Math.abs(Number(age) - seconds) < 1_800 ? true : null;
      });
      const call = await stage.app.call();
      expectWhole(call);
      await expectRevocation();
      await expectEvidence(stage, [[call, COMPLETED]]);
    } finally {
      await moveClock(stage.clinic, 'client', SIDECAR_CLOCK, 0);
    }
    expectWhole(await stage.app.call());
    await expectRevocation();
  });

  it('the collector takes evidence, of new pods too', { timeout: 300_000 }, async () => {
    await moveClock('lazaret', 'lazaret-collector-0', COLLECTOR_CLOCK, seconds);
    try {
      const pod = seconds > 0 ? 'ahead' : 'behind';
      const app = await startCallingApp(stage.clinic, pod);
      const calls = [await app.call(), await stage.app.call()];
      for (const call of calls) expectWhole(call);
      await expectEvidence(
        stage,
        calls.map((call) => [call, COMPLETED]),
      );
    } finally {
      await moveClock('lazaret', 'lazaret-collector-0', COLLECTOR_CLOCK, 0);
    }
    const call = await stage.app.call();
    await expectEvidence(stage, [[call, COMPLETED]]);
  });
});

it('every pod of this file is named by the controller’s list, and the evidence of each is whole', {
  timeout: 300_000,
}, async () => {
  const pods = ['client', 'after', 'evicted', 'ahead', 'behind'].map((pod) => `${stage.clinic}/${pod}`);
  await waitForExpected(stage.product, pods);
  expect(await verifyEvidence(stage.product)).toEqual({ code: 0, findings: [] });
});

it('a spool that is full refuses with the reason, and when the collector is back everything is there', {
  timeout: 400_000,
}, async () => {
  await scale('statefulset/lazaret-collector', 0);
  const calls: AppCall[] = [];
  const fill = async (): Promise<true | null> => {
    const call = await stage.app.call({ body: { model: `large-${LARGE_BYTES}` } });
    calls.push({ ...call, text: call.text.slice(0, 400) });
    return call.status === 200 ? null : true;
  };
  try {
    const begun = performance.now();
    await waitFor('the spool to be full', fill, 240);
    const [refused, ...served] = calls.toReversed();
    expect(refused).toMatchObject({ status: 503, reason: 'audit_unavailable' });
    expectServed(served);
    const seconds = Math.round((performance.now() - begun) / 1_000);
    say(`the spool took ${served.length} answers of ${LARGE_BYTES} bytes in ${seconds} s`);
    expect(await stage.app.call()).toMatchObject({ status: 503, reason: 'audit_unavailable' });
    expect(await stage.app.askGuard('/readyz')).toContain('spool');
  } finally {
    await scale('statefulset/lazaret-collector', 1);
  }
  await waitFor('the guard to serve again', async () => ((await stage.app.call()).status === 200 ? true : null), 120);
  await waitForShipped();
  await expectEvidence(
    stage,
    calls.slice(0, -1).map((call) => [call, COMPLETED]),
  );
});

it('no provider ever received an identifier', () => expectNothingSent(stage));

/** Waits for the end of a call that is under way. */
async function endOf(id: number): Promise<AppCall> {
  await waitFor('the end of the call', async () => ((await stage.app.look(id)).done ? true : null));
  return stage.app.look(id);
}

/** Waits until the collector has all that the guard wrote. */
async function waitForShipped(): Promise<void> {
  const begun = performance.now();
  await waitFor(
    'the spool to be shipped',
    async () => {
      const [, lag = '1'] = /^lazaret_audit_lag_seconds (\S+)/m.exec(await stage.app.askGuard('/metrics')) ?? [];
      return Number(lag) === 0 ? true : null;
    },
    180,
  );
  say(`the collector had it all after ${Math.round((performance.now() - begun) / 1_000)} s`);
}

/** An agreement that is deleted refuses the next calls, and one that is made lets them pass. */
async function expectRevocation(): Promise<void> {
  await kubectl(['delete', 'provideragreement', 'faults', '--timeout=60s']);
  const at = performance.now();
  await waitFor('the end of the agreement', async () =>
    (await stage.app.call()).reason === 'agreement_missing' ? true : null,
  );
  say(`an agreement's end reached the pod in ${Math.round(performance.now() - at)} ms`);
  await applyAgreement();
  await waitFor('the agreement', async () => ((await stage.app.call()).status === 200 ? true : null));
}
