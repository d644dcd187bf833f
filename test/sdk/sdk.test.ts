import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReceivedRequest, Script } from '../fake/answer.ts';
import { answerIn, echo, lastUserText } from '../fake/dialect-answer.ts';
import { type Provider, startProvider } from '../fake/provider.ts';
import { ROOT, runPod } from '../pod/run-pod.ts';

const HOSTS = ['api.anthropic.com', 'api.openai.com'];
const NOTE =
  'Patient: Eleanor Whitcombe (DOB 07/19/1948, MRN 60518224) of 48 Alder Lane, Springfield, IL 62704; phone 217-555-0142, e-mail e.whitcombe@example.com. Dr. Marcus Oyelaran saw Mrs. Whitcombe on March 3, 2024.';
const IDENTIFIERS = [
  'Whitcombe',
  'Eleanor',
  'Oyelaran',
  '60518224',
  '217-555-0142',
  'Alder Lane',
  '07/19',
  'March 3',
  'whitcombe@',
];

interface Result {
  readonly name: string;
  readonly value?: unknown;
  readonly error?: { readonly class: string; readonly status?: number; readonly message: string };
}

let provider: Provider;
let dir = '';
/** The store of the run at hand: each run has its own, so that its refusals can be counted. */
let store = '';
let runs = 0;

beforeAll(async () => {
  provider = await startProvider({ hosts: HOSTS, script: answer });
  dir = mkdtempSync(join(tmpdir(), 'lazaret-sdk-'));
  writeFileSync(join(dir, 'ca.pem'), provider.authority.root);
});
afterAll(async () => {
  await provider.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** What a model would do: says the prompt back, calls the tool with it, or thinks about the first name. */
const answer: Script = (request: ReceivedRequest) => {
  if (request.method !== 'POST') return null;
  const text = lastUserText(request);
  if (text.startsWith('TOOL '))
    return answerIn(
      request,
      [{ kind: 'tool', id: 'toolu_01A', name: 'find_patient', input: { who: text.slice(5) } }],
      CUT,
    );
  if (text.startsWith('SLOW '))
    return { ...echo(request, CUT), steps: [...echo(request, CUT).steps.slice(0, 2), { do: 'stall' }] };
  if (!text.startsWith('THINK ')) return echo(request, CUT);
  const name = /NAME_\w+/.exec(request.body.toString())?.[0] ?? 'nobody';
  return answerIn(
    request,
    [
      { kind: 'thinking', text: `${name} again`, signature: 'c2lnbmF0dXJlIG9mIHRoZSBwcm92aWRlcg==' },
      { kind: 'text', text: 'ok' },
    ],
    CUT,
  );
};
const CUT = { chars: 3, bytes: 977 };

/** Runs a command in a guarded pod and gives the JSON lines it printed. */
async function runInPod(command: readonly string[]): Promise<readonly Result[]> {
  runs += 1;
  store = join(dir, `store-${runs}`);
  const options = [
    '--upstream-ca',
    join(dir, 'ca.pem'),
    '--store',
    store,
    '--keys',
    keys(),
    ...provider.upstreams.flatMap((upstream) => ['--upstream', upstream]),
  ];
  const end = await runPod([...options, '--', ...command], { env: { ...process.env, NOTE } });
  if (end.code !== 0) throw new Error(`exit ${end.code}: ${end.stderr}`);
  return end.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Result);
}

function keys(): string {
  const folder = join(dir, 'keys');
  if (!existsSync(folder)) lazaret('keys', 'init', '--out', folder);
  return folder;
}

function lazaret(...args: readonly string[]): string {
  return execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'cli/main.ts'), ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
}

/** A virtual environment with the providers' SDKs, kept where the application's own user can read it: not in root's home. */
function pythonEnvironment(): string {
  const folder = '/var/cache/lazaret/python-sdk';
  const python = join(folder, 'bin', 'python');
  if (!existsSync(join(folder, 'complete'))) {
    mkdirSync(folder, { recursive: true });
    execFileSync(existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3', ['-m', 'venv', '--clear', folder]);
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'anthropic', 'openai']);
    writeFileSync(join(folder, 'complete'), '');
  }
  return python;
}

const valueOf = (results: readonly Result[], name: string) => results.find((result) => result.name === name)?.value;
const errorOf = (results: readonly Result[], name: string) => results.find((result) => result.name === name)?.error;

function expectNothingLeft(): void {
  for (const { body, headers, target } of provider.received) {
    const all = `${target}\n${JSON.stringify(headers)}\n${body.toString()}`;
    for (const identifier of IDENTIFIERS) expect(all.includes(identifier), identifier).toBe(false);
  }
}

