import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import type { ProvenPod } from '#controller/ports.ts';
import { agreement, egressPolicy, FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import {
  type Answered,
  type Ask,
  ask,
  makeKeys,
  payloadOf,
  type Serving,
  serve,
  type TestKeys,
  until,
} from './serve.ts';

const TOKEN = `${'a'.repeat(20)}.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.sig`;

let view: FakeCluster;
let trusted: TestKeys;
let serving: Serving;

beforeEach(async () => {
  view = new FakeCluster();
  view.inputs = { ...view.inputs, agreements: [agreement('anthropic')], revision: 100 };
  view.setPod(guardedPod('triage'));
  trusted = await makeKeys();
  serving = await serve(view, trusted.keys);
  serving.tokens.set(TOKEN, proven('triage'));
});
afterEach(() => serving.server.close());

function proven(name: string, given: Partial<ProvenPod> = {}): ProvenPod {
  return { namespace: 'clinic', name, uid: `uid-${name}`, serviceAccount: 'default', ...given };
}

function tagOf(answer: Answered): string {
  return String(answer.headers.etag);
}

/** Begins a request that is held, and waits until it is. */
async function held(given: Ask): Promise<{ readonly answer: Promise<Answered> }> {
  const answer = ask(serving, { token: TOKEN, wait: 30, ...given });
  await until(async () => /lazaret_bundle_callers [1-9]/.test(await serving.registry.metrics()));
  return { answer };
}

describe('a guarded pod', () => {
  test('gets a bundle that its key verifies, with the revision of the resources as serial', async () => {
    const answer = await ask(serving, { token: TOKEN });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/jose');
    const payload = await payloadOf(answer.body, trusted.publicKey);
    expect(payload.serial).toEqual({ epoch: 1, revision: 100 });
    expect(payload.policy.agreements.map(({ id }) => id)).toEqual(['anthropic']);
  });

  test('is told of the next key, and of nothing private beside it', async () => {
    const next = { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43), d: 'secret' } as const;
    serving.keys = { ...trusted.keys, next };
    const answer = await ask(serving, { token: TOKEN });
    const payload = await payloadOf(answer.body, trusted.publicKey);
    expect(payload.nextKey).toEqual({ kty: 'EC', crv: 'P-256', x: next.x, y: next.y });
  });

  test('that has the bundle is held, and answered 204 when its wait ends', async () => {
    const first = await ask(serving, { token: TOKEN });
    const second = await ask(serving, { token: TOKEN, after: '1.100', wait: 0.05, tag: tagOf(first) });
    expect(second.status).toBe(204);
  });

  test('that gives no tag back is held too, once it took what this replica gave it', async () => {
    await ask(serving, { token: TOKEN });
    expect((await ask(serving, { token: TOKEN, after: '1.100', wait: 0.05 })).status).toBe(204);
  });

  test('that did not take what it was given gets it again', async () => {
    await ask(serving, { token: TOKEN });
    expect((await ask(serving, { token: TOKEN, after: '1.99', wait: 0.05 })).status).toBe(200);
    expect((await ask(serving, { token: TOKEN, wait: 0.05 })).status).toBe(200);
  });

  test('that comes from another replica without a tag is answered at once', async () => {
    expect((await ask(serving, { token: TOKEN, after: '1.100', wait: 30 })).status).toBe(200);
  });
});

