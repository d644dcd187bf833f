import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReceivedRequest, ScriptedAnswer, Step } from '#test/fake/answer.ts';
import { answerIn, echo, lastUserText } from '#test/fake/dialect-answer.ts';
import {
  CALL,
  callProvider,
  type CallResult,
  CLINICAL,
  clinicalBody,
  IDENTIFIERS,
  logsOf,
  runInApp,
} from './product-apps.ts';
import { execInPod, kubectl } from './test-cluster.ts';
import { testKinds } from './workloads-kinds.ts';
import { openOutside6, type Outside6, OUTSIDE6, PORT6, UDP6 } from './workloads-ipv6.ts';
import { testRevocation } from './workloads-revocation.ts';
import {
  GRPC_PORT,
  LISTED,
  ROOTS,
  runInClient,
  setWorkloads,
  WEB_PORT,
  type WorkloadsStage,
} from './workloads-stage.ts';

/** What a stand-in's answer to a model of this name waits for, behind its first pieces. */
const LONG = 'claude-long';
const LONG_PIECES = 25;
const LONG_PIECE_MS = 1_000;
const UPLOAD = 'claude-upload';
const UPLOAD_BYTES = 5 * 1024 * 1024;

let stage: WorkloadsStage;
/** What the long answer waits for behind its pieces, so that it outlasts what happens meanwhile. */
const happened = Promise.withResolvers<void>();

beforeAll(async () => {
  stage = await setWorkloads(answer);
});
afterAll(() => stage.leave());

function answer(request: ReceivedRequest): ScriptedAnswer | null {
  if (request.method !== 'POST') return null;
  const text = request.body.toString('utf8', 0, 200);
  if (text.includes(LONG)) return slowly(echo(request, { chars: 3, bytes: 120 }));
  if (text.includes(UPLOAD)) return answerIn(request, [{ kind: 'text', text: lastUserText(request).slice(-200) }]);
  return echo(request);
}

/** Cuts an answer's pieces apart by time. */
function slowly({ steps, ...head }: ScriptedAnswer): ScriptedAnswer {
  const later = steps
    .slice(0, LONG_PIECES)
    .flatMap((step, index): readonly Step[] => [{ do: 'wait', until: delay((index + 1) * LONG_PIECE_MS) }, step]);
  return { ...head, steps: [...later, { do: 'wait', until: happened.promise }, ...steps.slice(LONG_PIECES)] };
}

const serverHost = (): string => `server.${stage.inside}.svc`;

