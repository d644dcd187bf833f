import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS, runCommand } from '#cli/command.ts';
import type { ChainId } from '#contract/brand.ts';
import type { ConnectionRecordFacts } from '#contract/record.ts';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';
import { memoryIo } from './memory-io.ts';

let store: string;
let auditor: string;
let stranger: string;

async function pair(kid: string) {
  const made = await generateKeyPair('ECDH-ES+A256KW', { crv: 'P-256', extractable: true });
  const [secret, open] = await Promise.all([exportJWK(made.privateKey), exportJWK(made.publicKey)]);
  return { secret: JSON.stringify({ ...secret, kid }), open: { ...open, kid, use: 'enc', alg: 'ECDH-ES+A256KW' } };
}

const base: ConnectionRecordFacts = {
  connection: 0,
  decision: 'splice',
  reason: null,
  host: null,
  listed: false,
  address: '198.51.100.7',
  port: 443,
};

// What a workload under a monitor grant leaves behind, written by the sidecar's own evidence.
const USED: readonly Partial<ConnectionRecordFacts>[] = [
  { host: 'packages.example.org', listed: true },
  { host: 'registry.example', reason: 'destination_not_allowed' },
  { host: 'registry.example', reason: 'destination_not_allowed' },
  { host: 'api.mistral.ai', reason: 'provider_not_approved' },
  { decision: 'opaque', reason: 'destination_not_allowed', port: 5432 },
];

beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), 'lazaret-suggest-'));
  const [first, second, other] = await Promise.all([pair('auditor-1'), pair('escrow-1'), pair('other-1')]);
  auditor = first.secret;
  stranger = other.secret;
  const chain = 'chain-of-a-test' as ChainId;
  const dir = join(store, 'chains', chain);
  await mkdir(dir, { recursive: true });
  const evidence = await openEvidence({
    dir,
    chain,
    workload: 'phi/default/triage',
    version: '0.1.0',
    config: 'x'.repeat(43),
    recipients: parseRecipients(JSON.stringify({ keys: [first.open, second.open] })),
    allowMemory: true,
  });
  USED.forEach((facts, connection) => evidence.connection({ ...base, ...facts, connection }));
  await evidence.close();
});

afterAll(async () => {
  await rm(store, { recursive: true });
});

async function suggest(...more: readonly string[]) {
  const world = memoryIo({ auditor, stranger, noise: '{}' });
  const code = await runCommand(['policy', 'suggest', '--store', store, ...more], world.io, COMMANDS);
  return { code, out: world.out(), err: world.err() };
}

const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

test('with the auditor’s key every destination of a monitored workload is named, with what policy lacks', async () => {
  const { code, out } = await suggest('--key', 'auditor', '--json');
  expect(code).toBe(0);
  expect(lines(out)).toEqual([
    { host: 'registry.example', port: 443, connections: 2, needs: 'destination' },
    { host: 'packages.example.org', port: 443, connections: 1, needs: 'nothing' },
    { host: 'api.mistral.ai', port: 443, connections: 1, needs: 'agreement' },
    { host: null, port: 5432, connections: 1, needs: 'destination' },
  ]);
});

test.each([[[]], [['--key', 'stranger']]])(
  'without the auditor’s key (%j) a name that policy does not list stays sealed',
  async (key) => {
    const { out } = await suggest('--json', ...key);
    expect(out).toContain('packages.example.org');
    expect(out).not.toContain('registry');
    expect(out).not.toContain('mistral');
  },
);

test('in words it says what to write', async () => {
  const { out, err } = await suggest('--key', 'auditor');
  expect(out).toContain('registry.example:443  2  needs an entry in egress.destinations');
  expect(out).toContain('api.mistral.ai:443  1  needs a ProviderAgreement');
  expect(err).toBe('');
});

test('a directory that is no store and a key that is none are told in one sentence', async () => {
  const world = memoryIo({});
  expect(await runCommand(['policy', 'suggest', '--store', join(store, 'nothing')], world.io, COMMANDS)).toBe(2);
  expect(world.err()).toContain('is not an evidence store');
  expect((await suggest('--key', 'noise')).err).toContain('is not a private JWK');
});
