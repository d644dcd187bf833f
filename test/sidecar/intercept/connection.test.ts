import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { buildHello, captureNode, intoRecords, serverName } from '#test/property/intercept-hello.ts';
import { connectWithTwoNames } from './tls13-client.ts';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import type { InboundRequest } from '#sidecar/exchange/ports.ts';
import {
  ECHO,
  LISTED,
  LLM,
  openRoom,
  openServer,
  openTlsOrigin,
  OTHER_LLM,
  POLICY,
  PRIVATE,
  PUBLIC,
  readAll,
  readUntil,
  type TestRoom,
  type TestServer,
} from './room.ts';

let room: TestRoom;
let servers: TestServer[];
let seen: InboundRequest[];
beforeEach(async () => {
  room = await openRoom();
  servers = [];
  seen = [];
  room.settings.handler = async (request, reply) => {
    seen.push(request);
    await ECHO(request, reply);
  };
});
afterEach(async () => {
  await room.close();
  await Promise.all(servers.map((server) => server.close()));
});

async function serve(at: string, onConnection: (socket: Socket) => void): Promise<void> {
  const server = await openServer(onConnection);
  servers.push(server);
  room.settings.routes.set(at, server.port);
}

async function serveListed(onConnection: (socket: Socket) => void): Promise<{ readonly root: string }> {
  const origin = await openTlsOrigin(LISTED, onConnection);
  servers.push(origin);
  room.settings.names.set(LISTED, ['198.51.100.1']);
  room.settings.routes.set('198.51.100.1:443', origin.port);
  return origin;
}

const alertOf = async (socket: Socket): Promise<string> => {
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code ?? '';
};
const ACCESS_DENIED = 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED';

