import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { ENROL_PATH } from '#contract/chain-protocol.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { SigningKey } from '#sidecar/audit/signing-key.ts';
import { evidenceOptions, newChain } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder, runAudit } from '#test/sidecar/audit/rig.ts';
import { startApiServer } from './api-server.ts';
import { ask } from './ask.ts';

interface Claim {
  readonly chain: ChainId;
  readonly workload: string;
  readonly bearer: string;
  readonly signing?: SigningKey;
}

async function rigOf() {
  const api = await startApiServer();
  const rig = await collectorRig(folder(), undefined, api.settings);
  const { port } = await rig.start();
  const enrol = ({ chain, workload, bearer, signing = SigningKey.create() }: Claim) => {
    const statement = { v: 1, chain, workload, key: signing.public, iat: 1 };
    const body = signing.sign(SIGNED_TYPE.enrol, JSON.stringify(statement));
    return ask({ port, ca: rig.ca }, { method: 'POST', path: ENROL_PATH, bearer, body });
  };
  return { api, rig, port, enrol };
}

test('a pod that proves itself to the API server enrols under its own name', async () => {
  const { api, enrol, rig } = await rigOf();
  const chain = newChain();
  const bearer = api.pod('clinic', 'triage', 'triage-0');
  expect(await enrol({ chain, workload: 'clinic/triage/triage-0', bearer })).toMatchObject({ status: 200 });
  expect(api.asked).toEqual([
    {
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      bearer: 'Bearer token-of-the-collector',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token: bearer, audiences: ['lazaret.dev'] },
      },
    },
  ]);
  const [head, payload] = readFileSync(join(rig.store, 'chains', chain, 'attestations.jws'), 'utf8').split('.');
  expect(head).not.toBe('');
  expect(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())).toMatchObject({
    chain,
    workload: 'clinic/triage/triage-0',
    pod_uid: 'uid-of-triage-0',
  });
});

test.each([
  ['of another pod', 'clinic/triage/triage-1'],
  ['of another namespace', 'lab/triage/triage-0'],
  ['of another service account', 'clinic/admin/triage-0'],
  ['that leaves out the service account', 'clinic/triage-0'],
  ['that is empty', ''],
])('a pod that claims the name %s is not enrolled', async (_, workload) => {
  const { api, enrol } = await rigOf();
  const bearer = api.pod('clinic', 'triage', 'triage-0');
  expect(await enrol({ chain: newChain(), workload, bearer })).toMatchObject({
    status: 401,
    body: { error: 'identity_not_proven' },
  });
});

test('a token that is bound to no pod, or unknown to the API server, enrols nobody', async () => {
  const { api, enrol } = await rigOf();
  const workload = 'clinic/triage/triage-0';
  expect((await enrol({ chain: newChain(), workload, bearer: api.account('clinic', 'triage') })).status).toBe(401);
  expect((await enrol({ chain: newChain(), workload, bearer: 'made-up' })).status).toBe(401);
});

test('a chain takes the keys of the pod that enrolled first and of no other', async () => {
  const { api, enrol } = await rigOf();
  const chain = newChain();
  const first = { chain, workload: 'clinic/triage/triage-0', bearer: api.pod('clinic', 'triage', 'triage-0') };
  expect((await enrol(first)).status).toBe(200);
  // The container restarted: another key of the same pod.
  expect((await enrol(first)).status).toBe(200);
  const other = { chain, workload: 'clinic/triage/triage-1', bearer: api.pod('clinic', 'triage', 'triage-1') };
  expect(await enrol(other)).toMatchObject({ status: 403, body: { error: 'chain_of_another_pod' } });
  // A later pod of the same name (a StatefulSet) has a chain of its own.
  const later = { ...first, bearer: api.pod('clinic', 'triage', 'triage-0', 'another-uid') };
  expect((await enrol(later)).status).toBe(403);
});

test('a chain stays with its pod when the collector starts again', async () => {
  const { api, enrol, rig, port } = await rigOf();
  const chain = newChain();
  const first = { chain, workload: 'clinic/triage/triage-0', bearer: api.pod('clinic', 'triage', 'triage-0') };
  expect((await enrol(first)).status).toBe(200);
  await rig.stop();
  await rig.start(port);
  const other = { chain, workload: 'clinic/triage/triage-1', bearer: api.pod('clinic', 'triage', 'triage-1') };
  expect((await enrol(other)).status).toBe(403);
  expect((await enrol(first)).status).toBe(200);
});

test.each(['fault', 'nonsense', 'hang'] as const)(
  'an API server that answers with a %s puts an enrolment off and never refuses it',
  async (answer) => {
    const { api, enrol } = await rigOf();
    api.state.answer = answer;
    const claim = {
      chain: newChain(),
      workload: 'clinic/triage/triage-0',
      bearer: api.pod('clinic', 'triage', 'triage-0'),
    };
    expect(await enrol(claim)).toMatchObject({ status: 503, body: { error: 'identity_unavailable' } });
    api.state.answer = 'well';
    expect((await enrol(claim)).status).toBe(200);
  },
);

test('a good answer of the API server is remembered for a short time, a refusal is not', async () => {
  const { api, enrol } = await rigOf();
  const good = {
    chain: newChain(),
    workload: 'clinic/triage/triage-0',
    bearer: api.pod('clinic', 'triage', 'triage-0'),
  };
  await enrol(good);
  await enrol(good);
  expect(api.asked).toHaveLength(1);
  await enrol({ ...good, bearer: 'made-up' });
  await enrol({ ...good, bearer: 'made-up' });
  expect(api.asked).toHaveLength(3);
  api.state.answer = 'fault';
  expect((await enrol(good)).status).toBe(200);
});

test("a sidecar delivers with its pod's token, while the API server is away first", async () => {
  const { api, rig, port } = await rigOf();
  api.state.answer = 'fault';
  const dir = folder();
  const tokenFile = join(dir, 'pod-token');
  writeFileSync(tokenFile, api.pod('clinic', 'default', 'notes-0'));
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool'), { workload: 'clinic/default/notes-0' }),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile },
    onAlert: () => {
      api.state.answer = 'well';
    },
  });
  await vi.waitUntil(() => audit.status().lagSeconds === 0 && api.asked.length > 1, { timeout: 20_000 });
  expect(await audit.close(20_000)).toBe(true);
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines).toEqual([]);
});
