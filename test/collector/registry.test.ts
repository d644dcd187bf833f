import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { ENROL_PATH, EXPECTED_PATH, JWKS_PATH, MANIFEST_PATH } from '#contract/chain-protocol.ts';
import { type PublicKey, SIGNED_TYPE, type SignedType, signCompact, thumbprint } from '#contract/chain-signature.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { evidenceOptions, newChain } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder, runAudit } from '#test/sidecar/audit/rig.ts';
import { startApiServer } from './api-server.ts';
import { ask, type Question } from './ask.ts';

/** The controller: its key, its account, and what it says. */
function controllerOf() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { kty, crv, x, y } as unknown as PublicKey;
  const kid = thumbprint(jwk);
  const sign = (payload: object, type: SignedType = SIGNED_TYPE.expected): string =>
    signCompact(type, JSON.stringify(payload), { key: privateKey, kid });
  return { sign, kid, jwks: { keys: [{ ...jwk, kid }] } };
}

const line = (chain: ChainId, more: object = {}) => ({
  chain,
  pod: 'clinic/notes-0',
  from: '2026-03-01T08:00:00Z',
  to: null,
  seq: 0,
  head: '',
  ...more,
});
const list = (iat: number, ...chains: object[]) => ({ v: 1, iat, chains });

async function rigOf() {
  const api = await startApiServer();
  const dir = folder();
  const rig = await collectorRig(dir, undefined, api.settings);
  let { port } = await rig.start();
  const bearer = api.account('lazaret', 'lazaret-controller');
  const asked = (question: Question) => ask({ port, ca: rig.ca }, { bearer, ...question });
  const restart = async (): Promise<void> => {
    await rig.stop();
    ({ port } = await rig.start());
  };
  const put = (body: object) => asked({ method: 'PUT', path: EXPECTED_PATH, body: JSON.stringify(body) });
  /** A pod that proves itself, records and ends in order. */
  const runPod = async (chain: ChainId, name: string, thief = false): Promise<boolean> => {
    const alerted = Promise.withResolvers<void>();
    const tokenFile = join(dir, `${name}.token`);
    writeFileSync(tokenFile, api.pod('clinic', 'default', name));
    const audit = await startAudit({
      evidence: evidenceOptions(join(dir, name), { chain, workload: `clinic/default/${name}` }),
      collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile },
      onAlert: () => alerted.resolve(),
    });
    if (thief) await alerted.promise;
    return audit.close(thief ? 10 : 20_000);
  };
  return { api, dir, rig, asked, put, restart, runPod };
}

test('the list of the controller is kept, survives a restart, and is given back to the controller alone', async () => {
  const { api, asked, put, restart } = await rigOf();
  const controller = controllerOf();
  expect((await asked({ method: 'GET', path: EXPECTED_PATH })).body).toEqual({ expected: null });
  expect((await asked({ method: 'GET', path: MANIFEST_PATH })).body).toEqual({ manifest: null });
  const expected = controller.sign(list(100, line(newChain())));
  expect(await put({ expected, jwks: controller.jwks })).toEqual({ status: 200, body: { chains: 1 } });
  await restart();
  expect(await asked({ method: 'GET', path: EXPECTED_PATH })).toEqual({ status: 200, body: { expected } });
  const strangers = [
    api.account('lazaret', 'lazaret-collector'),
    api.account('clinic', 'lazaret-controller'),
    api.pod('clinic', 'default', 'notes-0'),
    'made-up',
  ];
  for (const bearer of strangers)
    for (const question of [
      { method: 'GET', path: EXPECTED_PATH },
      { method: 'GET', path: MANIFEST_PATH },
      { method: 'PUT', path: EXPECTED_PATH, body: JSON.stringify({ expected, jwks: controller.jwks }) },
    ])
      expect(await asked({ ...question, bearer })).toEqual({ status: 403, body: { error: 'controller_only' } });
});

test('a list that is older, unsigned, signed by another or of another type is not taken', async () => {
  const { asked, put } = await rigOf();
  const controller = controllerOf();
  const expected = controller.sign(list(100, line(newChain())));
  expect((await put({ expected })).body).toEqual({ error: 'unknown_key' });
  await put({ expected, jwks: controller.jwks });
  const stranger = controllerOf();
  const refused: readonly (readonly [object, string])[] = [
    [{ expected: controller.sign(list(99)) }, 'older_list'],
    [{ expected: stranger.sign(list(200)) }, 'unknown_key'],
    [{ expected: controller.sign(list(200), SIGNED_TYPE.manifest) }, 'unreadable_statement'],
    [{ expected: `${expected.slice(0, -4)}AAAA` }, 'bad_signature'],
    [{ expected: controller.sign({ chains: [] }) }, 'unreadable_statement'],
    [{ expected: controller.sign(list(200, line('../x' as ChainId))) }, 'unreadable_statement'],
    [{ list: [] }, 'unreadable_statement'],
    // A key under the id of another.
    [
      { expected: stranger.sign(list(200)), jwks: { keys: [{ ...stranger.jwks.keys[0], kid: controller.kid }] } },
      'unknown_key',
    ],
  ];
  for (const [body, error] of refused) expect((await put(body)).body).toEqual({ error });
  expect((await asked({ method: 'GET', path: EXPECTED_PATH })).body).toEqual({ expected });
});

