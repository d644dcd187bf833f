import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { echo } from '../fake/dialect-answer.ts';
import type { Provider } from '../fake/provider.ts';
import { startProvider } from '../fake/provider.ts';
import { networkOf, processesBelow, ROOT, runPod, startPod, traces } from './run-pod.ts';

const HOSTS = ['api.anthropic.com', 'api.openai.com', 'api.mistral.ai', 'example.org', 'example.net'];
const PROMPT = 'Please write to Mr. John Whitfield, MRN 48213377, phone (217) 555-0142.';
let provider: Provider;
let dir = '';
let outside: string[] = [];

beforeAll(async () => {
  provider = await startProvider({
    hosts: HOSTS,
    script: (request) => (request.method === 'POST' ? echo(request, { chars: 3, bytes: 999 }) : null),
  });
});
afterAll(() => provider.stop());

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pod-test-'));
  chmodSync(dir, 0o755);
  writeFileSync(join(dir, 'ca.pem'), provider.authority.root);
  outside = [
    '--upstream-ca',
    join(dir, 'ca.pem'),
    ...provider.upstreams.flatMap((upstream) => ['--upstream', upstream]),
  ];
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Runs a shell script in a pod. */
const shell = (script: string, ...options: readonly string[]) => runPod([...options, '--', 'sh', '-c', script]);

const ASK = `curl -sS --max-time 20 https://api.anthropic.com/v1/messages -H 'x-api-key: sk-ant-api03-test' -H 'anthropic-version: 2023-06-01' \\
  -H 'content-type: application/json' -d '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"${PROMPT}"}]}'`;

describe('a command in a pod', () => {
  it('gives its exit code', async () => {
    expect(await shell('exit 7')).toMatchObject({ code: 7, stderr: '' });
  });

  it("has the caller's folder, environment and standard streams", async () => {
    const end = await runPod(['--', 'sh', '-c', 'pwd; echo "$GREETING"; cat; echo oops >&2'], {
      cwd: dir,
      env: { ...process.env, GREETING: 'good morning' },
      stdin: 'from the caller',
    });
    expect(end).toEqual({ code: 0, stdout: `${dir}\ngood morning\nfrom the caller`, stderr: 'oops\n' });
  });

  it('runs as uid 1000 with no capability and no way to one, and under another uid when asked', async () => {
    const script = 'id -u; id -g; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status';
    const plain = await shell(script);
    expect(plain.stdout.split(/\s+/)).toEqual([
      '1000',
      '1000',
      'CapEff:',
      '0000000000000000',
      'CapBnd:',
      '0000000000000000',
      'NoNewPrivs:',
      '1',
      '',
    ]);
    expect((await shell('id -u', '--uid', '4711')).stdout).toBe('4711\n');
  });

  it('reads the trust files, cannot write them, and sees neither the private ones nor the guard', async () => {
    const script = `pod=\${SSL_CERT_FILE%/trust/*}
      grep -c BEGIN "$NODE_EXTRA_CA_CERTS"; touch "$SSL_CERT_FILE" 2>/dev/null && echo wrote; touch \${SSL_CERT_FILE%/*}/new 2>/dev/null && echo wrote
      ls $pod/ca; ls $pod/spool 2>&1 | sed 's/.*: //'; ls /proc | grep -c '^[0-9]'`;
    const end = await shell(`${script}; env | grep -ci base_url`);
    expect(end.stdout.split('\n').slice(0, -3)).toEqual(['1', 'Permission denied']);
    expect(Number(end.stdout.split('\n').at(-3))).toBeLessThan(8);
  });

  it("finds every name at a made address, each name at its own, and nothing without the pod's resolver", async () => {
    const script =
      'for name in api.openai.com never.example API.openai.com; do getent ahostsv4 $name | head -1; done; getent ahostsv6 never.example | grep -v ffff';
    const [first, second] = await Promise.all([shell(script), shell(script)]);
    expect(first.stdout).toBe(second.stdout);
    const [openai, never, upper, ...rest] = first.stdout.split('\n').map((line) => line.split(' ')[0]);
    expect(openai).toMatch(/^198\.(18|19)\./);
    expect(never).toMatch(/^198\.(18|19)\./);
    expect(never).not.toBe(openai);
    expect(upper).toBe(openai);
    expect(rest).toEqual(['']);
  });

  it('reports 127 for a program that does not exist, as a shell does', async () => {
    const end = await runPod(['--', 'no-such-program'], { env: { ...process.env, PATH: '/usr/bin:/bin' } });
    expect(end.code).toBe(127);
  });
});