describe('public destinations', () => {
  test('a listed name is spliced to our own resolution: the certificate is the one a direct client sees', async () => {
    const origin = await serveListed((socket) => socket.end('direct'));
    const direct = connectTls({ host: '127.0.0.1', port: servers[0]!.port, servername: LISTED, ca: origin.root });
    await once(direct, 'secureConnect');
    const spliced = room.connectTls(LISTED, { ca: origin.root });
    await once(spliced, 'secureConnect');
    expect(spliced.getPeerCertificate().fingerprint256).toBe(direct.getPeerCertificate().fingerprint256);
    expect((await readAll(spliced)).toString()).toBe('direct');
    expect(room.dialled).toEqual([{ host: LISTED, address: '198.51.100.1', port: 443 }]);
    direct.destroy();
    spliced.destroy();
    expect(await room.nextRecord()).toMatchObject({
      decision: 'splice',
      host: LISTED,
      hostClass: 'listed',
      reason: null,
    });
  });

  test('the next address is dialled when the first does not answer', async () => {
    const origin = await serveListed((socket) => socket.end('second'));
    room.settings.names.set(LISTED, ['198.51.100.66', '198.51.100.1']);
    const spliced = room.connectTls(LISTED, { ca: origin.root });
    expect((await readAll(spliced)).toString()).toBe('second');
  });

  test('an unreachable listed name is a reset, as a refused connection would be', async () => {
    const client = room.connectTls(LISTED);
    expect(await alertOf(client)).toBe('ECONNRESET');
    expect(await room.nextRecord()).toMatchObject({ decision: 'splice', fault: 'upstream_unreachable' });
  });

  test('an unlisted name is refused by access_denied and its name is not recorded', async () => {
    expect(await alertOf(room.connectTls('john-doe.example.net'))).toBe(ACCESS_DENIED);
    const record = await room.nextRecord();
    expect(record).toMatchObject({
      decision: 'refuse',
      reason: 'destination_not_allowed',
      host: null,
      hostClass: 'unlisted',
      side: 'public',
    });
    expect(JSON.stringify(record)).not.toContain('john');
  });

  test('a name below a listed wildcard is recorded as the wildcard', async () => {
    const client = room.connectTls('john-doe.listed.example');
    await alertOf(client);
    expect(await room.nextRecord()).toMatchObject({ decision: 'splice', host: '*.listed.example' });
  });

  test('no SNI, and an address, are refused by access_denied', async () => {
    expect(await alertOf(room.connectTls('', { servername: '' }))).toBe(ACCESS_DENIED);
  });

  test('a known LLM host outside the name constraints is refused by access_denied', async () => {
    expect(await alertOf(room.connectTls('openrouter.ai'))).toBe(ACCESS_DENIED);
    expect(await room.nextRecord()).toMatchObject({ reason: 'provider_not_approved', hostClass: 'router' });
  });

  test('a known LLM host without an agreement is terminated, so that the refusal can be read', async () => {
    const tls = room.connectTls(OTHER_LLM, { ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    tls.write(`GET / HTTP/1.1\r\nHost: ${OTHER_LLM}\r\n\r\n`);
    await readUntil(tls, '"target"');
    expect(seen[0]?.connection).toMatchObject({ host: OTHER_LLM, port: 443, secure: true });
    tls.destroy();
  });

  test('clear HTTP to an unlisted name is refused with 403 and what SDKs look at', async () => {
    const client = room.connect();
    client.write('GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n');
    const text = (await readAll(client)).toString();
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
    expect(text).toContain('x-lazaret-reason: destination_not_allowed');
    expect(text).toContain('x-should-retry: false');
    client.destroy();
  });

  test('clear HTTP to an LLM host is handed to the exchange as not secure', async () => {
    room.settings.destination = { ...PUBLIC, port: 80 };
    const client = room.connect();
    client.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 2\r\n\r\n{}`);
    await readUntil(client, '"body":"{}"');
    expect(seen[0]?.connection).toMatchObject({ host: LLM, port: 80, secure: false });
    client.destroy();
  });

  test.each([
    ['noise', Buffer.from([0, 1, 2, 3, 250])],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['SOCKS', Buffer.from([5, 1, 0])],
    ['an HTTP/2 preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ])('%s on a public address is refused', async (_name, bytes) => {
    const client = room.connect();
    client.write(bytes);
    expect((await readAll(client)).length).toBe(0);
    expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', reason: 'destination_not_allowed' });
  });

  test('a client that says nothing, or stops within its hello, is refused when the time is over', async () => {
    await room.close();
    room = await openRoom({ bounds: { classifyMs: 40 } });
    for (const bytes of [Buffer.alloc(0), Buffer.from([22, 3, 1, 2, 0, 1, 0]), Buffer.from('POST /v1')]) {
      const client = room.connect();
      client.write(bytes);
      await readAll(client);
      expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', sight: 'silent' });
      client.destroy();
    }
    expect(room.dialled).toEqual([]);
  });

  test('clear HTTP to a listed name is followed: a later request for another host is never forwarded', async () => {
    const received: Buffer[] = [];
    room.settings.destination = { ...PUBLIC, port: 80 };
    room.settings.names.set(LISTED, ['198.51.100.1']);
    await serve('198.51.100.1:80', (socket) => {
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const client = room.connect();
    client.write(`POST / HTTP/1.1\r\nhOsT:  ${LISTED}\r\nContent-Length: 3\r\n\r\nabc`);
    await readUntil(client, 'ok');
    client.write(`POST /secret HTTP/1.1\r\nHost: ${LLM}\r\nContent-Length: 3\r\n\r\nphi`);
    await readAll(client);
    expect(Buffer.concat(received).toString()).toBe(
      `POST / HTTP/1.1\r\nhOsT:  ${LISTED}\r\nContent-Length: 3\r\n\r\nabc`,
    );
    expect(await room.nextRecord()).toMatchObject({
      decision: 'splice',
      reason: 'destination_not_allowed',
      fault: 'later_request_refused',
    });
  });
});

describe('private destinations', () => {
  beforeEach(() => {
    room.settings.destination = PRIVATE;
  });
  const at = `${PRIVATE.address}:${PRIVATE.port}`;

  test('a server that speaks first is heard at once, and half-closes pass both ways', async () => {
    let heard = '';
    await serve(at, (socket) => {
      socket.write('banner\n');
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      socket.on('end', () => socket.end('after your end'));
    });
    const client = room.connect();
    await readUntil(client, 'banner\n');
    client.end('\0binary');
    expect((await readAll(client)).toString()).toBe('after your end');
    expect(heard).toBe('\0binary');
    expect(room.dialled).toEqual([{ host: null, ...PRIVATE }]);
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', side: 'private', bytesIn: 7, bytesOut: 21 });
  });

  test('a client that only reads, and closes its side at once, still gets the answer', async () => {
    await serve(at, (socket) => socket.on('end', () => socket.end('time\n')).resume());
    const client = room.connect();
    client.end();
    expect((await readAll(client)).toString()).toBe('time\n');
  });

  test('an unreachable address is a reset', async () => {
    const client = room.connect();
    await readAll(client);
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', fault: 'upstream_unreachable' });
  });

  test('TLS to a name that is no LLM host passes unopened', async () => {
    const origin = await openTlsOrigin('db.cluster.example' as typeof LISTED, (socket) => socket.end('db'));
    servers.push(origin);
    room.settings.routes.set(at, origin.port);
    const client = room.connectTls('db.cluster.example', { ca: origin.root });
    expect((await readAll(client)).toString()).toBe('db');
  });

  test('a ClientHello for an LLM host is terminated, whatever address it goes to', async () => {
    await serve(at, () => {});
    const tls = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}:5432\r\n\r\n`);
    await readUntil(tls, '"target"');
    tls.destroy();
  });

  test('a clear LLM operation is examined; the server sees none of it', async () => {
    const received: Buffer[] = [];
    await serve(at, (socket) => socket.on('data', (chunk: Buffer) => received.push(chunk)));
    const client = room.connect();
    client.write('POST /v1/chat/completions HTTP/1.1\r\nHost: vllm:5432\r\nContent-Length: 3\r\n\r\nphi');
    await readUntil(client, '"body":"phi"');
    expect(seen[0]?.connection).toMatchObject({ host: 'vllm', port: 5432, secure: false });
    expect(received).toEqual([]);
    client.destroy();
  });

  test('a clear LLM operation to a bare address is refused, since no agreement can name it', async () => {
    await serve(at, () => {});
    const client = room.connect();
    client.write('POST /v1/chat/completions HTTP/1.1\r\nHost: 10.1.2.3:5432\r\nContent-Length: 3\r\n\r\nphi');
    expect((await readAll(client)).toString()).toContain('x-lazaret-reason: agreement_missing');
  });

  test('a later LLM operation on a clear connection closes it before it is forwarded', async () => {
    const received: Buffer[] = [];
    await serve(at, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    const client = room.connect();
    const first = 'POST /fhir HTTP/1.1\r\nHost: fhir\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    client.write(first);
    await readUntil(client, '204');
    client.write('POST //v1/%63hat/completions HTTP/1.1\r\nHost: fhir\r\nContent-Length: 3\r\n\r\nphi');
    await readAll(client);
    expect(Buffer.concat(received).toString()).toBe(first);
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', fault: 'later_request_refused' });
  });

  test('a request that servers could read differently is refused, not passed', async () => {
    await serve(at, () => {});
    for (const bytes of [
      'POST / HTTP/1.1\nHost: a\n\nX',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST /v1/chat/completions  HTTP/1.1\r\nHost: a\r\n\r\n',
      'connect a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
      ' POST /v1/messages HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST\t/v1/messages\tHTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /v1/messages HTTP/2.0\r\nHost: a\r\n\r\n',
      `${'P'.repeat(40)} /v1/messages HTTP/1.1\r\nHost: a\r\n\r\n`,
    ]) {
      const client = room.connect();
      client.write(bytes);
      expect((await readAll(client)).toString()).toContain('x-lazaret-reason: protocol_not_allowed');
      client.destroy();
    }
  });

  test.each(['\n\n', '\r\r\n', '\n'])('empty lines (%j) before a request do not hide it', async (blank) => {
    const received: Buffer[] = [];
    await serve(at, (socket) => socket.on('data', (chunk: Buffer) => received.push(chunk)));
    const client = room.connect();
    client.setNoDelay(true);
    for (const byte of `${blank}POST /v1/messages HTTP/1.1\r\nHost: a\r\n\r\n`) client.write(byte);
    expect(await readUntil(client, 'x-lazaret-reason')).toMatch(/^HTTP\/1\.1 [45]/);
    expect(received).toEqual([]);
    client.destroy();
  });

  test.each([
    ['5', [5, 2, 0, 2]],
    ['4', [4, 1, 1, 187, 10, 0, 0, 1, 0]],
  ])('a SOCKS %s client is refused, however it is cut', async (_version, bytes) => {
    await serve(at, () => {});
    const client = room.connect();
    client.setNoDelay(true);
    for (const byte of bytes) client.write(Uint8Array.of(byte));
    expect((await readAll(client)).length).toBe(0);
    expect(await room.nextRecord()).toMatchObject({
      decision: 'refuse',
      reason: 'destination_not_allowed',
      sight: 'socks',
    });
  });

  test.each([
    ['Cassandra 5', [5, 0, 0, 0, 5, 0, 0, 0, 0]],
    ['DCE/RPC', [5, 0, 11, 3, 16, 0, 0, 0]],
    ['Cassandra 4', [4, 0, 0, 0, 5, 0, 0, 0, 0]],
    ['Cassandra 4, compressed', [4, 1, 0, 0, 5, 0, 0, 0, 0]],
    ['a database whose first byte is five', [5, 1, 0, 0]],
  ])('%s is not taken for SOCKS', async (_what, bytes) => {
    await serve(at, (socket) => socket.pipe(socket));
    const client = room.connect();
    client.write(Uint8Array.from(bytes));
    client.end();
    expect([...(await readAll(client))]).toEqual(bytes);
  });

  test('clear HTTP/2 passes until a request is a model’s; that one closes the connection before it is forwarded', async () => {
    const paths: string[] = [];
    const server = createHttp2Server((request, response) => {
      paths.push(request.url);
      response.end('served');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    room.settings.routes.set(at, (server.address() as AddressInfo).port);
    const session = connectHttp2(`http://127.0.0.1:${room.port}`);
    session.on('error', () => {});
    const ask = async (path: string): Promise<string> => {
      const stream = session.request({ ':method': 'POST', ':path': path });
      stream.end('{}');
      return await new Promise((resolve) => {
        stream.on('data', (chunk: Buffer) => resolve(chunk.toString())).on('error', () => resolve('closed'));
      });
    };
    expect(await ask('/etcdserverpb.KV/Range')).toBe('served');
    expect(await ask('/v1/chat/completions')).toBe('closed');
    expect(paths).toEqual(['/etcdserverpb.KV/Range']);
    expect(await room.nextRecord()).toMatchObject({
      decision: 'opaque',
      sight: 'http2',
      fault: 'later_request_refused',
      reason: 'destination_not_allowed',
    });
    server.close();
  });

  test('after an upgrade to h2c the requests inside are followed too', async () => {
    const received: Buffer[] = [];
    await serve(at, (socket) => {
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    });
    const client = room.connect();
    const head =
      'GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n';
    client.write(head);
    await readUntil(client, '101');
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    // HEADERS: POST, path /v1/messages.
    const request = Buffer.concat([Buffer.from('00000f01040000000383040c', 'hex'), Buffer.from('/v1/messages')]);
    client.write(Buffer.concat([Buffer.from(preface), request]));
    expect((await readAll(client)).length).toBe(0);
    expect(Buffer.concat(received).toString('latin1').startsWith(head)).toBe(true);
    expect(Buffer.concat(received).toString('latin1')).not.toContain('/v1/messages');
    expect(await room.nextRecord()).toMatchObject({ fault: 'later_request_refused' });
  });

  test('a few bytes and the end of them pass: nothing that could be a request follows', async () => {
    await serve(at, (socket) => socket.pipe(socket));
    const client = room.connect();
    client.end('hello');
    expect((await readAll(client)).toString()).toBe('hello');
    for (const beginning of ['POST /v1/messages HTTP/1.1\r\n', 'POST /v1/messages HTTP/1.1\rHost: a\r\r', '\x16\x03']) {
      const stopped = room.connect();
      stopped.end(beginning, 'latin1');
      expect((await readAll(stopped)).length).toBe(0);
    }
  });

  test('a text protocol without line ends passes at once where the server spoke first, whatever it says next', async () => {
    let heard = '';
    await serve(at, (socket) => {
      socket.write('ready');
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
        socket.write(`${heard.length};`);
      });
      socket.on('end', () => socket.end());
    });
    const client = room.connect();
    await readUntil(client, 'ready');
    client.write('HELLO Maria Gonzalez');
    await readUntil(client, '20;');
    client.write('SEND\0a line\n');
    await readUntil(client, '32;');
    client.write('POST /v1/messages HTTP/1.1\r\n');
    await readUntil(client, '60;');
    client.destroy();
    expect(heard).toBe('HELLO Maria GonzalezSEND\0a line\nPOST /v1/messages HTTP/1.1\r\n');
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', sight: 'line', fault: null });
  });

  test('a request in pieces to a server that spoke first never gets its first line to an end', async () => {
    const received: Buffer[] = [];
    await serve(at, (socket) => {
      socket.write('ready');
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.write('!');
      });
    });
    const client = room.connect();
    await readUntil(client, 'ready');
    client.write('POST /v1/mess');
    await readUntil(client, '!');
    client.write('ages HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nphi');
    expect((await readAll(client)).length).toBe(0);
    expect(Buffer.concat(received).toString()).toBe('POST /v1/mess');
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', fault: 'later_request_refused' });
  });

  test('clear HTTP/2 to a server that spoke first is followed, however its preface is cut', async () => {
    const received: Buffer[] = [];
    await serve(at, (socket) => {
      socket.write('settings');
      socket.on('data', (chunk: Buffer) => received.push(chunk));
    });
    const client = room.connect();
    client.setNoDelay(true);
    await readUntil(client, 'settings');
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') client.write(byte);
    client.write(Buffer.concat([Buffer.from('00000f01040000000383040c', 'hex'), Buffer.from('/v1/messages')]));
    expect((await readAll(client)).length).toBe(0);
    expect(Buffer.concat(received).toString('latin1')).not.toContain('/v1/messages');
    expect(await room.nextRecord()).toMatchObject({ sight: 'http2', fault: 'later_request_refused' });
  });

  test('a head that stalls behind its first line is refused, though the server spoke first', async () => {
    await room.close();
    room = await openRoom({ bounds: { classifyMs: 40 } });
    room.settings.destination = PRIVATE;
    const received: Buffer[] = [];
    await serve(at, (socket) => {
      socket.write('ready');
      socket.on('data', (chunk: Buffer) => received.push(chunk));
    });
    for (const beginning of ['POST /v1/messages HTTP/1.1\r\nHost: a', '\x16\x03\x01', '\x05\x02\x00']) {
      const client = room.connect();
      await readUntil(client, 'ready');
      client.write(beginning, 'latin1');
      expect((await readAll(client)).length).toBe(0);
      expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', reason: 'protocol_not_allowed' });
    }
    expect(received).toEqual([]);
  });

  test('a beginning that stalls is refused and never forwarded', async () => {
    await room.close();
    room = await openRoom({ bounds: { classifyMs: 40 } });
    room.settings.destination = PRIVATE;
    const received: Buffer[] = [];
    await serve(at, (socket) => socket.on('data', (chunk: Buffer) => received.push(chunk)));
    const client = room.connect();
    client.write('POST /v1/chat/comple');
    await readAll(client);
    expect(received).toEqual([]);
    expect(await room.nextRecord()).toMatchObject({
      decision: 'refuse',
      reason: 'protocol_not_allowed',
      sight: 'silent',
    });
  });

  test('a WebSocket inside the cluster passes once the server agreed; until then nothing but HTTP does', async () => {
    let received = '';
    let tell = (_all: string): void => {};
    const framed = new Promise<string>((resolve) => {
      tell = resolve;
    });
    await serve(at, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'));
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString();
        if (received.endsWith('frame')) tell(received);
      });
    });
    const client = room.connect();
    const head = 'GET /ws HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    client.write(head);
    await readUntil(client, '101');
    client.write('~~frame');
    expect(await framed).toBe(`${head}~~frame`);
    client.destroy();
  });

  test('a server that declines an upgrade leaves the connection followed', async () => {
    const received: string[] = [];
    await serve(at, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk.toString());
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const client = room.connect();
    const head = 'GET / HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
    client.write(head);
    await readUntil(client, '200');
    client.write('POST /v1/messages HTTP/1.1\r\nHost: app\r\nContent-Length: 3\r\n\r\nphi');
    await readAll(client);
    expect(received.join('')).toBe(head);
  });

  test('TCP 53 reaches a configured resolver only, TCP 853 nobody', async () => {
    await serve('10.96.0.10:53', (socket) => socket.on('data', (chunk: Buffer) => socket.end(chunk)));
    room.settings.destination = { address: '10.96.0.10', port: 53 };
    const client = room.connect();
    client.end('\0\x02hi');
    expect((await readAll(client)).toString()).toBe('\0\x02hi');
    for (const destination of [
      { address: '10.96.0.11', port: 53 },
      { address: '203.0.113.53', port: 53 },
      { address: '10.96.0.10', port: 853 },
    ]) {
      room.settings.destination = destination;
      const refused = room.connect();
      expect((await readAll(refused)).length).toBe(0);
    }
    expect(room.dialled.length).toBe(1);
  });
});

