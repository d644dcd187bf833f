import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectH2,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InboundRequest } from '#sidecar/exchange/ports.ts';
import { ECHO, LLM, openRoom, type TestRoom } from './room.ts';

let room: TestRoom;
let session: ClientHttp2Session;
let seen: InboundRequest[];
beforeEach(async () => {
  room = await openRoom();
  seen = [];
  room.settings.handler = async (request, reply) => {
    seen.push(request);
    await ECHO(request, reply);
  };
  session = connectH2(`https://${LLM}`, { createConnection: () => room.connectTls(LLM, { ALPNProtocols: ['h2'] }) });
  session.on('error', () => {});
  await once(session, 'connect');
});
afterEach(async () => {
  session.destroy();
  await room.close();
});

interface Answer {
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
  readonly code: number;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: Record<string, unknown> = {};
  const chunks: Buffer[] = [];
  stream.on('response', (got) => {
    headers = { ...got };
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  return { headers, body: Buffer.concat(chunks), code: stream.rstCode ?? 0 };
}

async function ask(headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Answer> {
  const stream = session.request({ ':path': '/', ...headers }, { endStream: body === undefined });
  const answer = answerOf(stream);
  if (body !== undefined) stream.end(body);
  return await answer;
}

test('a request over HTTP/2 reaches the handler with its connection', async () => {
  const { headers, body } = await ask(
    { ':method': 'POST', ':path': '/v1/messages', cookie: ['a=1', 'b=2'], 'x-a': '1' },
    'hello',
  );
  expect(headers[':status']).toBe(200);
  const said = JSON.parse(body.toString());
  expect(said).toMatchObject({
    method: 'POST',
    target: '/v1/messages',
    body: 'hello',
    connection: { host: LLM, port: 443, protocol: 'h2', secure: true },
  });
  expect(seen[0]?.headers).toContainEqual(['cookie', 'a=1; b=2']);
  expect(seen[0]?.headers.some(([name]) => name.startsWith(':'))).toBe(false);
});

describe('requests of another place or form are refused', () => {
  test.each<[string, OutgoingHttpHeaders]>([
    ['another authority', { ':authority': 'elsewhere.example' }],
    ['another port', { ':authority': `${LLM}:8443` }],
    ['user information', { ':authority': `me@${LLM}` }],
    ['a Host that disagrees', { ':authority': LLM, host: 'elsewhere.example' }],
    ['another scheme', { ':scheme': 'http' }],
    ['a path without a slash', { ':path': 'v1/messages' }],
    ['an asterisk', { ':method': 'OPTIONS', ':path': '*' }],
    ['a fragment', { ':path': '/v1/x#y' }],
  ])('%s', async (_name, headers) => {
    const answer = await ask(headers);
    // nghttp2 resets some of them before our own check can answer.
    const refused = answer.headers[':status'] === 400 && answer.headers['x-lazaret-reason'] === 'protocol_not_allowed';
    expect(refused || answer.code === constants.NGHTTP2_PROTOCOL_ERROR).toBe(true);
    expect(seen).toEqual([]);
  });

  test('CONNECT', async () => {
    const stream = session.request({ ':method': 'CONNECT', ':authority': `${LLM}:443` });
    const answer = await answerOf(stream);
    expect(answer.headers[':status'] ?? 400).toBe(400);
    expect(seen).toEqual([]);
  });

  test('extended CONNECT is not offered', () => {
    expect(session.remoteSettings.enableConnectProtocol ?? false).toBe(false);
  });
});

test('the session offers the bounds of the product', async () => {
  if (session.remoteSettings.maxConcurrentStreams !== 1000) await once(session, 'remoteSettings');
  expect(session.remoteSettings).toMatchObject({
    maxConcurrentStreams: 1000,
    initialWindowSize: 1024 * 1024,
    maxHeaderListSize: 64 * 1024,
  });
});

test('a gRPC caller reads a refusal as trailers only', async () => {
  const { headers, body } = await ask(
    { ':method': 'POST', ':authority': 'elsewhere.example', 'content-type': 'application/grpc' },
    'x',
  );
  expect(headers).toMatchObject({
    ':status': 200,
    'grpc-status': '7',
    'content-type': 'application/grpc',
    'x-lazaret-reason': 'protocol_not_allowed',
  });
  expect(body.length).toBe(0);
});

test('a length that disagrees with the data never reaches the handler as a body', async () => {
  let outcome: unknown;
  room.settings.handler = async (request, reply) => {
    outcome = await request.readBody(100);
    await ECHO(request, reply);
  };
  const { headers } = await ask({ ':method': 'POST', 'content-length': '10' }, 'short');
  expect(headers[':status']).toBeUndefined();
  expect(outcome === undefined || outcome === 'aborted').toBe(true);
});

test('many writes in one turn and an end arrive byte for byte (Found by ourselves: memory on the wire)', async () => {
  const lines = Array.from({ length: 50 }, (_, index) => `data: {"line":${index},"text":"${'ä'.repeat(index)}"}\n\n`);
  room.settings.handler = async (_request, reply) => {
    reply.head(200, [['content-type', 'text/event-stream']]);
    const writes = lines.map((line) => reply.write(new TextEncoder().encode(line)));
    await reply.end();
    await Promise.all(writes);
  };
  for (let round = 0; round < 20; round += 1) {
    const { body } = await ask({});
    expect(body.toString('utf8')).toBe(lines.join(''));
  }
});

test('64 requests at once on one session each get their own answer', async () => {
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      ask({ ':method': 'POST', ':path': `/n/${index}` }, `${index}:${'x'.repeat(20_000)}`),
    ),
  );
  answers.forEach(({ body }, index) => {
    const said = JSON.parse(body.toString());
    expect(said.target).toBe(`/n/${index}`);
    expect(said.body.startsWith(`${index}:`)).toBe(true);
    expect(said.body.length).toBe(`${index}:`.length + 20_000);
  });
});

test('a body of 5 MB arrives whole', async () => {
  const { body } = await ask({ ':method': 'POST' }, Buffer.alloc(5 * 1024 * 1024, 'a'));
  expect(JSON.parse(body.toString()).body.length).toBe(5 * 1024 * 1024);
});

test('a stream that the client resets aborts its exchange and no other', async () => {
  const signals: AbortSignal[] = [];
  const aborted = new Promise<void>((resolve) => {
    room.settings.handler = async ({ signal, target }, reply) => {
      signals.push(signal);
      reply.head(200, []);
      await reply.write(Buffer.from(target));
      if (target === '/stay') return await reply.end();
      await new Promise((done) => signal.addEventListener('abort', done));
      resolve();
    };
  });
  const stream = session.request({ ':path': '/leave' });
  stream.on('error', () => {});
  await once(stream, 'data');
  stream.close(constants.NGHTTP2_CANCEL);
  await aborted;
  expect((await ask({ ':path': '/stay' })).body.toString()).toBe('/stay');
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

test('a cut answer is a stream error for the client', async () => {
  room.settings.handler = async (_request, reply) => {
    reply.head(200, []);
    await reply.write(Buffer.from('partial'));
    reply.cut();
  };
  expect((await ask({})).code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
});

test('a refusal before the body ends the stream cleanly', async () => {
  room.settings.handler = async (_request, reply) => {
    reply.head(403, [['x-lazaret-reason', 'agreement_missing']], 2);
    await reply.write(Buffer.from('no'));
    await reply.end();
  };
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  const answer = answerOf(stream);
  stream.write('begin');
  const { headers, body, code } = await answer;
  expect([headers[':status'], body.toString(), code]).toEqual([403, 'no', constants.NGHTTP2_NO_ERROR]);
});

test('many aborted streams do not end the session', async () => {
  room.settings.handler = async ({ signal, target }, reply) => {
    if (target === '/last') return await ECHO_END(reply);
    await new Promise((done) => signal.addEventListener('abort', done));
  };
  const ECHO_END = async (reply: Parameters<typeof ECHO>[1]): Promise<void> => {
    reply.head(200, [], 0);
    await reply.end();
  };
  for (let round = 0; round < 15; round += 1) {
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const stream = session.request({ ':path': '/' });
        stream.on('error', () => {});
        stream.close(constants.NGHTTP2_CANCEL);
        await new Promise((resolve) => stream.once('close', resolve));
      }),
    );
  }
  expect((await ask({ ':path': '/last' })).headers[':status']).toBe(200);
});

test('a request without a policy reaches the handler, which says why it is refused', async () => {
  room.settings.policy = null;
  expect((await ask({})).headers).toMatchObject({ ':status': 200 });
});
