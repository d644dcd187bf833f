import { once } from 'node:events';
import { request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { InboundRequest, Reply } from '#sidecar/exchange/ports.ts';
import { ECHO, LLM, openRoom, readAll, readUntil, type TestRoom } from './room.ts';

let room: TestRoom;
let seen: InboundRequest[];
beforeEach(async () => {
  room = await openRoom();
  seen = [];
  room.settings.handler = async (request, reply) => {
    seen.push(request);
    await ECHO(request, reply);
  };
});
afterEach(() => room.close());

async function open(): Promise<TLSSocket> {
  const tls = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
  await once(tls, 'secureConnect');
  return tls;
}

/** Sends raw bytes and gives everything that comes back until the connection ends. */
async function sayRaw(bytes: string): Promise<string> {
  const tls = await open();
  const answer = readAll(tls);
  tls.write(bytes, 'latin1');
  const text = (await answer).toString('latin1');
  tls.destroy();
  return text;
}

/** The room answers of its own: 400, the reason as a field and as JSON, and the connection ends. */
function expectRefused(answer: string): void {
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const fields = head.toLowerCase().split('\r\n');
  expect(fields).toContain('x-lazaret-reason: protocol_not_allowed');
  expect(fields).toContain('x-should-retry: false');
  expect(fields).toContain('connection: close');
  expect(fields).toContain(`content-length: ${body.length}`);
  expect(JSON.parse(body).error.code).toBe('protocol_not_allowed');
  expect(seen).toEqual([]);
}

describe('requests that two parsers could read differently are refused', () => {
  const post = 'POST /v1/x HTTP/1.1\r\n';
  const host = `Host: ${LLM}\r\n`;
  test.each([
    ['length and coding together', `${post}${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${post}${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    ['two equal lengths', `${post}${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a signed length', `${post}${host}Content-Length: +3\r\n\r\nabc`],
    ['a coding that only resembles chunked', `${post}${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['identity after chunked', `${post}${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['gzip before chunked', `${post}${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['two coding fields', `${post}${host}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a space before the colon', `${post}${host}X-A : 1\r\nContent-Length: 0\r\n\r\n`],
    ['a bare line feed', `${post}${host}X-A: 1\nContent-Length: 0\r\n\r\n`],
    ['a bare carriage return', `${post}${host}X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n`],
    ['a folded field', `${post}${host}X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n`],
    ['NUL in a field', `${post}${host}X-A: \0\r\nContent-Length: 0\r\n\r\n`],
    ['no Host', `${post}Content-Length: 0\r\n\r\n`],
    ['two Hosts, the first right', `${post}${host}Host: elsewhere.example\r\nContent-Length: 0\r\n\r\n`],
    ['two equal Hosts', `${post}${host}${host}Content-Length: 0\r\n\r\n`],
    ['another Host', `${post}Host: elsewhere.example\r\nContent-Length: 0\r\n\r\n`],
    ['another port', `${post}Host: ${LLM}:8443\r\nContent-Length: 0\r\n\r\n`],
    ['user information in Host', `${post}Host: me@${LLM}\r\nContent-Length: 0\r\n\r\n`],
    [
      'an absolute target with another authority',
      `POST https://elsewhere.example/ HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
    ],
    ['an absolute target with another scheme', `POST http://${LLM}/ HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`],
    ['a target without a slash', `POST v1/x HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n`],
    ['a fragment', `POST /v1/x#y HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`],
    ['HTTP/1.0 with chunks', `POST /v1/x HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['CONNECT inside TLS', `CONNECT ${LLM}:443 HTTP/1.1\r\n${host}\r\n`],
    ['an upgrade to h2c', `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`],
    [
      'an upgrade to WebSocket',
      `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    ],
    ['an unknown expectation', `${post}${host}Expect: 200-ok\r\nContent-Length: 0\r\n\r\n`],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version of another protocol', `POST /v1/x HTTP/2.0\r\n${host}Content-Length: 0\r\n\r\n`],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['more header bytes than the bound', `${post}${host}X-A: ${'a'.repeat(70_000)}\r\n\r\n`],
    [
      'a second Host behind 2000 fields',
      `${post}${host}${'a: b\r\n'.repeat(2_100)}Host: elsewhere.example\r\nContent-Length: 0\r\n\r\n`,
    ],
    ['TLS within TLS', '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00'],
  ])('%s', async (_name, bytes) => {
    expectRefused(await sayRaw(bytes));
  });
});

test('a body that breaks its framing aborts the exchange and is answered with 400', async () => {
  let outcome: unknown;
  room.settings.handler = async (request, reply) => {
    outcome = await request.readBody(1000);
    await ECHO(request, reply);
  };
  const answer = await sayRaw(
    `POST / HTTP/1.1\r\nHost: ${LLM}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n`,
  );
  expectRefused(answer);
  expect(outcome).toBe('aborted');
});

test('an absolute target with the same authority becomes origin form', async () => {
  const tls = await open();
  tls.write(`GET https://${LLM}/v1/models?a=b HTTP/1.1\r\nHost: ${LLM.toUpperCase()}:443\r\n\r\n`);
  expect(await readUntil(tls, '"target":"/v1/models?a=b"')).toContain(' 200 ');
  tls.destroy();
});

test('hop-by-hop fields and those that Connection names do not reach the handler', async () => {
  const tls = await open();
  tls.write(
    `GET / HTTP/1.1\r\nHost: ${LLM}\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: Basic x\r\nX-Kept: Yes\r\nx-kept: Again\r\n\r\n`,
  );
  await readUntil(tls, '"target"');
  expect(seen[0]?.headers).toEqual([
    ['X-Kept', 'Yes'],
    ['x-kept', 'Again'],
  ]);
  tls.destroy();
});

test('a client that waits for 100 Continue gets it only when the body is asked for', async () => {
  const order: string[] = [];
  room.settings.handler = async (request, reply) => {
    order.push('decided');
    await ECHO(request, reply);
  };
  const tls = await open();
  tls.write(`POST / HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
  expect(await readUntil(tls, '100 Continue\r\n\r\n')).not.toContain('200');
  order.push('continued');
  tls.write('body');
  await readUntil(tls, '"body":"body"');
  expect(order).toEqual(['decided', 'continued']);
  tls.destroy();
});

test('a refusal before the body closes the connection of a client that was never told to continue', async () => {
  room.settings.handler = async (_request, reply) => {
    reply.head(403, [], 2);
    await reply.write(Buffer.from('no'));
    await reply.end();
  };
  const answer = await sayRaw(`POST / HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(answer.toLowerCase()).toContain('connection: close');
  expect(answer.endsWith('no')).toBe(true);
});

test('a body larger than the bound is too large, whether announced or not', async () => {
  const outcomes: unknown[] = [];
  room.settings.handler = async (request, reply) => {
    outcomes.push(await request.readBody(4));
    reply.head(413, [], 0);
    await reply.end();
  };
  const tls = await open();
  tls.write(`POST / HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 5\r\n\r\n12345`);
  await readUntil(tls, ' 413 ');
  tls.write(`POST / HTTP/1.1\r\nHost: ${LLM}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n`);
  await readUntil(tls, ' 413 ');
  expect(outcomes).toEqual(['too_large', 'too_large']);
  tls.destroy();
});

test('a client that goes away aborts the exchange', async () => {
  const aborted = new Promise<void>((resolve) => {
    room.settings.handler = async ({ signal }, reply) => {
      reply.head(200, []);
      await reply.write(Buffer.from('first'));
      signal.addEventListener('abort', () => resolve());
      await new Promise((done) => signal.addEventListener('abort', done));
    };
  });
  const tls = await open();
  tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
  await readUntil(tls, 'first');
  tls.destroy();
  await aborted;
});

/** What an HTTP client makes of the answer to a GET: its body, or the code of its error. */
async function fetchText(): Promise<string> {
  const tls = await open();
  return await new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void => resolve(`error ${error.code}`);
    const sent = request({ host: LLM, headers: { host: LLM }, createConnection: () => tls }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text)).on('error', fail);
    });
    sent.on('error', fail).end();
  });
}

test.each([undefined, 100])(
  'a cut answer (length %s) is an error for the client, never a clean end',
  async (length) => {
    room.settings.handler = async (_request, reply) => {
      reply.head(200, [], length);
      await reply.write(Buffer.from('partial'));
      reply.cut();
    };
    expect(await fetchText()).toBe('error ECONNRESET');
  },
);

test('a handler that throws or forgets its reply does not leave the client waiting', async () => {
  for (const handler of [async () => Promise.reject(new Error('fault')), async () => {}]) {
    room.settings.handler = handler;
    expect(await fetchText()).toBe('error ECONNRESET');
  }
});

test('a slow reader holds the writer back', async () => {
  let reply: Reply | undefined;
  const begun = new Promise<void>((resolve) => {
    room.settings.handler = async ({ signal }, given) => {
      reply = given;
      given.head(200, []);
      resolve();
      await new Promise((done) => signal.addEventListener('abort', done));
    };
  });
  const tls = await open();
  tls.pause();
  tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
  await begun;
  let written = 0;
  let blocked = false;
  while (!blocked && written < 256) {
    const wrote = reply?.write(Buffer.alloc(1024 * 1024)).then(() => true);
    blocked = !(await Promise.race([
      wrote,
      new Promise((resolve) => setImmediate(() => setImmediate(() => resolve(false)))),
    ]));
    written += 1;
  }
  expect(blocked).toBe(true);
  tls.destroy();
});

test('pipelined requests are answered in order', async () => {
  const tls = await open();
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`;
  tls.write(request('/one') + request('/two'));
  const text = await readUntil(tls, '"target":"/two"');
  expect(text.indexOf('"target":"/one"')).toBeLessThan(text.indexOf('"target":"/two"'));
  tls.destroy();
});

test('a broken request behind an unfinished answer ends the connection without a byte of ours in that answer', async () => {
  room.settings.handler = async ({ signal }, reply) => {
    reply.head(200, [], 100);
    await reply.write(Buffer.from('half'));
    await new Promise((done) => signal.addEventListener('abort', done));
  };
  const tls = await open();
  tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
  await readUntil(tls, 'half');
  const rest = readAll(tls);
  tls.write('broken\r\n\r\n');
  expect((await rest).toString()).toBe('');
});

test('a request without a policy reaches the handler, which says why it is refused', async () => {
  room.settings.policy = null;
  const tls = await open();
  tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
  expect(await readUntil(tls, '"body"')).toContain(' 200 ');
  expect(seen).toHaveLength(1);
  tls.destroy();
});

test('what is pipelined behind a refused form never reaches the handler', async () => {
  const tls = await open();
  const good = `POST /v1/messages HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 2\r\n\r\n{}`;
  const all = readAll(tls);
  tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\nHost: elsewhere.example\r\n\r\n${good}${good}`);
  expect((await all).toString().match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(seen).toEqual([]);
});

test('a gRPC caller reads a refusal as trailers', async () => {
  const tls = await open();
  tls.write(
    `POST /s/M HTTP/1.1\r\nHost: elsewhere.example\r\nContent-Type: application/grpc+proto\r\nContent-Length: 0\r\n\r\n`,
  );
  expect(await readUntil(tls, '\r\n\r\n')).toContain('grpc-status: 7');
  tls.destroy();
});
