import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS, runCommand } from '#cli/command.ts';
import { openBundle } from '#sidecar/bundle/bundle.ts';
import type { Spec } from '../contract/policy-fixture.ts';
import { agreement, contract, egressPolicy, exemption, match, values } from '../contract/policy-fixture.ts';
import { memoryIo } from './memory-io.ts';

type World = ReturnType<typeof memoryIo>;

function run(world: World, line: string, ...more: readonly string[]): Promise<number> {
  return runCommand(['policy', ...line.split(' '), ...more], world.io, COMMANDS);
}

async function worldWith(...documents: readonly Spec[]): Promise<World> {
  const world = memoryIo({ source: JSON.stringify(documents) });
  expect(await run(world, 'key --out keys')).toBe(0);
  return world;
}

const SIGN = 'sign --key keys/policy.private.jwk --out bundle';

test('key makes a pair, the private one readable by its owner only, and never overwrites one', async () => {
  const world = await worldWith(values({}));
  expect(world.modes.get('keys/policy.private.jwk')).toBe(0o600);
  expect(JSON.parse(world.files['keys/policy.public.jwk'] ?? '')).not.toHaveProperty('d');
  const before = world.files['keys/policy.private.jwk'];
  expect(await run(world, 'key --out keys')).toBe(2);
  expect(world.files['keys/policy.private.jwk']).toBe(before);
});

test('what sign makes is what the sidecar takes', async () => {
  const world = await worldWith(agreement(), values({ egress: { destinations: ['example.org'] } }));
  expect(await run(world, `${SIGN} --serial 3.14 source`)).toBe(0);
  const dir = await mkdtemp(join(tmpdir(), 'lazaret-sign-'));
  await writeFile(join(dir, 'bundle'), world.files['bundle'] ?? '');
  await writeFile(join(dir, 'key'), world.files['keys/policy.public.jwk'] ?? '');
  const bundle = await openBundle({ file: join(dir, 'bundle'), keyFile: join(dir, 'key'), now: Date.now });
  bundle.close();
  await rm(dir, { recursive: true });
  expect(bundle.payload()?.serial).toEqual({ epoch: 3, revision: 14 });
  expect(bundle.current()?.agreements.map(({ id }) => id)).toEqual(['anthropic-api']);
});

test('sign prints the bundle when no file is named, and verify reads it', async () => {
  const world = await worldWith(agreement());
  expect(await run(world, 'sign --key keys/policy.private.jwk --serial 1.2 source')).toBe(0);
  world.files['bundle'] = world.out();
  const reader = memoryIo(world.files);
  expect(await run(reader, 'verify --key keys/policy.public.jwk --json bundle')).toBe(0);
  expect(JSON.parse(reader.out())).toMatchObject({ serial: '1.2', stale: false, agreements: ['anthropic-api'] });
});

test('a later signature without --serial has a higher revision', async () => {
  const world = await worldWith(agreement());
  const revisions: number[] = [];
  for (const _ of [1, 2]) {
    await run(world, `${SIGN} source`);
    const payload = JSON.parse(
      Buffer.from((world.files['bundle'] ?? '').split('.')[1] ?? '', 'base64url').toString(),
    ) as { serial: { revision: number } };
    revisions.push(payload.serial.revision);
  }
  expect(revisions[1]).toBeGreaterThanOrEqual(revisions[0] ?? Number.POSITIVE_INFINITY);
});

test('verify exits 1 for another signer and for a changed bundle', async () => {
  const world = await worldWith(agreement());
  await run(world, `${SIGN} source`);
  await run(world, 'key --out others');
  expect(await run(world, 'verify --key others/policy.public.jwk bundle')).toBe(1);
  const [head, , signature] = (world.files['bundle'] ?? '').split('.');
  world.files['bundle'] = [head, Buffer.from('{"version":1}').toString('base64url'), signature].join('.');
  expect(await run(world, 'verify --key keys/policy.public.jwk bundle')).toBe(1);
});

test.each([
  ['sign source', '--key is required'],
  ['sign --key keys/policy.public.jwk source', '--key must be a private key'],
  ['sign --key source source', 'is not an EC key on P-256'],
  ['sign --key nowhere source', 'nowhere cannot be read'],
  ['sign --key keys/policy.private.jwk', 'name exactly one SOURCE'],
  ['sign --key keys/policy.private.jwk --serial 1 source', '--serial takes EPOCH.REVISION'],
  ['sign --kee x source', "Unknown option '--kee'"],
  ['explain --policy source', '--host is required'],
  ['explain --policy source --host https://x', '--host takes a host name'],
  ['explain --policy source --host x.org --path v1', '--path begins with'],
  ['explain --policy source --host x.org --at yesterday', '--at takes a date'],
  ['explain --policy source --host api.anthropic.com --header x', '--label and --header take KEY=VALUE'],
  ['destroy', 'lazaret policy takes sign'],
])('policy %s: one sentence and exit code 2', async (line, sentence) => {
  const world = await worldWith(agreement());
  expect(await run(world, line)).toBe(2);
  expect(world.err()).toContain(sentence);
  expect(world.err().trim().split('\n')).toHaveLength(1);
});