describe('a pod that cannot be started', () => {
  it.each([
    ['no command', ['--monitor'], 'COMMAND'],
    ['an unknown option', ['--nonsense', 'x', '--', 'true'], '--nonsense is not an option'],
    ['an upstream without a port', ['--upstream', 'a.example=127.0.0.1', '--', 'true'], 'HOST=ADDRESS:PORT'],
    ['a policy that is not there', ['--policy', '/nowhere.yaml', '--', 'true'], '/nowhere.yaml cannot be read'],
    ['roots that are not there', ['--upstream-ca', '/nowhere.pem', '--', 'true'], '/nowhere.pem'],
    ['keys that are not there', ['--keys', '/nowhere', '--', 'true'], '/nowhere/recipients.public.jwks'],
  ])('ends with 125 and one sentence: %s', async (_case, args, said) => {
    const end = await runPod(args);
    expect(end.code).toBe(125);
    expect(end.stderr).toContain(said);
    expect(end.stderr).not.toMatch(/^\s+at /m);
  });

  it('names every fault of a policy', async () => {
    writeFileSync(join(dir, 'policy.yaml'), 'values: {egress: {destinations: [api.openai.com]}}\n');
    const end = await runPod(['--policy', join(dir, 'policy.yaml'), '--', 'true']);
    expect(end).toMatchObject({ code: 125, stdout: '' });
    expect(end.stderr).toContain('known LLM host');
  });
});