describe('a change', () => {
  test('of an agreement answers a held caller, with a higher serial', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    view.change({ agreements: [] });
    const second = await answer;
    expect(second.status).toBe(200);
    const payload = await payloadOf(second.body, trusted.publicKey);
    expect(payload.serial.revision).toBe(101);
    expect(payload.policy.agreements).toEqual([]);
  });

  test('of nothing but our own status leaves callers held, whatever the revision', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first), wait: 0.6 });
    const written = { ...agreement('anthropic'), status: { conditions: [{ type: 'Accepted', status: 'True' }] } };
    view.change({ agreements: [written], revision: 205 });
    expect((await answer).status).toBe(204);
    expect((await ask(serving, { token: TOKEN, after: '1.100', tag: tagOf(first), wait: 0.01 })).status).toBe(204);
    expect((await ask(serving, { token: TOKEN, after: '1.100', wait: 0.01 })).status).toBe(204);
  });

  test('of the labels of a pod gives it the policy of its new labels under the same serial', async () => {
    const narrow = egressPolicy('clinic', 'narrow', {
      podSelector: { matchLabels: { app: 'triage' } },
      agreements: [],
    });
    view.change({ egress: [narrow], revision: 110 });
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.110', tag: tagOf(first) });
    view.setPod(guardedPod('triage', { labels: { app: 'triage' } }));
    const payload = await payloadOf((await answer).body, trusted.publicKey);
    expect(payload.serial.revision).toBe(110);
    expect(payload.policy.agreementLists).toEqual([[]]);
  });

  test('of the signing keys gives every caller a bundle under the new key', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    const rotated = await makeKeys(2);
    serving.keys = rotated.keys;
    serving.tellKeys();
    const payload = await payloadOf((await answer).body, rotated.publicKey);
    expect(payload.serial).toEqual({ epoch: 2, revision: 100 });
  });

  test('that takes the pod away ends its request with 403', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    view.removePod('clinic', 'triage');
    expect((await answer).status).toBe(403);
  });

  test('reaches everybody who is held, each with the policy of its namespace', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `pod-${index}`);
    for (const name of names) {
      view.setPod(guardedPod(name, { namespace: name }));
      serving.tokens.set(`${name}${TOKEN}`, proven(name, { namespace: name }));
    }
    view.change({ egress: [egressPolicy('pod-7', 'own', { denyModels: ['x-*'] })] });
    const answers = await Promise.all(names.map((name) => ask(serving, { token: `${name}${TOKEN}` })));
    const waiting = names.map((name, index) =>
      ask(serving, { token: `${name}${TOKEN}`, wait: 30, after: '1.101', tag: tagOf(answers[index]!) }),
    );
    await until(async () => /lazaret_bundle_callers 40\n/.test(await serving.registry.metrics()));
    view.change({ agreements: [] });
    const bodies = new Set<string>();
    for (const [index, answer] of (await Promise.all(waiting)).entries()) {
      expect(answer.status).toBe(200);
      bodies.add(answer.body);
      const { policy } = await payloadOf(answer.body, trusted.publicKey);
      expect(policy.denyModels).toEqual(index === 7 ? ['x-*'] : []);
    }
    expect(bodies.size).toBe(2);
  });
});

