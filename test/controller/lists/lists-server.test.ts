import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createListsServer } from '#controller/lists/lists-server.ts';
import { openReleaseLists, type ReleaseLists } from '#controller/lists/release-lists.ts';
import { FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { mountSecret } from '#test/fake/mounted-secrets.ts';
import { SECRET, tableBytes } from '../../phi/listed-names.ts';
import { ask, makeKeys, payloadOf, type Serving, serve, type TestKeys, until } from '../bundle/serve.ts';

const TOKEN = `${'a'.repeat(20)}.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.sig`;
const OTHER = TOKEN.replace('a', 'b');

let root: string;
let lists: ReleaseLists;
let view: FakeCluster;
let trusted: TestKeys;
let serving: Serving;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lazaret-lists-server-'));
  await put('Zorbal Kwitem');
  lists = await openReleaseLists({ root, pollMs: 3_600_000 });
  view = new FakeCluster();
  view.setPod(guardedPod('triage'));
  trusted = await makeKeys();
  serving = await serve(view, trusted.keys, { lists });
  serving.tokens.set(TOKEN, { namespace: 'clinic', name: 'triage', uid: 'uid-triage', serviceAccount: 'default' });
});
afterEach(async () => {
  lists.close();
  await serving.server.close();
  await rm(root, { recursive: true });
});

async function put(...people: readonly string[]): Promise<void> {
  await mountSecret(root, 'lists', { key: SECRET, 'a.table': tableBytes(people.map((person) => ['name', person])) });
}

const tagOf = (of: ReleaseLists): string => {
  const policy = of.inPolicy();
  return policy !== undefined && 'tag' in policy ? policy.tag : '';
};
const askLists = (token?: string, tag = tagOf(lists)) =>
  ask(serving, { path: `/v1/lists/${tag}`, ...(token === undefined ? {} : { token }) });

describe('lists', () => {
  it('are what the signed policy of a guarded pod names, and go to that pod over TLS', async () => {
    const { policy } = await payloadOf((await ask(serving, { token: TOKEN })).body, trusted.publicKey);
    const { status, headers, body } = await askLists(TOKEN);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', connection: 'close' });
    const tag = createHash('sha256').update(Buffer.from(body, 'latin1')).digest('base64url');
    expect(policy.lists).toEqual({ tag });
  });

  it.each<readonly [string, number, () => Promise<{ readonly status: number; readonly body: string }>]>([
    ['no token', 401, () => askLists()],
    ['a token that proves no pod', 401, () => askLists(OTHER)],
    [
      'a pod without a guard',
      403,
      () => {
        view.setPod(guardedPod('triage', { chain: null }));
        return askLists(TOKEN);
      },
    ],
    [
      'an API server that does not answer',
      503,
      () => {
        serving.tokens.set(TOKEN, new Error('no answer'));
        return askLists(TOKEN);
      },
    ],
    ['another tag', 404, () => askLists(TOKEN, 'x'.repeat(43))],
    ['another method', 404, () => ask(serving, { path: `/v1/lists/${tagOf(lists)}`, method: 'POST', token: TOKEN })],
    ['a path that climbs', 404, () => ask(serving, { path: '/v1/lists/../../etc/passwd', token: TOKEN })],
  ])('are not to be had with %s (%i)', async (_what, status, asking) => {
    const answer = await asking();
    expect(answer).toMatchObject({ status, body: '' });
  });

  it('that were replaced wake whoever is held for policy, which then names the others', async () => {
    const first = await ask(serving, { token: TOKEN });
    const before = tagOf(lists);
    const answer = ask(serving, { token: TOKEN, after: '1.1', wait: 30, tag: String(first.headers['etag']) });
    await until(async () => /lazaret_bundle_callers 1/.test(await serving.registry.metrics()));
    await put('Udoree Vaxilm');
    await lists.check();
    const { policy } = await payloadOf((await answer).body, trusted.publicKey);
    expect(policy.lists).toEqual({ tag: tagOf(lists) });
    expect(tagOf(lists)).not.toBe(before);
    expect((await askLists(TOKEN, before)).status).toBe(404);
  });

  it('that cannot be used are a fault in policy, in words for the operator', async () => {
    await mountSecret(root, 'lists', { key: SECRET, 'a.table': 'Zorbal Kwitem' });
    await lists.check();
    const { policy } = await payloadOf((await ask(serving, { token: TOKEN })).body, trusted.publicKey);
    expect(policy.lists).toEqual({ fault: 'lists/a.table is no table of lazaret lists build' });
  });

  it('are not a reason to end for a caller that goes away in the middle', async () => {
    const gone = new AbortController();
    const asked = ask(serving, { path: `/v1/lists/${tagOf(lists)}`, token: TOKEN, signal: gone.signal });
    gone.abort();
    await expect(asked).rejects.toThrow('aborted');
    expect((await askLists(TOKEN)).status).toBe(200);
  });

  it('are given to few at a time, and others are told to come again', async () => {
    // More than the system takes for a caller that reads nothing.
    const body = Array.from({ length: 24 }, () => Buffer.alloc(1024 * 1024));
    const giving = createListsServer(() => ({ tag: '', body, bytes: 24 * 1024 * 1024, entities: {}, tables: 1 }));
    const server = createServer((_, response) => {
      void giving.send('', response).then((status) => status !== null && response.writeHead(status).end());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const slow = await Promise.all(Array.from({ length: 16 }, () => begin(server)));
    expect(slow.map(({ statusCode }) => statusCode)).toEqual(slow.map(() => 200));
    expect((await begin(server)).statusCode).toBe(503);
    slow[3]?.destroy();
    await until(async () => (await begin(server)).statusCode === 200);
    server.closeAllConnections();
    server.close();
  });
});

/** A caller that takes the head of an answer and then nothing. */
function begin(server: Server): Promise<IncomingMessage> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.on('error', () => undefined);
      resolve(response.pause());
    }).on('error', reject);
  });
}