describe('CONNECT', () => {
  const connectTo = (target: string): Socket => {
    const client = room.connect();
    client.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    return client;
  };

  test('a listed target is spliced by the name in the ClientHello inside', async () => {
    const origin = await serveListed((socket) => socket.end('through the tunnel'));
    const client = connectTo(`${LISTED}:443`);
    await readUntil(client, '200 Connection Established\r\n\r\n');
    const tls = connectTls({ socket: client, servername: LISTED, ca: origin.root });
    expect((await readAll(tls)).toString()).toBe('through the tunnel');
  });

  test('an LLM host is terminated inside the tunnel', async () => {
    const client = connectTo(`${LLM}:443`);
    await readUntil(client, '\r\n\r\n');
    const tls = connectTls({ socket: client, servername: LLM, ca: room.root, ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
    await readUntil(tls, '"target"');
    tls.destroy();
  });

  test('a listed target with another ClientHello inside is judged by the ClientHello', async () => {
    const client = connectTo(`${LISTED}:443`);
    await readUntil(client, '\r\n\r\n');
    const tls = connectTls({ socket: client, servername: 'elsewhere.example' });
    expect(await alertOf(tls)).toBe(ACCESS_DENIED);
  });

  test('an unlisted target is refused with 403 before anything passes', async () => {
    expect((await readAll(connectTo('elsewhere.example:443'))).toString()).toContain(
      'x-lazaret-reason: destination_not_allowed',
    );
    expect((await readAll(connectTo('203.0.113.1:443'))).toString()).toContain(
      'x-lazaret-reason: destination_not_allowed',
    );
    expect((await readAll(connectTo('127.0.0.1:15020'))).toString()).toContain(
      'x-lazaret-reason: destination_not_allowed',
    );
  });

  test('a ClientHello sent without waiting for the answer is judged all the same', async () => {
    const client = room.connect();
    client.write(Buffer.concat([Buffer.from(`CONNECT ${LISTED}:443 HTTP/1.1\r\n\r\n`), Buffer.from([0, 1, 2])]));
    await readAll(client);
    expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', sight: 'other' });
  });

  test('a private address in a tunnel is a private destination', async () => {
    await serve('10.1.2.3:5432', (socket) => socket.write('banner\n'));
    const client = connectTo('10.1.2.3:5432');
    expect(await readUntil(client, 'banner\n')).toContain('200');
    client.destroy();
  });

  test('tunnels within tunnels are bounded', async () => {
    const client = connectTo(`${LISTED}:443`);
    await readUntil(client, '\r\n\r\n');
    client.write(`CONNECT ${LISTED}:443 HTTP/1.1\r\n\r\n`);
    await readUntil(client, '\r\n\r\n');
    client.write(`CONNECT ${LISTED}:443 HTTP/1.1\r\n\r\n`);
    expect((await readAll(client)).length).toBe(0);
  });

  test('as an explicit proxy the room needs no original destination', async () => {
    await room.close();
    room = await openRoom({ proxyMode: true });
    room.settings.destination = null;
    const client = connectTo(`${LLM}:443`);
    await readUntil(client, '\r\n\r\n');
    const tls = connectTls({ socket: client, servername: LLM, ca: room.root, ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    tls.write(`GET /in-proxy-mode HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
    await readUntil(tls, '/in-proxy-mode');
    tls.destroy();
  });

  test('absolute form is judged by its target and spliced untouched', async () => {
    const received: Buffer[] = [];
    room.settings.names.set(LISTED, ['198.51.100.1']);
    await serve('198.51.100.1:80', (socket) =>
      socket.once('data', (chunk: Buffer) => {
        received.push(chunk);
        socket.end('HTTP/1.0 200 OK\r\n\r\nabsolute');
      }),
    );
    room.settings.destination = { address: '10.0.0.8', port: 3128 };
    await serve('10.0.0.8:3128', () => {});
    const client = room.connect();
    const request = `GET http://${LISTED}/page HTTP/1.1\r\nHost: ${LISTED}\r\n\r\n`;
    client.write(request);
    expect((await readAll(client)).toString()).toContain('absolute');
    expect(Buffer.concat(received).toString()).toBe(request);
    const other = room.connect();
    other.write('GET http://elsewhere.example/ HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n');
    expect((await readAll(other)).toString()).toContain('destination_not_allowed');
  });
});

describe('the room itself', () => {
  test('a connection without an original destination is reset (loop guard)', async () => {
    room.settings.destination = null;
    const client = room.connect();
    await readAll(client);
    expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', check: 'connection was redirected' });
  });

  test('more connections than the bound are refused as busy', async () => {
    await room.close();
    room = await openRoom({ bounds: { connections: 1 } });
    const first = room.connect();
    await once(first, 'connect');
    const second = room.connect();
    await readAll(second);
    expect(await room.nextRecord()).toMatchObject({
      decision: 'refuse',
      reason: 'busy',
      fault: 'too_many_connections',
    });
    first.destroy();
  });

  test('a policy that no longer lists a destination resets its live splices', async () => {
    const origin = await serveListed((socket) => socket.write('alive'));
    const client = room.connectTls(LISTED, { ca: origin.root });
    await readUntil(client, 'alive');
    room.intercept.reconsider();
    room.settings.policy = { ...POLICY, destinations: [] };
    const closed = new Promise((resolve) => client.once('close', resolve));
    room.intercept.reconsider();
    await closed;
    expect(await room.nextRecord()).toMatchObject({ fault: 'policy_changed' });
  });

  test('without a policy nothing passes, private destinations included', async () => {
    room.settings.policy = null;
    expect(await alertOf(room.connectTls(LISTED))).toBe(ACCESS_DENIED);
    expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', reason: 'policy_missing' });
    room.settings.destination = PRIVATE;
    const client = room.connect();
    client.write('\0database');
    await readAll(client);
    expect(await room.nextRecord()).toMatchObject({ decision: 'refuse', reason: 'policy_missing' });
    expect(room.dialled).toEqual([]);
  });

  test('a client without our root is counted, and the second in a row is told as such', async () => {
    for (let round = 1; round <= 2; round += 1) {
      const client = room.connectTls(LLM, { ca: [] });
      await alertOf(client);
      expect(await room.nextRecord()).toMatchObject({ decision: 'terminate', fault: 'certificate_refused' });
      expect(room.signs.at(-1)).toMatchObject({ host: LLM, inRow: round });
    }
  });

  test('a client that is too slow for a handshake is not taken for one that distrusts us', async () => {
    const hello = await captureNode({ servername: LLM });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const client = room.connect();
      client.write(hello);
      await once(client, 'data');
      const ended = once(client.resume(), 'end');
      await vi.advanceTimersByTimeAsync(LIMIT.handshakeMs);
      await ended;
    } finally {
      vi.useRealTimers();
    }
    expect(await room.nextRecord()).toMatchObject({ decision: 'terminate', fault: 'handshake_failed' });
    expect(room.signs).toEqual([]);
  });

  test('curl without our root is seen by its alert', async () => {
    await promisify(execFile)('curl', [
      '-sS',
      '--noproxy',
      '*',
      '--connect-to',
      `::127.0.0.1:${room.port}`,
      `https://${LLM}/`,
    ]).catch(() => {});
    expect(await room.nextRecord()).toMatchObject({ fault: 'certificate_refused' });
    expect(room.signs).toMatchObject([{ host: LLM, sign: 'alert', inRow: 1 }]);
  });

  test('a session is resumed on the next connection', async () => {
    const tls = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
    const ticket = new Promise<Buffer>((resolve) => tls.once('session', resolve));
    await once(tls, 'secureConnect');
    const session = await ticket;
    tls.destroy();
    const again = room.connectTls(LLM, { session, ALPNProtocols: ['http/1.1'] });
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  });

  test('TLS 1.1 is not spoken', async () => {
    const client = room.connectTls(LLM, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    expect(await alertOf(client)).toMatch(/ALERT_PROTOCOL_VERSION|ECONNRESET/);
  });

  test('closing lets a running exchange end and then accepts no more', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    room.settings.handler = async (_request, reply) => {
      reply.head(200, []);
      await reply.write(Buffer.from('begun '));
      await held;
      await reply.write(Buffer.from('ended'));
      await reply.end();
    };
    const tls = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
    await once(tls, 'secureConnect');
    tls.write(`GET / HTTP/1.1\r\nHost: ${LLM}\r\n\r\n`);
    await readUntil(tls, 'begun');
    const closed = room.close();
    release();
    await readUntil(tls, 'ended');
    tls.destroy();
    await closed;
    expect(room.intercept.live()).toBe(0);
  });
});

test('an address that others can reach is not listened on', async () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost']) {
    await expect(openRoom({ listen: [{ host, port: 0 }] })).rejects.toThrow(/open proxy/);
  }
});

test('both loopback families are served', async () => {
  await room.close();
  room = await openRoom({
    listen: [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ],
  });
  const client = connectTls({ host: '::1', port: room.intercept.ports[1]!, servername: LLM, ca: room.root });
  await once(client, 'secureConnect');
  expect(client.authorized).toBe(true);
  client.destroy();
});

test('closing does not wait for connections without a request', async () => {
  const tls = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
  const session = connectHttp2(`https://${LLM}`, {
    createConnection: () => room.connectTls(LLM, { ALPNProtocols: ['h2'] }),
  });
  session.on('error', () => {});
  const idle = room.connect();
  await Promise.all([once(tls, 'secureConnect'), once(session, 'remoteSettings'), once(idle, 'connect')]);
  await room.close();
  expect(room.intercept.live()).toBe(0);
});

describe('a second ClientHello (RFC 8446 §4.1.4)', () => {
  test('with the same name goes on', async () => {
    const client = room.connect();
    expect(await connectWithTwoNames(client, LLM, LLM)).toEqual({ established: true });
    client.destroy();
    expect(await room.nextRecord()).toMatchObject({ decision: 'terminate', fault: null });
  });

  test('with another name never becomes a connection', async () => {
    const client = room.connect();
    expect(await connectWithTwoNames(client, LLM, OTHER_LLM)).toEqual({ established: false });
    expect(await room.nextRecord()).toMatchObject({ decision: 'terminate', fault: 'name_changed' });
    expect(room.signs).toEqual([]);
  });
});

describe('clients people use', () => {
  const run = promisify(execFile);
  const curl = (...args: string[]) =>
    run('curl', ['-sS', '--noproxy', '*', '--cacert', rootFile, '--connect-to', `::127.0.0.1:${room.port}`, ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
  let rootFile: string;
  beforeEach(async () => {
    rootFile = join(await mkdtemp(join(tmpdir(), 'lazaret-')), 'root.pem');
    await writeFile(rootFile, room.root);
  });
  afterEach(() => rm(dirname(rootFile), { recursive: true }));

  test.each([
    ['--http1.1', 'h1'],
    ['--http2', 'h2'],
  ])('curl %s', async (flag, protocol) => {
    const { stdout } = await curl(flag, '-d', '{"a":1}', `https://${LLM}/v1/x`);
    expect(JSON.parse(stdout)).toMatchObject({
      method: 'POST',
      target: '/v1/x',
      body: '{"a":1}',
      connection: { protocol },
    });
  });

  test('curl with a body that waits for 100 Continue, 5 MB', async () => {
    const file = join(dirname(rootFile), 'body');
    await writeFile(file, Buffer.alloc(5 * 1024 * 1024, 'x'));
    const { stdout } = await curl(
      '--http1.1',
      '-H',
      'Expect: 100-continue',
      '--data-binary',
      `@${file}`,
      `https://${LLM}/`,
    );
    expect(JSON.parse(stdout).body.length).toBe(5 * 1024 * 1024);
  });

  test('curl through the room as its proxy', async () => {
    const { stdout } = await run('curl', [
      '-sS',
      '--cacert',
      rootFile,
      '-x',
      `http://127.0.0.1:${room.port}`,
      `https://${LLM}/in-proxy`,
    ]);
    expect(JSON.parse(stdout).target).toBe('/in-proxy');
  });

  test('undici with its pool: 64 requests at once, and an abort', async () => {
    const agent = new Agent({
      connect: (_options, done) => {
        const socket = room.connectTls(LLM, { ALPNProtocols: ['http/1.1'] });
        socket.once('secureConnect', () => done(null, socket)).once('error', (error) => done(error, null));
      },
      connections: 8,
    });
    const answers = await Promise.all(
      Array.from({ length: 64 }, async (_, index) => {
        const { body } = await request(`https://${LLM}/${index}`, {
          dispatcher: agent,
          method: 'POST',
          body: `n${index}`,
        });
        return (await body.json()) as { target: string; body: string };
      }),
    );
    answers.forEach((answer, index) => expect(answer).toMatchObject({ target: `/${index}`, body: `n${index}` }));
    const aborted = new Promise<void>((resolve) => {
      room.settings.handler = async ({ signal }, reply) => {
        reply.head(200, []);
        await reply.write(Buffer.from('x'));
        await new Promise((done) => signal.addEventListener('abort', done));
        resolve();
      };
    });
    const controller = new AbortController();
    const { body } = await request(`https://${LLM}/`, { dispatcher: agent, signal: controller.signal });
    body.on('error', () => {});
    await once(body, 'data');
    controller.abort();
    await aborted;
    await agent.destroy();
  });

  test('a hello that arrives byte by byte', async () => {
    const client = room.connect();
    await once(client, 'connect');
    client.setNoDelay(true);
    const hello = intoRecords(buildHello({ extensions: [serverName('elsewhere.example')] }), [1, 2, 3]);
    const answer = readAll(client);
    for (const byte of hello) await new Promise((resolve) => client.write(Buffer.from([byte]), resolve));
    expect([...(await answer)]).toEqual([21, 3, 3, 0, 2, 2, 49]);
  });
});

describe('monitor mode', () => {
  beforeEach(() => {
    room.settings.policy = { ...POLICY, monitor: true };
  });

  test('what enforce would refuse goes where the client dialled, and the record says why it would not', async () => {
    const origin = await openTlsOrigin('elsewhere.example' as typeof LISTED, (socket) => socket.end('passed'));
    servers.push(origin);
    room.settings.routes.set(`${PUBLIC.address}:${PUBLIC.port}`, origin.port);
    const client = room.connectTls('elsewhere.example', { ca: origin.root });
    expect((await readAll(client)).toString()).toBe('passed');
    client.destroy();
    expect(await room.nextRecord()).toMatchObject({
      decision: 'opaque',
      would: 'destination_not_allowed',
      reason: null,
    });
  });

  test('a beginning that stalls is passed, all of it', async () => {
    await room.close();
    room = await openRoom({ bounds: { classifyMs: 40 } });
    room.settings.policy = { ...POLICY, monitor: true };
    room.settings.destination = PRIVATE;
    await serve(`${PRIVATE.address}:${PRIVATE.port}`, (socket) => socket.pipe(socket));
    const client = room.connect();
    client.write('POST /v1/chat/comple');
    await readUntil(client, 'POST /v1/chat/comple');
    client.destroy();
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', would: 'protocol_not_allowed' });
  });

  test('a client that does not trust our root is let past it from the third connection on', async () => {
    const origin = await openTlsOrigin(LLM, (socket) => socket.end('provider'));
    servers.push(origin);
    room.settings.routes.set(`${PUBLIC.address}:${PUBLIC.port}`, origin.port);
    for (const _ of [1, 2]) {
      await alertOf(room.connectTls(LLM, { ca: origin.root }));
      expect(await room.nextRecord()).toMatchObject({ decision: 'terminate', fault: 'certificate_refused' });
    }
    const client = room.connectTls(LLM, { ca: origin.root });
    expect((await readAll(client)).toString()).toBe('provider');
    client.destroy();
    expect(await room.nextRecord()).toMatchObject({ decision: 'opaque', would: 'provider_not_approved' });
  });

  test('a public server that speaks first is not kept waiting', async () => {
    await serve(`${PUBLIC.address}:${PUBLIC.port}`, (socket) => socket.write('220 mail\r\n'));
    const client = room.connect();
    await readUntil(client, '220 mail\r\n');
    client.destroy();
  });
});