describe('the age of a bundle', () => {
  test('makes it be signed anew within the hour, though nothing changed', async () => {
    const first = await ask(serving, { token: TOKEN });
    serving.now = () => Date.now() + LIMIT.bundleRenewMs;
    const second = await ask(serving, { token: TOKEN, after: '1.100', tag: tagOf(first), wait: 30 });
    expect(second.status).toBe(200);
    const [old, renewed] = [
      await payloadOf(first.body, trusted.publicKey),
      await payloadOf(second.body, trusted.publicKey),
    ];
    expect(renewed.serial).toEqual(old.serial);
    expect(renewed.issuedAt - old.issuedAt).toBeGreaterThanOrEqual(LIMIT.bundleRenewMs);
  });

  test('never goes back for a caller that another replica with a faster clock served', async () => {
    const ahead = Date.now() + 20_000;
    serving.now = () => ahead;
    const other = await ask(serving, { token: TOKEN });
    serving.now = () => ahead - 20_000;
    view.change({ agreements: [], revision: 100 });
    const answer = await ask(serving, { token: TOKEN, after: '1.100', tag: tagOf(other) });
    expect((await payloadOf(answer.body, trusted.publicKey)).issuedAt).toBeGreaterThanOrEqual(ahead);
  });

  test('that a caller makes up counts for nothing when it lies in the future', async () => {
    const first = await ask(serving, { token: TOKEN });
    const forged = tagOf(first).replace(/\.[0-9a-z]+"$/, `.${(Date.now() + 9e8).toString(36)}"`);
    expect((await ask(serving, { token: TOKEN, after: '1.99', tag: forged, wait: 30 })).status).toBe(200);
  });
});

describe('a caller that knows more than we do', () => {
  test('makes us list afresh once, and gets what it then shows', async () => {
    view.onRefresh = () => view.change({ agreements: [], revision: 500 });
    const answer = await ask(serving, { token: TOKEN, after: '1.400' });
    expect(answer.status).toBe(200);
    expect((await payloadOf(answer.body, trusted.publicKey)).serial.revision).toBe(500);
    expect(view.refreshes).toBe(1);
  });

  test('gets 503, never a lower serial, when the fresh list shows no more', async () => {
    const answer = await ask(serving, { token: TOKEN, after: '1.400' });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    await ask(serving, { token: TOKEN, after: '1.400' });
    expect(view.refreshes).toBe(1);
  });

  test('gets 503 when the API server does not answer', async () => {
    view.onRefresh = null;
    expect((await ask(serving, { token: TOKEN, after: '1.400' })).status).toBe(503);
  });

  test('of a later epoch gets 503, and no list is asked for', async () => {
    expect((await ask(serving, { token: TOKEN, after: '2.1' })).status).toBe(503);
    expect(view.refreshes).toBe(0);
  });

  test('is served by a restarted controller that has seen more', async () => {
    const first = await ask(serving, { token: TOKEN });
    await serving.server.close();
    view.change({ agreements: [], revision: 150 });
    serving = await serve(view, trusted.keys);
    serving.tokens.set(TOKEN, proven('triage'));
    const answer = await ask(serving, { token: TOKEN, after: '1.100', tag: tagOf(first), wait: 30 });
    expect((await payloadOf(answer.body, trusted.publicKey)).serial).toEqual({ epoch: 1, revision: 150 });
  });

  test('while it is held gets 503 when the cluster was set back', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    view.change({ agreements: [], revision: 50 });
    expect((await answer).status).toBe(503);
  });

  test('gets a bundle of a new epoch, whatever its revision', async () => {
    serving.keys = { ...trusted.keys, epoch: 2 };
    view.change({ revision: 3 });
    const answer = await ask(serving, { token: TOKEN, after: '1.400' });
    expect((await payloadOf(answer.body, trusted.publicKey)).serial).toEqual({ epoch: 2, revision: 3 });
  });
});

describe('nothing is given', () => {
  test('without a token, with one that proves no pod, and for a path or query that is none', async () => {
    expect((await ask(serving)).status).toBe(401);
    expect((await ask(serving, { token: 'forged' })).status).toBe(401);
    expect((await ask(serving, { token: TOKEN, path: '/v1/other' })).status).toBe(404);
    expect((await ask(serving, { token: TOKEN, method: 'POST' })).status).toBe(405);
    expect((await ask(serving, { token: TOKEN, after: 'one' })).status).toBe(400);
    expect((await ask(serving, { token: TOKEN, wait: -1 })).status).toBe(400);
  });

  test('to a pod without a guard', async () => {
    view.setPod(guardedPod('triage', { chain: null }));
    expect((await ask(serving, { token: TOKEN })).status).toBe(403);
  });

  test('before the watches have delivered and the keys were read', async () => {
    view.isSynced = false;
    expect((await ask(serving, { token: TOKEN })).status).toBe(503);
    view.isSynced = true;
    serving.keys = null;
    const answer = await ask(serving, { token: TOKEN });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
  });

  test('when the API server does not say whose token it is, and no token is ever logged', async () => {
    serving.tokens.set('secret-token', new Error('connect ECONNREFUSED'));
    expect((await ask(serving, { token: 'secret-token' })).status).toBe(503);
    expect(serving.lines.length).toBeGreaterThan(0);
    expect(serving.lines.join('')).not.toContain('secret-token');
  });

  test('to a token of a pod whose name another pod has now', async () => {
    serving.tokens.set('old', proven('triage', { uid: 'uid-of-an-earlier-pod' }));
    const stop = new AbortController();
    const answer = ask(serving, { token: 'old', signal: stop.signal });
    await until(() => view.listeners > 1);
    stop.abort();
    await expect(answer).rejects.toThrow();
    await until(() => view.listeners === 1);
  });
});

describe('proof of a pod', () => {
  test('is asked for once for a token that lives, and each time for one without an end', async () => {
    await ask(serving, { token: TOKEN });
    await ask(serving, { token: TOKEN });
    expect(serving.reviews()).toBe(1);
    serving.tokens.set('endless', proven('triage'));
    await ask(serving, { token: 'endless' });
    await ask(serving, { token: 'endless' });
    expect(serving.reviews()).toBe(3);
  });

  test('ends with the token', async () => {
    const end = Math.floor(Date.now() / 1_000) + 5;
    const short = `h.${Buffer.from(JSON.stringify({ exp: end })).toString('base64url')}.s`;
    serving.tokens.set(short, proven('triage'));
    expect((await ask(serving, { token: short })).status).toBe(200);
    serving.tokens.delete(short);
    serving.now = () => end * 1_000;
    expect((await ask(serving, { token: short })).status).toBe(401);
  });

  test('of a pod that the watch has not shown yet waits for the watch', async () => {
    serving.tokens.set('early', proven('newcomer'));
    const answer = ask(serving, { token: 'early' });
    await until(() => view.listeners > 1);
    view.setPod(guardedPod('newcomer'));
    expect((await answer).status).toBe(200);
  });
});

describe('the server', () => {
  test('shows a new certificate without a restart', async () => {
    const before = await ask(serving, { token: TOKEN });
    serving.renewCertificate(await serving.authority.issue('localhost'));
    const after = await ask(serving, { token: TOKEN });
    expect(after.status).toBe(200);
    expect(after.serial).not.toBe(before.serial);
  });

  test('keeps its certificate when the new one cannot be used', async () => {
    serving.renewCertificate({ certificate: 'no certificate', key: 'no key' });
    expect((await ask(serving, { token: TOKEN })).status).toBe(200);
    expect(serving.lines.join('')).toContain('certificate_fault');
  });

  test('lets held callers go with their connections when it is about to end, and holds nobody more', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    serving.server.retire();
    expect(await answer).toMatchObject({ status: 204, headers: { connection: 'close' } });
    const question = { token: TOKEN, after: '1.100', tag: tagOf(first), wait: 30 };
    expect(await ask(serving, question)).toMatchObject({ status: 204, headers: { connection: 'close' } });
  });

  test('answers held callers when it ends', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    const closed = serving.server.close();
    expect((await answer).status).toBe(204);
    await closed;
    serving = await serve(view, trusted.keys);
  });

  test('holds one request of a pod: the next one takes its place', async () => {
    const first = await ask(serving, { token: TOKEN });
    const { answer } = await held({ after: '1.100', tag: tagOf(first) });
    const stop = new AbortController();
    const next = ask(serving, { token: TOKEN, wait: 30, tag: tagOf(first), signal: stop.signal });
    expect((await answer).status).toBe(204);
    stop.abort();
    await expect(next).rejects.toThrow();
    await until(async () => /lazaret_bundle_callers 0\n/.test(await serving.registry.metrics()));
  });

  test('counts every request by how it ended', async () => {
    await ask(serving, { token: TOKEN });
    await ask(serving);
    const text = await serving.registry.metrics();
    expect(text).toContain('lazaret_bundle_requests_total{outcome="bundle"} 1');
    expect(text).toContain('lazaret_bundle_requests_total{outcome="unproven"} 1');
  });
});
