import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BundlePayload } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Bundle } from '#sidecar/bundle/bundle.ts';
import { openBundle } from '#sidecar/bundle/bundle.ts';
import { NOW } from '../../contract/policy-fixture.ts';
import { makeTestAuthority, type TestAuthority } from '../../fake/test-authority.ts';
import { BundleServer, lookupLoopback } from './bundle-server.ts';
import { makeSigner, signBundle, type Signer } from './signed-bundle.ts';

const NAME = 'lazaret-controller.lazaret.svc';
const TOKEN = 'header.payload.signature-of-the-pod';

let dir: string;
let signer: Signer;
let authority: TestAuthority;
let server: BundleServer;
let faults: string[];
let told: (() => void)[];
let opened: Bundle[];
let servers: BundleServer[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-follow-'));
  signer = await makeSigner();
  authority = await makeTestAuthority();
  [faults, told, opened, servers] = [[], [], [], []];
  server = await startServer(authority, NAME);
  await writeFile(join(dir, 'key'), JSON.stringify(signer.jwk));
  await writeFile(join(dir, 'token'), `${TOKEN}\n`);
});

afterEach(async () => {
  for (const bundle of opened) bundle.close();
  for (const running of servers) await running.close();
  // A bundle that was put in force last may still be on its way to its file.
  await rm(dir, { recursive: true, maxRetries: 5 });
});

async function startServer(by: TestAuthority, name: string): Promise<BundleServer> {
  const started = new BundleServer(await by.issue(name));
  await started.listen();
  servers.push(started);
  return started;
}

async function open({ at = server, roots = authority.root, file = join(dir, 'bundle') } = {}): Promise<Bundle> {
  const bundle = await openBundle({
    file,
    keyFile: join(dir, 'key'),
    now: () => NOW,
    onFault: (sentence) => {
      faults.push(sentence);
      for (const tell of told.splice(0)) tell();
    },
    server: { url: `https://${NAME}:${at.port}`, roots, tokenFile: join(dir, 'token'), lookup: lookupLoopback },
    retryMs: 5,
  });
  opened.push(bundle);
  return bundle;
}

const revision = (number: number, more: Partial<BundlePayload> = {}, by = signer): Promise<string> =>
  signBundle(by, { serial: { epoch: 1, revision: number }, ...more });
const nextFault = (): Promise<void> => new Promise((resolve) => told.push(resolve));
const kept = (): Promise<string> => readFile(join(dir, 'bundle'), 'utf8');

/** Has a bundle in force. */
async function takeFirst(text: string, at = server): Promise<Bundle> {
  const bundle = await open({ at });
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  await at.answer(200, text, { etag: '"first"' });
  await changed;
  return bundle;
}

it('a pod that starts asks for a bundle with its token and puts it in force', async () => {
  const bundle = await open();
  expect(bundle.state()).toBe('missing');
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  const { url, headers } = await server.answer(200, await revision(7), { 'content-type': 'application/jose' });
  await changed;
  expect(bundle.payload()?.serial.revision).toBe(7);
  expect(url).toBe(`/v1/bundle?wait=${LIMIT.bundleWaitMs / 1_000}`);
  expect(headers).toMatchObject({ authorization: `Bearer ${TOKEN}`, host: `${NAME}:${server.port}` });
  expect(headers).not.toHaveProperty('if-none-match');
  expect(faults).toEqual([]);
});

it('then it waits at the server with what it has, and a new bundle is in force when it is answered', async () => {
  const bundle = await takeFirst(await revision(1));
  const { request, response } = await server.next();
  expect(request.url).toContain('&after=1.1');
  expect(request.headers['if-none-match']).toBe('"first"');
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  response.writeHead(200, { etag: 'no entity tag' }).end(await revision(2));
  await changed;
  expect(bundle.payload()?.serial.revision).toBe(2);
  const { url, headers } = await server.answer(204);
  expect(url).toContain('&after=1.2');
  expect(headers).not.toHaveProperty('if-none-match');
});

it('nothing new is no fault, and it asks again', async () => {
  const text = await revision(1);
  const bundle = await takeFirst(text);
  const before = bundle.payload();
  for (const status of [204, 304, 204]) await server.answer(status);
  expect((await server.next()).request.headers['if-none-match']).toBe('"first"');
  expect(bundle.payload()).toBe(before);
  expect(faults).toEqual([]);
});

it('the token is read anew for each request', async () => {
  await takeFirst(await revision(1));
  const { response } = await server.next();
  await writeFile(join(dir, 'token'), 'rotated');
  response.writeHead(204).end();
  expect((await server.next()).request.headers.authorization).toBe('Bearer rotated');
});

it.each([
  ['no file', null],
  ['an empty one', ''],
  ['line breaks in it', 'a\nx-header: b'],
  ['too much of it', 'x'.repeat(LIMIT.tokenBytes + 1)],
])('without a token (%s) nothing is asked, and it is told', async (_case, text) => {
  if (text === null) await rm(join(dir, 'token'));
  else await writeFile(join(dir, 'token'), text);
  const first = nextFault();
  await open();
  await first;
  expect(faults).toEqual(['The policy bundle was not taken: the token file of this pod holds no token.']);
  await writeFile(join(dir, 'token'), TOKEN);
  expect((await server.next()).request.headers.authorization).toBe(`Bearer ${TOKEN}`);
});

it('a sidecar that starts again has its last good bundle while the server is away', async () => {
  const first = await takeFirst(await revision(3));
  await server.next();
  first.close();
  await server.close();
  const again = await open();
  expect(again.payload()?.serial.revision).toBe(3);
  expect(faults).toEqual([]);
});