describe('databases that a guarded pod talks to', () => {
  const TEXTS = `'Maria Gonzalez, MRN 48120937'`;

  const psql = (sslmode: string, ...commands: readonly string[]): Promise<string> =>
    runInClient(stage, [
      'psql',
      `host=${serverHost()} user=clinic dbname=postgres sslmode=${sslmode} connect_timeout=20`,
      '--no-psqlrc',
      '--tuples-only',
      '--no-align',
      ...commands.map((command) => `--command=${command}`),
    ]);
  const inServer = async (container: string, command: readonly string[]): Promise<string> =>
    (await execInPod(stage.inside, 'server', command, container)).stdout.trim();

  it.each(['disable', 'require'])(
    'PostgreSQL stores what the pod wrote, word for word (sslmode=%s)',
    async (sslmode) => {
      const table = `patients_${sslmode}`;
      const said = await psql(
        sslmode,
        `create table ${table} as select n, ${TEXTS} || n as note from generate_series(1, 20000) n`,
        `select md5(string_agg(note, ',' order by n)) from ${table}`,
        'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
      );
      const sum = `select md5(string_agg(${TEXTS} || n, ',' order by n)) from generate_series(1, 20000) n`;
      const local = ['psql', '--host=/tmp', '--username=clinic', '--dbname=postgres', '--tuples-only', '--no-align'];
      const expected = await inServer('postgres', [...local, `--command=${sum}`]);
      expect(said.split('\n').slice(-2)).toEqual([expected, sslmode === 'require' ? 't' : 'f']);
      const note = `select note from ${table} where n = 1`;
      expect(await inServer('postgres', [...local, `--command=${note}`])).toBe('Maria Gonzalez, MRN 481209371');
    },
  );

  it('PostgreSQL takes and gives a megabyte by COPY', async () => {
    const connection = `host=${serverHost()} user=clinic dbname=postgres connect_timeout=20`;
    const script = `
      ask() { psql "${connection}" --quiet --command="$1"; }
      seq 1 150000 | sed 's/^/Maria /' > /tmp/lines
      ask 'create table copied (line text)' && ask '\\copy copied from /tmp/lines' && ask '\\copy copied to /tmp/back' &&
        sort /tmp/lines | sha256sum && sort /tmp/back | sha256sum && wc -c < /tmp/back`;
    const [there, back, bytes] = (await runInClient(stage, ['sh', '-c', script])).split('\n');
    expect(back).toBe(there);
    expect(Number(bytes)).toBeGreaterThan(1024 * 1024);
  });

  it('Redis speaks untouched: values, a pipeline, a client that waits', async () => {
    const cli = ['redis-cli', '-h', serverHost()];
    expect(await runInClient(stage, [...cli, 'set', 'patient', CLINICAL])).toBe('OK');
    expect(await runInClient(stage, [...cli, 'get', 'patient'])).toBe(CLINICAL);
    expect(await inServer('redis', ['redis-cli', 'get', 'patient'])).toBe(CLINICAL);
    const pipeline = `seq 1 20000 | sed 's/.*/incr visits/' | redis-cli -h ${serverHost()} --pipe; redis-cli -h ${serverHost()} get visits`;
    expect(await runInClient(stage, ['sh', '-c', pipeline])).toMatch(/errors: 0, replies: 20000\n20000$/);
    const wait = `redis-cli -h ${serverHost()} blpop queue 60 & redis-cli -h ${serverHost()} rpush queue 'Maria Gonzalez'; wait`;
    expect(await runInClient(stage, ['sh', '-c', wait])).toMatch(/queue\nMaria Gonzalez/);
  });

  it('a text protocol without line ends, whose server speaks first, passes at once', async () => {
    const words = ['HELLO Maria Gonzalez', 'BYE'];
    expect(await runInClient(stage, ['workloads', 'banner', `${serverHost()}:7000`, ...words])).toBe(
      JSON.stringify(words.join('')),
    );
  });
});

