import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeListsHead, type PolicyLists } from '#contract/lists-protocol.ts';
import { openReleaseLists, type ReleaseLists } from '#controller/lists/release-lists.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { redact } from '#phi/redact.ts';
import { type Bundle, openBundle } from '#sidecar/bundle/bundle.ts';
import type { BundleServer as Controller } from '#sidecar/bundle/bundle-client.ts';
import { openServedLists, type ServedLists } from '#sidecar/lists/served-lists.ts';
import { FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { mountSecret } from '#test/fake/mounted-secrets.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { makeKeys, type Serving, serve } from '../../controller/bundle/serve.ts';
import { SECRET, tableBytes } from '../../phi/listed-names.ts';
import { BundleServer, lookupLoopback } from '../bundle/bundle-server.ts';

const TOKEN = `${'a'.repeat(20)}.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.sig`;

let dir: string;
let faults: string[];
let loads: unknown[];
let lists: ServedLists | undefined;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-served-lists-'));
  await writeFile(join(dir, 'token'), TOKEN);
  [faults, loads] = [[], []];
});
afterEach(async () => {
  lists?.close();
  for (const end of ends.splice(0)) await end();
  await rm(dir, { recursive: true, maxRetries: 5 });
});

const tableOf = (...people: readonly string[]) => tableBytes(people.map((person) => ['name', person]));

function redacted(text: string): string {
  const names = lists?.names();
  const options = { dates: 'whole', actions: {}, ...(names === undefined ? {} : { names }) } as const;
  const result = redact([{ text, format: 'text', message: 1 }], options);
  return result.kind === 'redacted' ? (result.texts[0] ?? '') : result.reason;
}

function open(server: Controller | null, wanted: () => PolicyLists | undefined): ServedLists {
  lists = openServedLists({
    server,
    wanted,
    onLoad: (entities) => loads.push(entities),
    onFault: (sentence) => faults.push(sentence),
    retryMs: 2,
  });
  return lists;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a sidecar under a controller with lists', () => {
  let serving: Serving;
  let release: ReleaseLists;
  let bundle: Bundle;

  beforeEach(async () => {
    await put(tableOf('Zorbal Kwitem'));
    release = await openReleaseLists({ root: join(dir, 'lists'), pollMs: 3_600_000 });
    const view = new FakeCluster();
    view.setPod(guardedPod('triage'));
    const trusted = await makeKeys();
    serving = await serve(view, trusted.keys, { lists: release });
    serving.tokens.set(TOKEN, { namespace: 'clinic', name: 'triage', uid: 'uid-triage', serviceAccount: 'default' });
    const { x = '', y = '' } = await exportJWK(trusted.publicKey);
    await writeFile(join(dir, 'key'), JSON.stringify({ kty: 'EC', crv: 'P-256', x, y }));
    const server = {
      url: `https://localhost:${serving.port}`,
      roots: serving.authority.root,
      tokenFile: join(dir, 'token'),
      lookup: lookupLoopback,
    };
    const [file, keyFile] = [join(dir, 'bundle.jws'), join(dir, 'key')];
    bundle = await openBundle({ file, keyFile, now: Date.now, server, retryMs: 5 });
    const followed = open(server, () => bundle.payload()?.policy.lists);
    bundle.onChange(() => followed.consider());
    ends.push(
      () => bundle.close(),
      () => release.close(),
      () => serving.server.close(),
    );
  });

  async function put(table: Uint8Array | string): Promise<void> {
    await mountSecret(join(dir, 'lists'), 'patients', { key: SECRET, 'patients.table': table });
  }

  it('redacts by them as soon as policy names them, and by others as soon as those are there', async () => {
    await until(() => loads.length === 1);
    expect(loads).toEqual([{ name: 1 }]);
    expect(redacted('zorbal kwitem')).toMatch(/^NAME_1a\d\d$/);
    await put(tableOf('Udoree Vaxilm', 'Ada Quill'));
    await release.check();
    await until(() => loads.length === 2);
    expect(redacted('udoree vaxilm')).toMatch(/^NAME_1a\d\d$/);
    expect(redacted('zorbal kwitem')).toBe('zorbal kwitem');
    expect(faults).toEqual([]);
  });

  it('refuses while the controller says that they are damaged, and takes them again when they are mended', async () => {
    await until(() => loads.length === 1);
    await put('Zorbal Kwitem');
    await release.check();
    await until(() => faults.length === 1);
    expect(faults).toEqual([
      'the lists cannot be used and everything is refused: patients/patients.table is no table of lazaret lists build',
    ]);
    expect(() => lists?.names()).toThrow(DetectorError);
    expect(lists?.waiting()).toBe(false);
    await put(tableOf('Zorbal Kwitem'));
    await release.check();
    await until(() => bundle.payload()?.policy.lists !== undefined && 'tag' in (bundle.payload()?.policy.lists ?? {}));
    expect(redacted('zorbal kwitem')).toMatch(/^NAME/);
  });

  it('goes on with them while the controller is away', async () => {
    await until(() => loads.length === 1);
    await serving.server.close();
    lists?.consider();
    expect(redacted('zorbal kwitem')).toMatch(/^NAME/);
  });
});