it('a sidecar that starts again does not go back behind its last bundle', async () => {
  const first = await takeFirst(await revision(3));
  await server.next();
  first.close();
  const again = await open();
  expect((await server.next()).request.url).toContain('after=1.3');
  expect(again.state()).toBe('current');
});

it('a sidecar that starts again after a change of keys verifies by the key that it had learned', async () => {
  const next = await makeSigner();
  const first = await takeFirst(await revision(1, { nextKey: next.jwk }));
  const changed = new Promise((resolve) => first.onChange(resolve));
  await server.answer(200, await revision(2, {}, next));
  await changed;
  await server.next();
  first.close();
  const again = await open();
  expect(again.payload()?.serial.revision).toBe(2);
  const later = new Promise((resolve) => again.onChange(resolve));
  await server.answer(200, await revision(3, {}, next));
  await later;
  expect(faults).toEqual([]);
});

it('a kept file that somebody damaged is no policy, and the server heals it', async () => {
  await writeFile(join(dir, 'bundle'), (await revision(1)).slice(0, -3));
  const bundle = await open();
  expect(bundle.state()).toBe('missing');
  expect(faults).toHaveLength(1);
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  const good = await revision(2);
  await server.answer(200, good);
  await changed;
  await server.next();
  expect(await kept()).toBe(good);
});

it('a bundle that cannot be kept is in force all the same, and it is told', async () => {
  const bundle = await open({ file: join(dir, 'nowhere', 'bundle') });
  const fault = nextFault();
  await server.answer(200, await revision(1));
  await fault;
  expect(bundle.state()).toBe('current');
  expect(faults).toEqual([expect.stringMatching(/could not be kept/)]);
});

type Lie = readonly [what: string, status: number, body: () => Promise<string> | string, why: RegExp];
const LIES: readonly Lie[] = [
  ['401', 401, () => 'no', /does not take this pod's token \(401\)/],
  ['403', 403, () => 'no', /not guarded \(403\)/],
  ['404', 404, () => 'no', /status 404/],
  ['500', 500, () => 'no', /status 500/],
  ['503', 503, () => 'no', /not ready \(503\)/],
  ['a redirect', 302, () => 'no', /status 302/],
  ['noise', 200, () => 'noise', /no trusted key/],
  ['nothing', 200, () => '', /no trusted key/],
  ['a lower serial', 200, () => revision(4), /serial 1\.4 is lower than 1\.5/],
  ['another signer', 200, async () => revision(6, {}, await makeSigner()), /no trusted key/],
  ['too much', 200, () => 'x'.repeat(LIMIT.bundleBytes + 1), /more than 4194304 bytes/],
];

it.each(LIES)(
  'a server that answers with %s changes nothing, is told of once, and is asked again',
  async (_what, status, body, why) => {
    const good = await revision(5);
    const bundle = await takeFirst(good);
    const before = bundle.payload();
    const text = await body();
    for (let round = 0; round < 3; round++) await server.answer(status, text, { location: 'https://127.0.0.1:1/' });
    await server.next();
    expect(bundle.payload()).toBe(before);
    expect(await kept()).toBe(good);
    expect(faults).toEqual([expect.stringMatching(why)]);
    expect(faults.join()).not.toContain(TOKEN);
  },
);

it('a fault that comes again after all was well is told again', async () => {
  await takeFirst(await revision(1));
  for (const status of [500, 204, 500]) await server.answer(status);
  await server.next();
  expect(faults).toHaveLength(2);
});

it('an answer that breaks off changes nothing, and the next one counts', async () => {
  const bundle = await takeFirst(await revision(1));
  const text = await revision(2);
  const { response } = await server.next();
  response.writeHead(200, { 'content-length': text.length });
  response.write(text.slice(0, 40), () => response.destroy());
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  await server.answer(200, text);
  await changed;
  expect(bundle.payload()?.serial.revision).toBe(2);
  expect(faults).toEqual([expect.stringMatching(/the controller gave none \(\w+\)/)]);
});

it.each([
  ['of another authority', async () => startServer(await makeTestAuthority('Another root'), NAME)],
  ['with another name', () => startServer(authority, 'other.lazaret.svc')],
])('a server %s learns no token and gives no policy', async (_case, start) => {
  const liar = await start();
  const fault = nextFault();
  const bundle = await open({ at: liar });
  await fault;
  expect(bundle.state()).toBe('missing');
  expect(faults).toEqual([expect.stringMatching(/the controller gave none \([A-Z_]+\)/)]);
  let asked = false;
  void liar.next().then(() => {
    asked = true;
  });
  await liar.close();
  expect(asked).toBe(false);
});

it('either authority is trusted while one takes over from the other', async () => {
  const next = await makeTestAuthority('The next root');
  for (const by of [authority, next]) {
    const running = await startServer(by, NAME);
    const bundle = await open({ at: running, roots: authority.root + next.root });
    expect((await running.next()).request.headers.authorization).toBe(`Bearer ${TOKEN}`);
    bundle.close();
  }
});

it('a server that comes back is found', async () => {
  const { port } = server;
  await server.close();
  const fault = nextFault();
  const bundle = await open();
  await fault;
  expect(faults).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
  const back = new BundleServer(await authority.issue(NAME));
  await back.listen(port);
  servers.push(back);
  const changed = new Promise((resolve) => bundle.onChange(resolve));
  await back.answer(200, await revision(1));
  await changed;
  expect(bundle.state()).toBe('current');
});

it('a closed bundle asks no more', async () => {
  const bundle = await takeFirst(await revision(1));
  const { request, response } = await server.next();
  const gone = new Promise((resolve) => request.once('close', resolve));
  bundle.close();
  await gone;
  expect(response.writableEnded).toBe(false);
  expect((await readdir(dir)).filter((name) => name.endsWith('.new'))).toEqual([]);
});
