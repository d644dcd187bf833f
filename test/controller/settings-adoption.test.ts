import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { POD_FILE } from '#contract/pod-shape.ts';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import type { AdmissionSettings } from '#controller/admission/settings.ts';
import type { ApiAnswer } from '#controller/api-request.ts';
import { followAdoption } from '#controller/settings-adoption.ts';
import type { ReviewBase } from '#controller/webhook-context.ts';
import { makeSettings } from './admission/fixture.ts';

const former = makeSettings();
const next = makeSettings({ sidecar: { image: { tag: '0.2.0' } } });
const MISSING = { kind: 'Status', code: 404, details: { name: 'lazaret-exemptions' } };

let now = 0;
let said: () => ApiAnswer;
let used: AdmissionSettings | null;
let waiting: AdmissionSettings | null;
const adopted: AdmissionSettings[] = [];
const sleeps: number[] = [];
let stop: AbortController;

beforeEach(() => {
  now = 0;
  used = former;
  waiting = next;
  adopted.length = 0;
  sleeps.length = 0;
  stop = new AbortController();
});
afterEach(() => stop.abort());

/** Runs until the sum of the waits is reached. */
async function run(forMs: number): Promise<void> {
  const sleep = (ms: number): Promise<void> => {
    sleeps.push(ms);
    now += ms;
    if (now > forMs) stop.abort();
    return Promise.resolve();
  };
  const base = {
    base: () => (used === null ? null : ({ settings: used } as ReviewBase)),
    waiting: () => waiting,
    adopt: (settings: AdmissionSettings) => {
      adopted.push(settings);
      waiting = null;
    },
  };
  const api = () => Promise.resolve(said());
  await followAdoption({ base, api, parameters: '/x', clock: { now: () => now, sleep } }, stop.signal);
}

describe('new settings', () => {
  it('wait until the parameters accept them, and then until every API server heard of that', async () => {
    let asked = 0;
    said = () => ({ status: 200, body: { data: policyParameters(asked++ < 3 ? former : next, {}) } });
    await run(10_000);
    expect(asked).toBe(4);
    expect(sleeps).toContain(LIMIT.settingsHeardMs);
    expect(adopted).toEqual([next]);
  });

  it.each([POD_FILE.releaseAuthority, POD_FILE.bundleKeys])(
    'with another %s wait until every replica has looked for it',
    async (file) => {
      const turned = { ...next, files: { ...next.files, [file]: 'another' } };
      waiting = turned;
      said = () => ({ status: 200, body: { data: policyParameters(turned, {}) } });
      await run(LIMIT.servingCheckMs - 1_000);
      expect(sleeps).toContain(LIMIT.servingCheckMs + LIMIT.settingsHeardMs);
      [waiting, used, now] = [turned, null, 0];
      [sleeps.length, stop] = [0, new AbortController()];
      await run(3_000);
      expect(sleeps).not.toContain(LIMIT.servingCheckMs + LIMIT.settingsHeardMs);
    },
  );

  it('are accepted as the previous ones too', async () => {
    said = () => ({ status: 200, body: { data: policyParameters(former, policyParameters(next, {})) } });
    await run(5_000);
    expect(adopted).toEqual([next]);
  });

  it.each([
    ['the parameters are not written yet', () => ({ status: 404, body: MISSING })],
    ['the API server fails', () => ({ status: 500, body: null })],
    ['it does not answer', () => expect.unreachable()],
    ['they hold nothing', () => ({ status: 200, body: {} })],
  ])('wait while %s, but not for ever', async (_what, answer: () => ApiAnswer) => {
    said = answer;
    await run(LIMIT.settingsWaitMs - 1_000);
    expect(adopted).toEqual([]);
    stop = new AbortController();
    now = 0;
    await run(LIMIT.settingsWaitMs + 2_000);
    expect(adopted).toEqual([next]);
  });

  it('wait for nobody where the cluster has no such policies', async () => {
    said = () => ({ status: 404, body: null });
    await run(3_000);
    expect(adopted).toEqual([next]);
  });
});