describe.each([
  [
    'JavaScript',
    () => [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'test/sdk/application.ts')],
  ],
  ['Python', () => [pythonEnvironment(), join(ROOT, 'test/sdk/application.py')]],
] as const)('the SDKs in %s, unchanged, through the redirect', (language, command) => {
  let results: readonly Result[] = [];
  beforeAll(async () => {
    results = await runInPod(command());
  });

  it.each(['anthropic plain', 'anthropic stream', 'openai plain', 'openai stream'])(
    '%s: the answer holds every original',
    (name) => {
      expect(valueOf(results, name)).toBe(NOTE);
    },
  );

  it('T15, T19: tool arguments reach the application restored and valid', () => {
    expect(valueOf(results, 'anthropic tool')).toEqual({ who: NOTE });
    if (language === 'JavaScript') expect(valueOf(results, 'openai tool')).toEqual({ who: NOTE });
  });

  it('no byte of an identifier reached a provider', () => {
    expect(provider.received.length).toBeGreaterThan(0);
    expectNothingLeft();
  });

  it('T28: a refusal is the provider’s own error class, tried once, with the reason', () => {
    expect(errorOf(results, 'an operation that is not covered')).toMatchObject({
      class: 'PermissionDeniedError',
      status: 403,
      message: expect.stringContaining('endpoint_not_covered') as string,
    });
    expect(errorOf(results, 'a provider without an agreement')).toMatchObject({
      class: 'PermissionDeniedError',
      status: 403,
      message: expect.stringContaining('provider_not_approved') as string,
    });
    const { stdout } = { stdout: lazaret('audit', 'list', '--store', store, '--json') };
    const refused = stdout.split('\n').filter((line) => line.includes('"provider_not_approved"'));
    expect(refused.length).toBe(1);
  });

  it('the evidence verifies and opens to prompt, vault and answer', () => {
    expect(() => lazaret('audit', 'verify', '--store', store)).not.toThrow();
    const listed = lazaret('audit', 'list', '--store', store, '--json')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const exchange = JSON.stringify(listed).match(/x[0-9a-f]{18}[0-9a-z]{4,}/)?.[0] ?? '';
    const opened = lazaret(
      'audit',
      'open',
      '--store',
      store,
      '--key',
      join(dir, 'keys', 'auditor.private.jwk'),
      '--id',
      exchange,
    );
    expect(opened).toContain('NAME_');
    expect(opened).toContain('Whitcombe');
  });
});

describe('what only one language shows', () => {
  let results: readonly Result[] = [];
  beforeAll(async () => {
    results = await runInPod([
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'test/sdk/application.ts'),
    ]);
  });

  it('T23: a thinking loop of five turns keeps its thinking byte for byte, surrogates in it', () => {
    const thoughts = valueOf(results, 'anthropic thinking loop') as readonly string[];
    expect(thoughts).toHaveLength(5);
    expect(new Set(thoughts).size).toBe(1);
    expect(thoughts[0]).toMatch(/^NAME_\w+ again$/);
  });

  it('an aborted stream ends, and its outcome is recorded', () => {
    expect(valueOf(results, 'abort in mid-stream')).toBe('left');
    expect(lazaret('audit', 'list', '--store', store, '--json').includes('client_gone')).toBe(true);
  });

  it('a prompt of 5 MB and 64 exchanges at once come back whole', () => {
    expect(valueOf(results, 'a prompt of 5 MB')).toEqual({ same: true, bytes: 5_000_000 });
    expect(valueOf(results, '64 exchanges at once')).toBe(true);
  });

  it('T24: nothing of the note lies readable in the store', () => {
    const search = spawnSync('grep', ['-rlaE', 'Whitcombe|60518224', store], { encoding: 'utf8' });
    // 1: grep looked at everything and found nothing.
    expect([search.status, search.stdout]).toEqual([1, '']);
  });
});

describe('curl through the redirect', () => {
  it.each(['--http1.1', '--http2'])('%s: plain and streamed', async (version) => {
    const body = (stream: boolean) =>
      JSON.stringify({ model: 'claude-test-1', max_tokens: 9, stream, messages: [{ role: 'user', content: NOTE }] });
    writeFileSync(join(dir, 'plain.json'), body(false), { mode: 0o644 });
    writeFileSync(join(dir, 'stream.json'), body(true), { mode: 0o644 });
    execFileSync('chmod', ['-R', 'a+rX', dir]);
    const ask = (file: string) =>
      `curl -sS ${version} --max-time 30 https://api.anthropic.com/v1/messages -H 'x-api-key: sk-ant-api03-test' -H 'anthropic-version: 2023-06-01' -H 'content-type: application/json' --data-binary @${join(dir, file)}`;
    const end = await runPod([
      '--upstream-ca',
      join(dir, 'ca.pem'),
      ...provider.upstreams.flatMap((upstream) => ['--upstream', upstream]),
      '--',
      'sh',
      '-c',
      `${ask('plain.json')}; echo; ${ask('stream.json')}`,
    ]);
    const [plain = '', ...events] = end.stdout.split('\n');
    expect((JSON.parse(plain) as { content: { text: string }[] }).content[0]?.text).toBe(NOTE);
    const text = events
      .filter((line) => line.startsWith('data: '))
      .map((line) => (JSON.parse(line.slice(6)) as { delta?: { text?: string } }).delta?.text ?? '')
      .join('');
    expect(text).toBe(NOTE);
    expectNothingLeft();
  });
});