test('a faulty source is not signed, and every fault is one line', async () => {
  const world = await worldWith(agreement({ product: 7 }), exemption({ monitor: true }, { until: '2027-01-01' }));
  expect(await run(world, `${SIGN} source`)).toBe(2);
  expect(world.err().trim().split('\n')).toHaveLength(2);
  expect(world.files).not.toHaveProperty('bundle');
});

test('a source for several namespaces, or with pod selectors, is not signed without saying for whom', async () => {
  const several = await worldWith(egressPolicy({}, 'a', 'one'), egressPolicy({}, 'b', 'two'));
  expect(await run(several, `${SIGN} source`)).toBe(2);
  expect(await run(several, `${SIGN} --namespace one source`)).toBe(0);
  const selective = await worldWith(egressPolicy({ podSelector: { matchLabels: { app: 'x' } }, maxIdentifiers: 3 }));
  expect(await run(selective, `${SIGN} source`)).toBe(2);
  expect(await run(selective, `${SIGN} --label app=x source`)).toBe(0);
  expect(Buffer.from((selective.files['bundle'] ?? '').split('.')[1] ?? '', 'base64url').toString()).toContain(
    '"maxIdentifiers":3',
  );
});

interface Answer {
  readonly decision: string;
  readonly reason: string | null;
  readonly agreement: string | null;
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
}

const KEY = ['--header', 'x-api-key=sk-ant-api03-x'] as const;
const MESSAGES =
  'explain --policy source --json --at 2026-11-22 --host api.anthropic.com --method POST --path /v1/messages';

async function explain(
  documents: readonly Spec[],
  line: string,
  ...more: readonly string[]
): Promise<Answer & { readonly code: number }> {
  const world = await worldWith(...documents);
  const code = await run(world, line, ...more);
  return { ...(JSON.parse(world.out()) as Answer), code };
}

test('explain answers with decision, reason, agreement and checks in the order of the door', async () => {
  const world = await worldWith(agreement());
  expect(await run(world, MESSAGES, ...KEY)).toBe(0);
  expect(Object.keys(JSON.parse(world.out()) as Answer)).toEqual(['decision', 'reason', 'agreement', 'checks']);
});

const EXPLAINED: readonly (readonly [
  what: string,
  decision: string,
  reason: string | null,
  documents: readonly Spec[],
  line: string,
  more: readonly string[],
])[] = [
  ['a covered call', 'allow', null, [agreement()], MESSAGES, KEY],
  ['no key', 'refuse', 'credential_not_covered', [agreement()], MESSAGES, []],
  [
    'a plan token',
    'refuse',
    'credential_not_covered',
    [agreement()],
    MESSAGES,
    ['--header', 'authorization=Bearer sk-ant-oat01-x'],
  ],
  ['batches', 'refuse', 'endpoint_not_covered', [agreement()], `${MESSAGES}/batches`, KEY],
  [
    'a denied flag in a second header line',
    'refuse',
    'feature_not_covered',
    [agreement()],
    MESSAGES,
    [
      ...KEY,
      '--header',
      'anthropic-beta=pdfs-2024-09-25',
      '--header',
      'anthropic-beta=fast-mode-2026-02-01,code-execution-2025-05-22',
    ],
  ],
  [
    'a model that is not listed',
    'refuse',
    'model_not_covered',
    [agreement(match({ allowModels: ['claude-haiku-*'] }))],
    MESSAGES,
    [...KEY, '--model', 'claude-sonnet-5'],
  ],
  ['clear HTTP', 'refuse', 'protocol_not_allowed', [agreement()], MESSAGES, [...KEY, '--clear']],
  [
    'an agreement that has ended',
    'refuse',
    'agreement_expired',
    [agreement(contract({ expiresOn: '2026-11-21' }))],
    MESSAGES,
    KEY,
  ],
  [
    'a monitored refusal',
    'monitor',
    'credential_not_covered',
    [agreement(), exemption({ monitor: true })],
    MESSAGES,
    [],
  ],
  [
    'a listed destination',
    'splice',
    null,
    [values({ egress: { destinations: ['*.example.org'] } })],
    'explain --policy source --json --host a.example.org',
    [],
  ],
  [
    'an unlisted destination',
    'refuse',
    'destination_not_allowed',
    [values({})],
    'explain --policy source --json --host a.example.org',
    [],
  ],
  [
    'a known LLM host below a listed wildcard',
    'refuse',
    'agreement_missing',
    [values({ egress: { destinations: ['*.openai.com'] } })],
    'explain --policy source --json --host api.openai.com',
    [],
  ],
];

for (const [what, decision, reason, documents, line, more] of EXPLAINED) {
  test(`explain of ${what}: ${decision} ${reason}`, async () => {
    expect(await explain(documents, line, ...more)).toMatchObject({
      decision,
      reason,
      code: decision === 'refuse' ? 1 : 0,
    });
  });
}

test('explain in words names the failing check and the remedy', async () => {
  const world = await worldWith(agreement());
  await run(world, MESSAGES.replace(' --json', ''));
  expect(world.out()).toMatch(/^refuse: credential_not_covered\. The agreement does not cover this kind of credential/);
  expect(world.out()).toContain('FAIL credential');
});