describe('traffic of a pod', () => {
  it('reaches the provider redacted, and the application restored, over HTTP/1.1 and HTTP/2', async () => {
    const before = provider.received.length;
    const end = await shell(`${ASK} --http1.1; ${ASK} --http2`, ...outside);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(end.stdout.split(PROMPT)).toHaveLength(3);
    const sent = provider.received.slice(before).map(({ body }) => body.toString());
    expect(sent).toHaveLength(2);
    for (const body of sent) expect(body).not.toMatch(/Whitfield|48213377|555-0142/);
  });

  it('is passed unopened to a listed host, refused to another, and unreachable where a name has no upstream', async () => {
    const script = `curl -sS -o /dev/null -w '%{http_code} %{ssl_verify_result}\\n' https://example.org/
      curl -sS -o /dev/null https://example.net/ 2>&1; echo $?
      curl -sS -o /dev/null https://example.org:444/ && echo served on every port`;
    const end = await shell(script, ...outside);
    expect(end.stdout).toMatch(/^404 0\n[^]*access denied[^]*\n35\nserved on every port\n$/);
    const alone = await shell('curl -sS --max-time 10 https://example.org/ 2>&1; echo $?');
    expect(alone.stdout).not.toMatch(/\n0\n$/);
  });

  it('meets the guard over IPv6 too', async () => {
    const end = await shell("curl -gsSk --max-time 10 'https://[2001:db8::1]/' 2>&1; echo $?");
    expect(end.stdout).toMatch(/denied[^]*\n35\n$/);
  });

  it('reaches a private address that an upstream stands for, in a protocol whose server speaks first', async () => {
    const database = createServer((socket) => socket.on('error', () => undefined).write('ready\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(database, 'listening');
    const { port } = database.address() as AddressInfo;
    const script = 'exec 3<>/dev/tcp/10.1.2.3/5432; read line <&3; echo "$line"';
    const end = await runPod(['--upstream', `10.1.2.3=127.0.0.1:${port}`, '--', 'bash', '-c', script]);
    database.close();
    expect(end).toMatchObject({ code: 0, stdout: 'ready\n' });
  });

  it('is watched and not changed under a monitor grant', async () => {
    const before = provider.received.length;
    const end = await shell(ASK, ...outside, '--monitor');
    expect(end.stdout).toContain('Whitfield');
    expect(provider.received.slice(before).map(({ body }) => body.toString())).toEqual([
      expect.stringContaining('Whitfield'),
    ]);
  });
});

describe('what a pod leaves', () => {
  it('is complete when the command returns: store, metrics, log and spool', async () => {
    const [store, metrics, log, spool] = ['store', 'metrics', 'log', 'spool'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
      string,
    ];
    const end = await shell(ASK, ...outside, '--store', store, '--metrics', metrics, '--log', log, '--spool', spool);
    expect(end.code).toBe(0);
    const audit = (...words: readonly string[]) =>
      execFileSync(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', join(ROOT, 'cli/main.ts'), 'audit', ...words, '--store', store],
        { encoding: 'utf8' },
      );
    expect(audit('verify')).toContain('no finding');
    const stages = audit('list', '--json')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { stage: string }).stage);
    expect(stages).toEqual(expect.arrayContaining(['open', 'request', 'response', 'close']));
    expect(readFileSync(metrics, 'utf8')).toMatch(/lazaret_exchanges_total\{[^}]*Anthropic[^}]*\} 1/);
    expect(readFileSync(log, 'utf8')).toContain('"decision":"allow"');
    expect(statSync(spool)).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(existsSync(spool)).toBe(true);
    expect([readFileSync(log, 'utf8'), readFileSync(metrics, 'utf8')].join('')).not.toMatch(
      /Whitfield|48213377|555-0142/,
    );
  });

  it('is nothing on the machine, when the command ends, is interrupted, or the caller is killed', async () => {
    const before = traces(dir);
    const own = { env: { ...process.env, TMPDIR: dir } };
    await runPod([...outside, '--', 'true'], own);
    expect(traces(dir)).toEqual(before);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
      const pod = startPod([...outside, '--', 'sh', '-c', 'echo up; exec sleep 1000'], own);
      await pod.says('up');
      expect(traces(dir)).not.toEqual(before);
      const inside = processesBelow(pod.child.pid ?? 0, 'inside.ts');
      pod.child.kill(signal);
      const { code } = await pod.ended;
      expect(code).toBe({ SIGTERM: 143, SIGINT: 130, SIGKILL: null }[signal]);
      // Only a killed caller ends before its pod does: the pod's own process sees that it is alone.
      await waitUntilGone(inside);
      expect(traces(dir)).toEqual(before);
    }
  });

  it("is nothing in the caller's network while it runs", async () => {
    const before = traces(dir);
    const pod = startPod([...outside, '--', 'sh', '-c', 'echo up; read line'], {
      env: { ...process.env, TMPDIR: dir },
    });
    await pod.says('up');
    expect(traces(dir)).toMatchObject({ links: before.links, rules: before.rules, mounts: before.mounts });
    const sidecars = processesBelow(pod.child.pid ?? 0, 'sidecar/main.ts');
    expect(sidecars.map(networkOf)).not.toContain(networkOf(process.pid));
    expect(sidecars).toHaveLength(1);
    pod.child.stdin?.end('\n');
    expect((await pod.ended).code).toBe(0);
  });
});

describe('a sidecar that dies', () => {
  it('is started again, nothing leaves meanwhile, and the evidence stays whole', async () => {
    const store = join(dir, 'store');
    const script = `${ASK}; echo; echo asked; read line; until ${ASK}; do :; done; echo; echo again`;
    const pod = startPod([...outside, '--store', store, '--', 'sh', '-c', script]);
    await pod.says('asked');
    const [sidecar] = processesBelow(pod.child.pid ?? 0, 'sidecar/main.ts');
    process.kill(sidecar!, 'SIGKILL');
    pod.child.stdin?.end('\n');
    const end = await pod.ended;
    expect(end.code).toBe(0);
    expect(end.stdout.split(PROMPT)).toHaveLength(3);
    const verify = [join(ROOT, 'cli/main.ts'), 'audit', 'verify', '--store', store];
    expect(
      execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...verify], { encoding: 'utf8' }),
    ).toContain('no finding');
    expect(readdirSync(store)).toContain('chains');
  });
});

async function waitUntilGone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await new Promise((resolve) => setImmediate(resolve));
}