describe('a sidecar whose policy names lists', () => {
  let server: BundleServer;
  let door: Controller;
  let policy: PolicyLists | undefined;

  beforeEach(async () => {
    const authority = await makeTestAuthority();
    server = new BundleServer(await authority.issue('127.0.0.1'));
    await server.listen();
    ends.push(() => server.close());
    const url = `https://127.0.0.1:${server.port}`;
    door = { url, roots: authority.root, tokenFile: join(dir, 'token') };
  });

  /** An answer of a controller, and the tag of it. */
  function answerOf(table: Uint8Array, head: Partial<Parameters<typeof encodeListsHead>[0]> = {}) {
    const line = encodeListsHead({
      version: 1,
      key: SECRET,
      tables: [{ name: 'a.table', bytes: table.length }],
      ...head,
    });
    const body = Buffer.concat([line, table]);
    return { body, tag: createHash('sha256').update(body).digest('base64url') };
  }

  async function give(status: number, body: Buffer | string = ''): Promise<string> {
    const { request, response } = await server.next();
    response.writeHead(status).end(body);
    return `${request.method} ${request.url} ${request.headers.authorization}`;
  }

  it('refuses and waits until it has them, by its token and by their tag', async () => {
    const { body, tag } = answerOf(tableOf('Zorbal Kwitem'));
    policy = { tag };
    const opened = open(door, () => policy);
    expect(() => opened.names()).toThrow(DetectorError);
    expect(opened.waiting()).toBe(true);
    expect(await give(503)).toBe(`GET /v1/lists/${tag} Bearer ${TOKEN}`);
    await give(404);
    expect(() => opened.names()).toThrow(DetectorError);
    await give(200, body);
    await until(() => !opened.waiting());
    expect(redacted('zorbal kwitem')).toMatch(/^NAME/);
    expect(faults).toEqual([
      'the lists were not taken: the controller is busy or not ready (503); meanwhile everything is refused',
      'the lists were not taken: this replica of the controller has others (404); meanwhile everything is refused',
    ]);
  });

  it('takes none that are others than the signed policy names, and keeps the former ones', async () => {
    const [first, second, forged] = ['Zorbal Kwitem', 'Udoree Vaxilm', 'Ada Quill'].map((one) =>
      answerOf(tableOf(one)),
    );
    policy = { tag: first?.tag ?? '' };
    const opened = open(door, () => policy);
    await give(200, first?.body);
    await until(() => !opened.waiting());
    policy = { tag: second?.tag ?? '' };
    opened.consider();
    await give(200, forged?.body);
    await until(() => faults.length === 1);
    expect(faults[0]).toContain('not what the signed policy names; meanwhile the former ones stay in force');
    expect(redacted('zorbal kwitem')).toMatch(/^NAME/);
    await give(200, second?.body);
    await until(() => loads.length === 2);
    expect(redacted('udoree vaxilm')).toMatch(/^NAME/);
    expect(redacted('ada quill')).toBe('ada quill');
  });

  it.each<readonly [string, () => Buffer]>([
    ['is cut', () => answerOf(tableOf('Ada Quill')).body.subarray(0, -1)],
    ['goes on', () => Buffer.concat([answerOf(tableOf('Ada Quill')).body, Buffer.from('x')])],
    ['has a line without an end', () => Buffer.alloc(64 * 1024, 'x')],
    ['has a head that is none', () => Buffer.from('{"version":1}\n')],
    ['has a table of another key', () => answerOf(tableOf('Ada Quill'), { key: `${SECRET}!` }).body],
    ['has a short key', () => answerOf(tableOf('Ada Quill'), { key: 'short' }).body],
    [
      'has a table larger than there may be',
      () => Buffer.from('{"version":1,"key":"","tables":[{"name":"a","bytes":33554433}]}\n'),
    ],
    ['is empty', () => Buffer.alloc(0)],
  ])('refuses on after an answer that %s', async (_how, make) => {
    const body = make();
    policy = { tag: createHash('sha256').update(body).digest('base64url') };
    const opened = open(door, () => policy);
    await give(200, body);
    await until(() => faults.length === 1);
    expect(() => opened.names()).toThrow(DetectorError);
    expect(faults[0]).toMatch(/^the lists were not taken: .*; meanwhile everything is refused$/);
    expect(JSON.stringify(faults)).not.toContain('Quill');
  });

  it('takes them wherever the answer is cut into pieces', async () => {
    const two = [tableOf('Zorbal Kwitem'), tableOf('Udoree Vaxilm', 'Ada Quill')];
    const tables = two.map(({ length }, at) => ({ name: `${at}.table`, bytes: length }));
    const { body } = answerOf(Buffer.concat(two), { tables });
    policy = { tag: createHash('sha256').update(body).digest('base64url') };
    const opened = open(door, () => policy);
    const { response } = await server.next();
    response.writeHead(200);
    for (let at = 0; at < body.length; at += 61) {
      response.write(body.subarray(at, at + 61));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
    await until(() => !opened.waiting());
    expect(redacted('zorbal kwitem met udoree vaxilm')).toMatch(/^NAME_1a\d\d met NAME_2a\d\d$/);
  });

  it('forgets them when policy names none any more', async () => {
    const { body, tag } = answerOf(tableOf('Zorbal Kwitem'));
    policy = { tag };
    const opened = open(door, () => policy);
    await give(200, body);
    await until(() => !opened.waiting());
    policy = undefined;
    opened.consider();
    expect(opened.names()).toBeUndefined();
    policy = { tag };
    expect(() => opened.names()).toThrow(DetectorError);
  });

  it('refuses for good where there is no controller to have them from', () => {
    policy = { tag: 'x'.repeat(43) };
    const opened = open(null, () => policy);
    expect(() => opened.names()).toThrow(DetectorError);
    expect(opened.waiting()).toBe(true);
    expect(faults).toEqual(['policy names lists, and there is no controller to have them from']);
  });
});