test('the published keys hold the controller’s for its lists only, and pods are given the collector’s alone', async () => {
  const { rig, asked, put, restart } = await rigOf();
  const controller = controllerOf();
  await put({ expected: controller.sign(list(100)), jwks: controller.jwks });
  const next = controllerOf();
  await put({ expected: next.sign(list(200)), jwks: { keys: [...controller.jwks.keys, ...next.jwks.keys] } });
  await restart();
  const { keys } = (await asked({ method: 'GET', path: JWKS_PATH })).body as {
    keys: { kid: string; signs?: string[] }[];
  };
  expect(keys.map(({ kid, signs }) => [kid, signs])).toEqual([
    [controller.kid, ['lazaret-expected']],
    [next.kid, ['lazaret-expected']],
    [expect.any(String), undefined],
  ]);
  expect(JSON.parse(readFileSync(join(rig.store, 'jwks.json'), 'utf8'))).toEqual({ keys });
});

test('only so many keys of controllers stay published, the newest', async () => {
  const { asked, put } = await rigOf();
  const controllers = Array.from({ length: 10 }, controllerOf);
  for (const [at, { sign, jwks }] of controllers.entries()) await put({ expected: sign(list(at)), jwks });
  const { keys } = (await asked({ method: 'GET', path: JWKS_PATH })).body as {
    keys: { kid: string; signs?: string[] }[];
  };
  const kids = keys.filter(({ signs }) => signs !== undefined).map(({ kid }) => kid);
  expect(kids).toEqual(controllers.slice(2).map(({ kid }) => kid));
});

test('a chain that the controller gave to a pod takes no key of another', async () => {
  const { rig, put, runPod } = await rigOf();
  const controller = controllerOf();
  const chain = newChain();
  await put({ expected: controller.sign(list(100, line(chain, { pod: 'clinic/notes-0' }))), jwks: controller.jwks });
  expect(await runPod(chain, 'thief-0', true)).toBe(false);
  expect(await runPod(chain, 'notes-0')).toBe(true);
  expect(
    readFileSync(join(rig.store, 'chains', chain, 'attestations.jws'), 'utf8')
      .trim()
      .split('\n'),
  ).toHaveLength(1);
});

/** A store with one chain of a pod, and the list that names it and another. */
async function expectingStore() {
  const rig = await rigOf();
  const controller = controllerOf();
  const [here, gone] = [newChain(), newChain()];
  expect(await rig.runPod(here, 'notes-0')).toBe(true);
  const manifest = String((await rig.asked({ method: 'GET', path: MANIFEST_PATH })).body['manifest']);
  const claim = JSON.parse(Buffer.from(manifest.split('.')[1] ?? '', 'base64url').toString()) as {
    chains: { chain: string; seq: number; head: string }[];
  };
  expect(claim.chains.map(({ chain }) => chain)).toEqual([here]);
  const { seq, head } = claim.chains[0]!;
  const jwks = join(rig.dir, 'trusted.jwks');
  const at = Date.parse('2026-03-01T12:00:00Z') / 1_000;
  /** Puts a list, and verifies the store from its files and the keys that an auditor fetched. */
  const verify = async (...chains: object[]) => {
    const expected = controller.sign(list(at, ...chains));
    expect((await rig.put({ expected, jwks: controller.jwks })).status).toBe(200);
    writeFileSync(jwks, JSON.stringify((await rig.asked({ method: 'GET', path: JWKS_PATH })).body));
    const { store } = rig.rig;
    const { code, lines } = await runAudit(
      'verify',
      '--store',
      store,
      '--trust',
      jwks,
      '--expect',
      join(store, 'expected.jws'),
      '--json',
    );
    // The store's own list is used where none is named.
    expect(await runAudit('verify', '--store', store, '--trust', jwks, '--json')).toMatchObject({ code, lines });
    return { code, lines: lines.map(({ finding, chain, detail }) => [finding, chain, detail]) };
  };
  return { ...rig, controller, here, gone, jwks, verify, head: { seq, head } };
}

test('a store with every chain that the controller expects verifies from its files and the published keys', async () => {
  const { verify, here, head } = await expectingStore();
  expect(await verify(line(here, { ...head }))).toEqual({ code: 0, lines: [] });
  expect(await verify(line(here, { ...head, to: '2026-03-01T09:00:00Z' }))).toEqual({ code: 0, lines: [] });
});

test('an expected chain that is missing is found with the name of its pod', async () => {
  const { verify, here, gone, head } = await expectingStore();
  const ended = line(gone, { pod: 'clinic/intake-7', seq: 5, head: 'A'.repeat(43), to: '2026-03-01T09:00:00Z' });
  expect(await verify(line(here, head), ended)).toEqual({
    code: 1,
    lines: [['missing_chain', gone, 'the whole chain of the pod clinic/intake-7 is missing; it goes on to record 5']],
  });
});

