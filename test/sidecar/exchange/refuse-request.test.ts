import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANTHROPIC, type Guarded, openGuarded } from './guarded.ts';

let room: Guarded;
beforeEach(async () => {
  room = await openGuarded();
});
afterEach(async () => await room.stop());

/** One connection over which some bytes are written; everything that comes back. */
async function say(bytes: string): Promise<string> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port: room.port, servername: ANTHROPIC, ca: room.root });
  let said = '';
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write(bytes);
  await once(socket, 'close');
  return said;
}

const own = (): string => `Host: ${ANTHROPIC}:${room.provider.port}`;

describe('a request whose form is not let through is counted, logged and recorded exactly once', () => {
  it.each([
    ['two Host fields', () => `POST /v1/messages HTTP/1.1\r\n${own()}\r\n${own()}\r\nContent-Length: 0\r\n\r\n`],
    ['another authority', () => 'POST /v1/messages HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 0\r\n\r\n'],
    ['a WebSocket', () => `GET /v1/realtime HTTP/1.1\r\n${own()}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ['CONNECT', () => `CONNECT api.openai.com:443 HTTP/1.1\r\n${own()}\r\n\r\n`],
    [
      'length and chunks',
      () => `POST / HTTP/1.1\r\n${own()}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a head that is too large', () => `GET / HTTP/1.1\r\n${own()}\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['an unknown expectation', () => `POST / HTTP/1.1\r\n${own()}\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\n`],
    ['no HTTP at all', () => 'EHLO example.org\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const said = await say(bytes());
    expect(said).toMatch(/^HTTP\/1\.1 400 /);
    expect(said).toContain('x-lazaret-reason: protocol_not_allowed');
    expect(room.reports).toHaveLength(1);
    const [report] = room.reports;
    expect(report).toMatchObject({ reason: 'protocol_not_allowed', outcome: 'not_sent', provider: 'Anthropic' });
    expect(said).toContain(`x-lazaret-exchange: ${report?.exchange}`);
    expect(room.evidence.entries).toMatchObject([
      { kind: 'refused', facts: { reason: 'protocol_not_allowed', exchange: report?.exchange, host: ANTHROPIC } },
    ]);
    expect(room.provider.received).toEqual([]);
  });

  it('an HTTP/2 stream for another authority', async () => {
    const session = connectHttp2(`https://${ANTHROPIC}`, {
      createConnection: () =>
        connect({ host: '127.0.0.1', port: room.port, servername: ANTHROPIC, ca: room.root, ALPNProtocols: ['h2'] }),
    });
    const stream = session.request({ ':path': '/v1/messages', ':authority': 'api.openai.com' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(400);
    expect(room.reports.map(({ reason }) => reason)).toEqual(['protocol_not_allowed']);
    expect(room.evidence.entries).toMatchObject([{ kind: 'refused', facts: { reason: 'protocol_not_allowed' } }]);
    session.destroy();
  });
});
