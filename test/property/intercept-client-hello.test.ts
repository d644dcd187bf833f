import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseClientHello } from '#sidecar/intercept/client-hello.ts';
import {
  buildHello,
  captureNode,
  captureProgram,
  intoRecords,
  messageOf,
  serverName,
  vector,
} from './intercept-hello.ts';

const NAME = 'api.openai.com';
const built = buildHello({
  extensions: [
    [0x0a0a, Buffer.alloc(0)],
    serverName(NAME),
    [16, vector(Buffer.from('\x02h2\x08http/1.1', 'latin1'))],
    [51, vector(Buffer.alloc(0))],
    [0xfe0d, Buffer.alloc(180, 1)],
    [21, Buffer.alloc(600)],
  ],
  session: Buffer.alloc(32, 9),
});
const hellos: Record<string, Buffer> = {};
beforeAll(async () => {
  hellos['hand-built with an empty key_share and ECH'] = intoRecords(built, []);
  hellos['node'] = await captureNode({ servername: NAME, ALPNProtocols: ['h2', 'http/1.1'] });
  hellos['node, TLS 1.2'] = await captureNode({
    servername: NAME,
    ALPNProtocols: ['h2', 'http/1.1'],
    maxVersion: 'TLSv1.2',
  });
  hellos['openssl'] = await captureProgram('openssl', [
    's_client',
    '-connect',
    '127.0.0.1:PORT',
    '-servername',
    NAME,
    '-alpn',
    'h2,http/1.1',
  ]);
  hellos['curl'] = await captureProgram('curl', [
    '-s',
    '-m',
    '5',
    '--noproxy',
    '*',
    '--connect-to',
    '::127.0.0.1:PORT',
    `https://${NAME}/`,
  ]);
});
const CLIENTS = ['hand-built with an empty key_share and ECH', 'node', 'node, TLS 1.2', 'openssl', 'curl'];

describe.each(CLIENTS)('the hello of %s', (client) => {
  const hello = (): Buffer => hellos[client] ?? Buffer.alloc(0);
  test('is complete with its name and protocols', () => {
    expect(parseClientHello(hello())).toMatchObject({
      state: 'complete',
      hello: { serverName: NAME, alpn: ['h2', 'http/1.1'] },
    });
  });
  test('is incomplete at every shorter prefix', () => {
    for (let length = 0; length < hello().length; length += 1) {
      expect(parseClientHello(hello().subarray(0, length)).state).toBe('incomplete');
    }
  });
  test('says the same however it is cut into records, and every prefix of that is incomplete', () => {
    const message = messageOf(hello());
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 }), fc.nat(), (lengths, cut) => {
        const records = intoRecords(message, lengths);
        expect(parseClientHello(records)).toEqual(parseClientHello(hello()));
        expect(parseClientHello(records.subarray(0, cut % records.length)).state).toBe('incomplete');
      }),
      { numRuns: 100 },
    );
  });
});

/** The message made longer inside its own length. */
function withTail(message: Buffer, bytes: number): Buffer {
  const longer = Buffer.concat([message, Buffer.alloc(bytes)]);
  longer.writeUIntBE(longer.length - 4, 1, 3);
  return longer;
}

test('bytes after the hello belong to later records and change nothing', () => {
  const early = Buffer.concat([
    intoRecords(built, []),
    Buffer.from([20, 3, 3, 0, 1, 1]),
    Buffer.from([23, 3, 3, 0, 1, 0]),
  ]);
  expect(parseClientHello(early)).toEqual(parseClientHello(intoRecords(built, [])));
});

test('ECH is seen and the outer name is what counts', () => {
  expect(parseClientHello(intoRecords(built, []))).toMatchObject({ hello: { ech: true, serverName: NAME } });
});

test('a hello without a name has none', () => {
  expect(parseClientHello(intoRecords(buildHello({ extensions: [] }), []))).toMatchObject({
    state: 'complete',
    hello: { serverName: null },
  });
});

test.each<[string, Buffer]>([
  [
    'two names',
    buildHello({ extensions: [[0, vector(Buffer.concat([Buffer.from([0, 0, 1, 97]), Buffer.from([0, 0, 1, 98])]))]] }),
  ],
  ['two server_name extensions', buildHello({ extensions: [serverName('a.example'), serverName('b.example')] })],
  ['an empty name', buildHello({ extensions: [serverName('')] })],
  ['an unknown name type', buildHello({ extensions: [[0, vector(Buffer.from([1, 0, 1, 97]))]] })],
  ['a name longer than its list', buildHello({ extensions: [[0, Buffer.from([0, 4, 0, 0, 9, 97])]] })],
  ['an empty protocol', buildHello({ extensions: [[16, vector(Buffer.from([0]))]] })],
  ['bytes behind the extensions', withTail(buildHello({ extensions: [serverName(NAME)] }), 2)],
  ['a message of another type', Buffer.concat([Buffer.from([2]), built.subarray(1)])],
  ['a message longer than the bound', Buffer.from([1, 1, 0, 0, 3, 3])],
])('%s is invalid', (_name, message) => {
  expect(parseClientHello(intoRecords(message, [])).state).toBe('invalid');
});

test.each<[string, Buffer]>([
  ['an SSLv2 hello', Buffer.from([0x80, 0x2e, 1, 3, 1, 0])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record longer than allowed', Buffer.from([22, 3, 1, 0x40, 1])],
  ['an alert', Buffer.from([21, 3, 3, 0, 2, 2, 0])],
  [
    'another record type in the middle',
    Buffer.concat([intoRecords(built.subarray(0, 50), []), Buffer.from([23, 3, 3, 0, 1, 0])]),
  ],
  ['a record with more than the hello', intoRecords(Buffer.concat([built, Buffer.from([0])]), [])],
])('%s is invalid', (_name, bytes) => {
  expect(parseClientHello(bytes).state).toBe('invalid');
});

test('no bytes make it throw or hold more than the bound', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat({ max: built.length - 1 }), (noise, at) => {
      expect(['complete', 'incomplete', 'invalid']).toContain(parseClientHello(noise).state);
      const mutated = Buffer.from(intoRecords(built, []));
      noise.forEach((byte, index) => {
        mutated[(at + index * 7) % mutated.length] = byte;
      });
      expect(['complete', 'incomplete', 'invalid']).toContain(parseClientHello(mutated).state);
    }),
    { numRuns: 500 },
  );
  const endless = Buffer.concat(
    Array.from({ length: 5_000 }, () => Buffer.concat([Buffer.from([22, 3, 1, 0, 20]), Buffer.alloc(20, 1)])),
  );
  endless.set([1, 0, 0xff, 0], 5);
  expect(parseClientHello(endless).state).toBe('invalid');
});