test('a pod that lives and never sent is found, unless it had just begun', async () => {
  const { verify, here, gone, head } = await expectingStore();
  const silent = line(gone, { pod: 'clinic/intake-7' });
  expect(await verify(line(here, head), silent)).toEqual({
    code: 1,
    lines: [
      [
        'missing_chain',
        gone,
        'the whole chain of the pod clinic/intake-7 is missing: the pod lives and never sent a record',
      ],
    ],
  });
  const ended = { ...silent, to: '2026-03-01T09:00:00Z' };
  expect(await verify(line(here, head), ended)).toEqual({
    code: 1,
    lines: [
      [
        'missing_chain',
        gone,
        'the whole chain of the pod clinic/intake-7 is missing: the pod lived and ended, and never sent a record',
      ],
    ],
  });
  const young = { ...silent, from: '2026-03-01T11:56:00Z' };
  expect(await verify(line(here, head), young)).toMatchObject({
    code: 0,
    lines: [['not_yet_shipped', gone, expect.any(String)]],
  });
});

test('a stored chain that goes on further in the controller’s list is found as cut', async () => {
  const { verify, here, head } = await expectingStore();
  expect(await verify(line(here, { seq: head.seq + 3, head: 'A'.repeat(43) }))).toMatchObject({
    code: 1,
    lines: [['truncated_tail', here, expect.stringContaining('expectation')]],
  });
});

test('keys that were attested for another pod than the controller names are not trusted', async () => {
  const { verify, here, head } = await expectingStore();
  expect(await verify(line(here, { ...head, pod: 'clinic/other-0' }))).toMatchObject({
    code: 1,
    lines: [
      ['untrusted_key', here, 'a key was attested for another pod than the controller gave the chain to'],
      ['untrusted_key', here, 'the collector never attested the key of a process'],
    ],
  });
});

test('a chain removed with its line in the manifest is missed, because the controller signed for it', async () => {
  const { verify, rig, here, head } = await expectingStore();
  rmSync(join(rig.store, 'chains', here), { recursive: true });
  rmSync(join(rig.store, 'manifest.jws'));
  expect(await verify(line(here, head))).toMatchObject({
    code: 1,
    lines: [['missing_chain', here, expect.any(String)]],
  });
});

test('a receipt, manifest or attestation that the controller’s key signed is a bad signature', async () => {
  const { verify, controller, rig, here, head, jwks } = await expectingStore();
  await verify(line(here, head));
  for (const [name, type] of [
    ['manifest.jws', SIGNED_TYPE.manifest],
    [`chains/${here}/receipt.jws`, SIGNED_TYPE.receipt],
    [`chains/${here}/attestations.jws`, SIGNED_TYPE.attestation],
  ] as const) {
    const path = join(rig.store, name);
    const before = readFileSync(path, 'utf8');
    const payload = JSON.parse(Buffer.from(before.split('.')[1] ?? '', 'base64url').toString()) as object;
    writeFileSync(path, `${controller.sign(payload, type)}\n`);
    const { lines } = await runAudit('verify', '--store', rig.store, '--trust', jwks, '--json');
    expect(lines.map(({ finding }) => finding)).toContain('bad_signature');
    writeFileSync(path, before);
  }
  expect((await runAudit('verify', '--store', rig.store, '--trust', jwks)).code).toBe(0);
});

test('a stranger is refused before the body is read, however long it is', async () => {
  const { asked, api } = await rigOf();
  const body = 'x'.repeat(4 * 1024 * 1024);
  const bearer = api.pod('clinic', 'default', 'notes-0');
  expect((await asked({ method: 'PUT', path: EXPECTED_PATH, bearer, body })).status).toBe(403);
  expect((await asked({ method: 'POST', path: ENROL_PATH, bearer, body: 'x'.repeat(17 * 1024) })).status).toBe(413);
});

test('of lists that are put at the same time the newest stays', async () => {
  const { asked, put } = await rigOf();
  const controller = controllerOf();
  const lists = [101, 105, 103, 104, 102].map((iat) => controller.sign(list(iat)));
  await Promise.all(lists.map((expected) => put({ expected, jwks: controller.jwks })));
  expect((await asked({ method: 'GET', path: EXPECTED_PATH })).body).toEqual({ expected: lists[1] });
});

test('without a controller there is no door for it', async () => {
  const rig = await collectorRig(folder());
  const { port } = await rig.start();
  for (const question of [
    { method: 'GET', path: EXPECTED_PATH },
    { method: 'PUT', path: EXPECTED_PATH, body: '{}' },
    { method: 'GET', path: MANIFEST_PATH },
  ])
    expect((await ask({ port, ca: rig.ca }, { ...question, bearer: 'anybody' })).status).toBe(404);
});