describe('services that a guarded pod talks to', () => {
  const GRPC = ['unary', 'large', 'client stream', 'server stream', 'ping pong', 'cancelled', 'metadata', 'status'];

  it('gRPC passes its own interoperability tests, in clear to a private address', async () => {
    const said = await runInClient(stage, ['workloads', 'grpc', `${serverHost()}:50051`, 'clear']);
    expect(JSON.parse(said)).toEqual(GRPC);
  });

  it('gRPC passes its own interoperability tests, by TLS to a listed host under its own certificate', async () => {
    const said = await runInClient(stage, ['workloads', 'grpc', `${LISTED}:${GRPC_PORT}`, ROOTS]);
    expect(JSON.parse(said)).toEqual(GRPC);
  });

  it('a WebSocket to a listed host carries texts and bytes', async () => {
    const url = `wss://${LISTED}:${WEB_PORT}/ward`;
    const said = await runInClient(stage, ['workloads', 'websocket', url, ROOTS, CLINICAL]);
    expect(JSON.parse(said)).toEqual({ text: CLINICAL, bytes: true });
  });

  it('a listed host gets an upload of 5 MB unchanged', async () => {
    const url = `https://${LISTED}:${WEB_PORT}/scans`;
    const said = await runInClient(stage, ['workloads', 'upload', url, ROOTS, `${UPLOAD_BYTES}`]);
    const sum = await runInClient(stage, [
      'node',
      '--print',
      `require('node:crypto').createHash('sha256').update('Maria Gonzalez, '.repeat(${UPLOAD_BYTES / 16})).digest('hex')`,
    ]);
    expect(JSON.parse(said)).toBe(`HTTP/2.0 POST ${UPLOAD_BYTES} ${sum}`);
  });

  it('the API server is used by client-go with the pod’s account: list, watch, create, update, delete', async () => {
    const said = await runInClient(stage, ['workloads', 'kubernetes', stage.clinic]);
    const { events, pods } = JSON.parse(said) as {
      readonly events: readonly string[];
      readonly pods: readonly string[];
    };
    expect(events).toEqual(['ADDED', 'MODIFIED', 'DELETED'].map((type) => `${type} Maria Gonzalez`));
    expect(pods).toContain('client');
  });

  it('the API server is used by kubectl with the pod’s account: reading, writing, logs, and what is not allowed', async () => {
    const run = (...args: readonly string[]) => runInClient(stage, ['kubectl', ...args]);
    expect(await run('get', 'pods', '--output=name')).toContain('pod/client');
    expect(await run('create', 'configmap', 'by-kubectl', '--from-literal=patient=Maria Gonzalez')).toMatch(/created$/);
    expect(await run('get', 'configmap/by-kubectl', '--output=jsonpath={.data.patient}')).toBe('Maria Gonzalez');
    expect(await run('logs', 'client', '--container=lazaret-sidecar', '--tail=1')).toContain('{');
    expect(await run('auth', 'can-i', 'list', 'configmaps')).toBe('yes');
    await expect(run('get', 'nodes')).rejects.toThrow(/forbidden/);
  });
});

describe('large and long exchanges with a provider', () => {
  it('5 MB are redacted, and the answer is restored', async () => {
    const before = stage.product.provider.received.length;
    const script = `${CALL}
      const note = ${JSON.stringify(`${CLINICAL}\n`)};
      const filler = 'The assay was repeated after the sample had been stored as described. '.repeat(100) + '\\n';
      let text = '';
      while (text.length < ${UPLOAD_BYTES}) text += note + filler;
      const { status, text: said } = await call(MESSAGES, { model: '${UPLOAD}', max_tokens: 100, messages: [{ role: 'user', content: text + note }] });
      console.log(JSON.stringify({ status, said: said.slice(0, 1000) }));
    `;
    const { status, said } = await runInApp<{ readonly status: number; readonly said: string }>(
      stage.clinic,
      'client',
      script,
    );
    expect({ status, said }).toEqual({ status: 200, said: expect.stringContaining(CLINICAL) });
    const received = stage.product.provider.received.slice(before).map(({ body }) => body.toString('utf8'));
    expect(received).toHaveLength(1);
    expect(received[0]?.length).toBeGreaterThan(UPLOAD_BYTES);
    for (const identifier of IDENTIFIERS) expect(received[0]?.includes(identifier), identifier).toBe(false);
  });

  it('a long stream outlives a rolling restart of controller and collector, and is whole', async () => {
    const begun = performance.now();
    const body = { ...clinicalBody({ stream: true }), model: LONG };
    const script = `${CALL}
      console.log(JSON.stringify(await call(MESSAGES, ${JSON.stringify(body)})));
    `;
    const streamed = runInApp<CallResult>(stage.clinic, 'client', script);
    const release = '--namespace=lazaret';
    const workloads = ['deployment/lazaret-controller', 'statefulset/lazaret-collector'];
    try {
      await kubectl(['rollout', 'restart', ...workloads, release]);
      for (const workload of workloads) await kubectl(['rollout', 'status', workload, release, '--timeout=150s']);
    } finally {
      happened.resolve();
    }
    const { status, text } = await streamed;
    const deltas = [...text.matchAll(/"text_delta","text":("(?:[^"\\]|\\.)*")/g)].map(([, part = '']) =>
      JSON.parse(part),
    );
    expect({ status, said: deltas.join('') }).toEqual({ status: 200, said: CLINICAL });
    expect(text).toContain('message_stop');
    const seconds = Math.round((performance.now() - begun) / 1_000);
    process.stderr.write(`workloads: a stream of ${seconds} s over the restarts\n`);
    expect(await callProvider(stage.clinic, 'client')).toMatchObject({ status: 200 });
  });
});

