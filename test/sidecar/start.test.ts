import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { expect, onTestFinished, test, vi } from 'vitest';
import { encodeListsHead } from '#contract/lists-protocol.ts';
import { authorityPaths } from '#contract/pod-paths.ts';
import { makePodAuthority } from '#sidecar/init/pod-authority.ts';
import { writeAuthorityFiles } from '#sidecar/init/trust-files.ts';
import { makeTestAuthority } from '../fake/test-authority.ts';
import { agreement, policyOf } from '../contract/policy-fixture.ts';
import { SECRET, tableBytes } from '../phi/listed-names.ts';
import { BundleServer } from './bundle/bundle-server.ts';
import { makeSigner, signBundle } from './bundle/signed-bundle.ts';

const MAIN = join(import.meta.dirname, '../../sidecar/main.ts');

/** The files that lazaret-init and the kubelet leave for a sidecar. */
async function makeSettings(dir: string, roots: string, key: unknown): Promise<void> {
  const names = ['anthropic.com'];
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  mkdirSync(join(dir, 'ca'));
  mkdirSync(join(dir, 'spool'));
  await writeAuthorityFiles(authorityPaths(join(dir, 'ca')), await makePodAuthority(names, Date.now()), owner, names);
  const publicKey = async (kid: string) => ({
    ...(await exportJWK((await generateKeyPair('ECDH-ES', { extractable: true })).publicKey)),
    kid,
  });
  const keys = [await publicKey('auditor'), await publicKey('escrow')];
  writeFileSync(join(dir, 'recipients'), JSON.stringify({ keys }));
  writeFileSync(join(dir, 'key'), JSON.stringify(key));
  writeFileSync(join(dir, 'roots.pem'), roots);
  writeFileSync(join(dir, 'token'), 'token');
}

function environmentOf(dir: string, url: string, ops: number): Record<string, string> {
  return {
    LAZARET_BUNDLE: join(dir, 'bundle.jws'),
    LAZARET_BUNDLE_KEY: join(dir, 'key'),
    LAZARET_BUNDLE_URL: url,
    LAZARET_BUNDLE_CA: join(dir, 'roots.pem'),
    LAZARET_CA_DIR: join(dir, 'ca'),
    LAZARET_RECIPIENTS: join(dir, 'recipients'),
    LAZARET_SPOOL: join(dir, 'spool'),
    LAZARET_COLLECTOR: 'https://127.0.0.1:1',
    LAZARET_ENROL_TOKEN: join(dir, 'token'),
    LAZARET_RESOLVERS: '127.0.0.1:1',
    LAZARET_LISTEN: '127.0.0.1:0',
    LAZARET_OPS: `127.0.0.1:${ops}`,
    LAZARET_POD_NAMESPACE: 'phi',
    LAZARET_POD_NAME: 'app-0',
    LAZARET_POD_UID: 'uid',
    LAZARET_CHAIN: 'chain-0001',
    LAZARET_ALLOW_MEMORY_SPOOL: 'on',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A sidecar that runs and asks a controller that answers in the test's own time. */
async function startSidecar() {
  const dir = mkdtempSync('/var/tmp/lazaret-start-');
  const authority = await makeTestAuthority();
  const server = new BundleServer(await authority.issue('127.0.0.1'));
  await server.listen();
  const signer = await makeSigner();
  await makeSettings(dir, authority.root, signer.jwk);
  const ops = await freePort();
  const words = ['--disable-warning=ExperimentalWarning', MAIN];
  const env = environmentOf(dir, `https://127.0.0.1:${server.port}`, ops);
  const sidecar = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(sidecar, 'exit');
  onTestFinished(async () => {
    sidecar.kill('SIGKILL');
    await ended;
    await server.close();
    rmSync(dir, { recursive: true });
  });
  let log = '';
  const guarding = new Promise<void>((resolve) => {
    sidecar.stdout.on('data', (bytes: Buffer) => {
      log += bytes.toString();
      if (log.includes('"guarding"')) resolve();
    });
  });
  // An end that the test itself makes is no fault.
  const died = ended.then(() => Promise.reject(new Error(`the sidecar ended: ${log}`)));
  died.catch(() => undefined);
  const first = await Promise.race([server.next(), died]);
  await Promise.race([guarding, died]);
  const ask = (path: string) => fetch(`http://127.0.0.1:${ops}${path}`);
  return { server, signer, first, ask, log: () => log };
}

test('a sidecar is not ready without a policy, and ready with the one that the controller gives it', async () => {
  const { server, signer, first, ask, log } = await startSidecar();
  expect((await ask('/readyz')).status).toBe(503);
  const issuedAt = Date.now();
  first.response.writeHead(200, { etag: '"1"' });
  first.response.end(await signBundle(signer, { serial: { epoch: 1, revision: 42 }, issuedAt }));
  expect((await server.next()).request.headers['if-none-match']).toBe('"1"');
  expect((await ask('/readyz')).status).toBe(200);
  expect(await (await ask('/metrics')).text()).toMatch(/^lazaret_policy_serial 42$/m);
  expect(log()).not.toMatch(/policy bundle|Bearer/);
});

test('a sidecar whose policy names lists is ready when it has them', async () => {
  const { server, signer, first, ask, log } = await startSidecar();
  const table = tableBytes([['name', 'Zorbal Kwitem']]);
  const head = encodeListsHead({ version: 1, key: SECRET, tables: [{ name: 'a.table', bytes: table.length }] });
  const body = Buffer.concat([head, table]);
  const tag = createHash('sha256').update(body).digest('base64url');
  const policy = { ...policyOf(agreement()), lists: { tag } };
  first.response.end(await signBundle(signer, { issuedAt: Date.now(), policy }));
  let asked = await server.next();
  while (asked.request.url !== `/v1/lists/${tag}`) asked = await server.next();
  const waiting = await ask('/readyz');
  expect([waiting.status, await waiting.text()]).toEqual([503, expect.stringContaining('lists')]);
  asked.response.end(body);
  await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(200), 20_000);
  expect(log()).toMatch(/"entities":\{"name":1\}.*lists in force/);
  expect(log()).not.toMatch(/Zorbal|invented secret/);
});
