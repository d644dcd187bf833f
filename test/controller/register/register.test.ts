import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK } from 'jose';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { EXPECTED_PATH, JWKS_PATH } from '#contract/chain-protocol.ts';
import { createCollectorClient } from '#controller/register/collector-client.ts';
import { startRegister } from '#controller/register/register.ts';
import { createRegisterMetrics } from '#controller/register/register-metrics.ts';
import type { SigningKeys } from '#controller/ports.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { startApiServer } from '#test/collector/api-server.ts';
import { makeKeys } from '#test/controller/bundle/serve.ts';
import { FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { evidenceOptions, newChain } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder, runAudit } from '#test/sidecar/audit/rig.ts';

/** A real collector, a controller's keys, and registers that can be started one after the other. */
async function rigOf() {
  const api = await startApiServer();
  const dir = folder();
  const rig = await collectorRig(dir, undefined, api.settings);
  const { port } = await rig.start();
  const view = new FakeCluster();
  const { keys, publicKey } = await makeKeys();
  const { kty, crv, x, y } = await exportJWK(publicKey);
  const signing = {
    keys,
    jwks: JSON.stringify({ keys: [{ kty, crv, x, y, kid: keys.currentKid, alg: 'ES256', use: 'sig' }] }),
  };
  const url = `https://127.0.0.1:${port}`;
  let bearer = api.account('lazaret', 'lazaret-controller');
  const collector = createCollectorClient({ url, ca: () => rig.ca, token: () => Promise.resolve(`${bearer}\n`) });
  const lines: string[] = [];
  const metrics = new Registry();
  const registerMetrics = createRegisterMetrics(metrics);
  const start = async (
    given: { readonly keys: SigningKeys | null; readonly jwks: string } = signing,
    now = () => Date.now(),
  ) => {
    const register = startRegister({
      view,
      keys: () => given.keys,
      jwks: () => given.jwks,
      collector,
      retentionMs: 86_400_000,
      metrics: registerMetrics,
      log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
      now,
      periodMs: 20,
    });
    onTestFinished(() => register.close());
    await register.settled();
    return register;
  };
  const expected = async (): Promise<
    readonly { readonly chain: string; readonly to: string | null; readonly seq: number }[]
  > => {
    const { body } = await collector({ method: 'GET', path: EXPECTED_PATH });
    const { expected: jws } = JSON.parse(body) as { readonly expected: string | null };
    return jws === null ? [] : JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()).chains;
  };
  const runPod = async (name: string, chain = newChain()): Promise<string> => {
    const tokenFile = join(dir, `${name}.token`);
    writeFileSync(tokenFile, api.pod('clinic', 'default', name));
    const audit = await startAudit({
      evidence: evidenceOptions(join(dir, name), { chain, workload: `clinic/default/${name}` }),
      collector: { url, ca: rig.ca, tokenFile },
      onAlert: () => undefined,
    });
    await audit.close(20_000);
    return chain;
  };
  const verify = async () => {
    const { body } = await collector({ method: 'GET', path: JWKS_PATH });
    writeFileSync(join(dir, 'jwks'), body);
    return runAudit('verify', '--store', rig.store, '--trust', join(dir, 'jwks'), '--json');
  };
  return {
    view,
    start,
    expected,
    runPod,
    verify,
    lines,
    metrics,
    rig,
    port,
    setBearer: (token: string) => (bearer = token),
    api,
  };
}

test('the list reaches the collector signed, and the store then verifies with it', async () => {
  const { view, start, expected, runPod, verify } = await rigOf();
  const chain = await runPod('notes-0');
  view.setPod(guardedPod('notes-0', { chain }));
  await start();
  expect(await expected()).toMatchObject([{ chain, to: null }]);
  expect((await expected())[0]?.seq).toBeGreaterThan(0);
  expect(await verify()).toMatchObject({ code: 0, lines: [] });
});

test('a pod whose evidence never came is found by an auditor', async () => {
  const { view, start, runPod, verify } = await rigOf();
  view.setPod(guardedPod('notes-0', { chain: await runPod('notes-0') }));
  view.setPod(guardedPod('silent-0', { createdAt: Date.now() - 3_600_000 }));
  const register = await start();
  view.removePod('clinic', 'silent-0');
  register.close();
  await start();
  const { code, lines } = await verify();
  expect(code).toBe(1);
  expect(lines).toMatchObject([{ finding: 'missing_chain', chain: 'chain-of-silent-0' }]);
});

test('a pod that came and went between two writings stands in the list', async () => {
  const { view, start, expected } = await rigOf();
  await start();
  view.setPod(guardedPod('short-0'));
  await expect.poll(async () => (await expected()).map(({ chain }) => chain)).toEqual(['chain-of-short-0']);
  view.removePod('clinic', 'short-0');
  await expect.poll(async () => (await expected())[0]?.to).toEqual(expect.any(String));
});

test('a restarted controller goes on from the list, and a chain that ended before is not forgotten', async () => {
  const { view, start, expected, lines } = await rigOf();
  view.setPod(guardedPod('gone-0'));
  const first = await start();
  first.close();
  view.removePod('clinic', 'gone-0');
  view.setPod(guardedPod('new-0'));
  await start();
  expect((await expected()).map(({ chain, to }) => [chain, to === null])).toEqual([
    ['chain-of-gone-0', false],
    ['chain-of-new-0', true],
  ]);
  expect(lines).toEqual([]);
});

test('nothing is written while the last list cannot be read', async () => {
  const { view, start, expected, setBearer, api, lines, metrics } = await rigOf();
  view.setPod(guardedPod('gone-0'));
  (await start()).close();
  view.removePod('clinic', 'gone-0');
  setBearer(api.account('lazaret', 'somebody-else'));
  await start();
  expect(lines.join('')).toContain('answered /v1/expected with 403: it does not know us as the controller');
  expect(await metrics.metrics()).toContain('lazaret_register_faults_total');
  setBearer(api.account('lazaret', 'lazaret-controller'));
  await expect.poll(async () => (await expected())[0]?.to).toEqual(expect.any(String));
});

test('nothing is written before the watches have delivered and the keys were read', async () => {
  const { view, start, expected } = await rigOf();
  view.isSynced = false;
  (await start()).close();
  expect(await expected()).toEqual([]);
  view.isSynced = true;
  (await start({ keys: null, jwks: '' })).close();
  expect(await expected()).toEqual([]);
});

test('a list under a key that is gone is kept and told of', async () => {
  const { view, start, expected, lines, rig } = await rigOf();
  view.setPod(guardedPod('gone-0'));
  (await start()).close();
  view.removePod('clinic', 'gone-0');
  const { keys, publicKey } = await makeKeys();
  const { kty, crv, x, y } = await exportJWK(publicKey);
  await start({ keys, jwks: JSON.stringify({ keys: [{ kty, crv, x, y, kid: keys.currentKid }] }) });
  expect((await expected()).map(({ chain }) => chain)).toEqual(['chain-of-gone-0']);
  expect(lines.join('')).toContain('register_not_signed');
  expect(readFileSync(join(rig.store, 'expected.jws'), 'utf8')).toContain('.');
});

test('a collector under another name is not spoken to', async () => {
  const { rig, port } = await rigOf();
  const collector = createCollectorClient({
    url: `https://localhost:${port}`,
    ca: () => rig.ca,
    token: () => Promise.resolve('x'),
  });
  await expect(collector({ method: 'GET', path: EXPECTED_PATH })).rejects.toMatchObject({
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});