testKinds(() => stage);

describe('a pod with IPv6', () => {
  let outside: Outside6;
  beforeAll(async () => {
    outside = await openOutside6(stage.clinic, 'client');
  });
  afterAll(() => outside.stop());

  it('has somebody beyond its interface, whom the guard’s own numbers reach', async () => {
    expect(await outside.dialAsGuard()).toBe('outside');
  });

  it('reaches an LLM host at an address of IPv6 only through the guard, redacted', async () => {
    const arrived = outside.taken.length;
    const before = stage.product.provider.received.length;
    const script = `
      import { request } from 'node:https';
      const body = ${JSON.stringify(JSON.stringify(clinicalBody()))};
      const headers = { host: 'api.anthropic.com', 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'sk-ant-api03-of-the-test' };
      const sent = request({ host: '${OUTSIDE6}', port: ${PORT6}, servername: 'api.anthropic.com', method: 'POST', path: '/v1/messages', headers }, async (answer) => {
        let text = '';
        for await (const part of answer) text += part;
        console.log(JSON.stringify({ status: answer.statusCode, text }));
      });
      sent.on('error', (error) => console.log(JSON.stringify({ status: 0, text: error.code }))).end(body);
    `;
    expect(await runInApp(stage.clinic, 'client', script)).toEqual({
      status: 200,
      text: expect.stringContaining(CLINICAL),
    });
    const received = stage.product.provider.received.slice(before).map(({ body }) => body.toString('utf8'));
    expect(received).toHaveLength(1);
    for (const identifier of IDENTIFIERS) expect(received[0]).not.toContain(identifier);
    expect(outside.taken.length).toBe(arrived);
  });

  it('reaches nobody else by it: no name, a name that is not listed, UDP', async () => {
    const arrived = outside.taken.length;
    const script = `
      import { connect } from 'node:net';
      import { connect as connectTls } from 'node:tls';
      import { createSocket } from 'node:dgram';
      const end = (socket) => new Promise((resolve) => socket.on('data', () => resolve('answered')).on('error', (error) => resolve(error.code)).on('close', () => resolve('closed')));
      const clear = connect(${PORT6}, '${OUTSIDE6}');
      clear.write('Maria Gonzalez\\n');
      const secure = connectTls({ host: '${OUTSIDE6}', port: ${PORT6}, servername: 'elsewhere.example.org', rejectUnauthorized: false });
      const udp = createSocket('udp6');
      const sent = new Promise((resolve) => udp.send('Maria Gonzalez', ${UDP6}, '${OUTSIDE6}', (error) => resolve(error?.code ?? 'sent')));
      console.log(JSON.stringify(await Promise.all([end(clear), end(secure), sent])));
      process.exit();
    `;
    const [clear, secure, udp] = await runInApp<readonly string[]>(stage.clinic, 'client', script);
    expect(clear).toMatch(/ECONNRESET|closed/);
    expect(secure).toMatch(/ACCESS_DENIED|ECONNRESET/);
    expect(udp).toBe('EPERM');
    expect(outside.taken.length).toBe(arrived);
    const refused = (await logsOf(stage.clinic, 'pod/client', 'lazaret-sidecar')).split('\n');
    expect(refused.some((line) => line.includes('destination_not_allowed'))).toBe(true);
  });
});

testRevocation(() => stage);

it('no provider ever received an identifier', () => {
  const { received } = stage.product.provider;
  expect(received.length).toBeGreaterThan(20);
  for (const { headers, body } of received) {
    const text = JSON.stringify(headers) + body.toString('utf8');
    for (const identifier of IDENTIFIERS) expect(text.includes(identifier), identifier).toBe(false);
  }
});
