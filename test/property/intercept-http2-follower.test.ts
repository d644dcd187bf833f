import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect, createServer } from 'node:net';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { HpackDecoder } from '#sidecar/intercept/hpack.ts';
import type { HttpHead } from '#sidecar/intercept/http-head.ts';
import { Http2Follower } from '#sidecar/intercept/http2-follower.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

test('the request examples of RFC 7541 Appendix C.3 and C.4 are decoded, with and without Huffman code', () => {
  const plain = [
    '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '8286 84be 5808 6e6f 2d63 6163 6865',
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
  ];
  const coded = [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ];
  for (const blocks of [plain, coded]) {
    const decoder = new HpackDecoder();
    const [first, second, third] = blocks.map((block) => decoder.decode(hex(block)));
    const authority = [':authority', 'www.example.com'];
    expect(first).toEqual([[':method', 'GET'], [':scheme', 'http'], [':path', '/'], authority]);
    expect(second).toEqual([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      authority,
      ['cache-control', 'no-cache'],
    ]);
    expect(third).toEqual([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':path', '/index.html'],
      authority,
      ['custom-key', 'custom-value'],
    ]);
  }
});

test('the response example of RFC 7541 Appendix C.5, whose table evicts, is decoded', () => {
  const decoder = new HpackDecoder();
  // The example's table of 256 bytes, said by an update at the beginning.
  const blocks = [
    '3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '4803 3330 37c1 c0bf',
  ];
  decoder.decode(hex(blocks[0] ?? ''));
  expect(decoder.decode(hex(blocks[1] ?? ''))).toEqual([
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
    ['location', 'https://www.example.com'],
  ]);
});

test('no bytes make the decoder throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) expect([null, 'object']).toContain(decoder.decode(Buffer.from(block)) && 'object');
    }),
  );
});

test.each([
  ['an index beyond the tables', 'ff00'],
  ['index zero', '80'],
  ['a table larger than the bound', '3fe1ffff7f'],
  ['a table update behind a field', '8220'],
  ['a string that is cut', '400a6375'],
  ['an integer without end', 'ffffffffffffffff'],
  ['the end-of-string symbol', '0084ffffffff00'],
  ['padding of zeros', '00811800'],
])('%s is malformed', (_what, block) => {
  expect(new HpackDecoder().decode(hex(block))).toBeNull();
});

/** What Node's own HTTP/2 client says for some requests, taken down between it and Node's own server. */
async function recordClient(paths: readonly string[]): Promise<Buffer> {
  const said: Buffer[] = [];
  const server = createHttp2Server((request, response) => request.resume().on('end', () => response.end('ok')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const between = createServer((client) => {
    const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('data', (chunk: Buffer) => said.push(chunk)).on('error', () => undefined);
    upstream.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const session = connectHttp2(`http://127.0.0.1:${(between.address() as AddressInfo).port}`);
  for (const path of paths) {
    const fields = { ':method': 'POST', ':path': path, ':authority': 'model:8000', 'x-a': path.repeat(3) };
    const stream = session.request(fields);
    stream.end(Buffer.alloc(300, 65));
    await once(stream.resume(), 'close');
  }
  session.destroy();
  server.close();
  between.close();
  return Buffer.concat(said);
}

const OTHER = ['/grpc.health.v1.Health/Check', '/etcdserverpb.KV/Range', '/grpc.health.v1.Health/Check'];
let harmless: Buffer;
let withModel: Buffer;
beforeAll(async () => {
  harmless = await recordClient(OTHER);
  withModel = await recordClient([...OTHER, '/v1/messages']);
});
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 });

/** Pushes bytes cut at the given lengths, then the rest, until the follower refuses. */
function follow(bytes: Buffer, lengths: readonly number[]): { passed: Buffer; refused: boolean; judged: string[] } {
  const judged: string[] = [];
  const follower = new Http2Follower((head: HttpHead) => {
    judged.push(`${head.method} ${head.target} ${head.fields.find(([name]) => name === 'host')?.[1]}`);
    return head.target !== '/v1/messages';
  });
  const passed: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    const step = follower.push(bytes.subarray(at, at + length));
    passed.push(...step.forward);
    if (step.stop !== null) return { passed: Buffer.concat(passed), refused: true, judged };
    at += length;
    if (at >= bytes.length) break;
  }
  return { passed: Buffer.concat(passed), refused: false, judged };
}

test('wherever the network cut, the same bytes pass, unchanged, and each request is judged once in order', () => {
  fc.assert(
    fc.property(cuts, (lengths) => {
      const { passed, refused, judged } = follow(harmless, lengths);
      expect(refused).toBe(false);
      expect(passed.equals(harmless)).toBe(true);
      expect(judged).toEqual(OTHER.map((path) => `POST ${path} model:8000`));
    }),
  );
});

test('wherever the network cut, nothing of a request that may not pass is forwarded', () => {
  const { passed: whole } = follow(withModel, []);
  fc.assert(
    fc.property(cuts, (lengths) => {
      const { passed, refused } = follow(withModel, lengths);
      expect(refused).toBe(true);
      expect(passed.equals(whole)).toBe(true);
    }),
  );
  expect(whole.equals(withModel.subarray(0, whole.length))).toBe(true);
});

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
test.each([
  ['no preface', Buffer.from('POST /v1/messages HTTP/1.1\r\n\r\n')],
  ['a continuation without headers', Buffer.concat([Buffer.from(PREFACE), hex('000001 09 04 00000001 82')])],
  [
    'headers that another frame interrupts',
    Buffer.concat([Buffer.from(PREFACE), hex('000001 01 00 00000001 83 000000 04 00 00000000')]),
  ],
  [
    'a continuation of another stream',
    Buffer.concat([Buffer.from(PREFACE), hex('000001 01 00 00000001 83 000001 09 04 00000003 84')]),
  ],
  ['padding longer than its frame', Buffer.concat([Buffer.from(PREFACE), hex('000002 01 0c 00000001 05 83')])],
  ['a method twice', Buffer.concat([Buffer.from(PREFACE), hex('000003 01 04 00000001 83 83 84')])],
  ['a path without a method', Buffer.concat([Buffer.from(PREFACE), hex('000001 01 04 00000001 84')])],
  ['headers of a megabyte', Buffer.concat([Buffer.from(PREFACE), hex('100000 01 04 00000001')])],
])('%s is refused', (_what, bytes) => {
  expect(follow(bytes, []).refused).toBe(true);
});

test('headers in pieces, padded and with a priority, are judged as one', () => {
  const bytes = Buffer.concat([
    Buffer.from(PREFACE),
    // PADDED and PRIORITY, then the path in a continuation: "/v1/messages" as a literal.
    hex('000009 01 28 00000001 02 00000000 00 83 0000'),
    hex('00000e 09 04 00000001 04 0c'),
    Buffer.from('/v1/messages'),
  ]);
  expect(follow(bytes, [])).toMatchObject({ refused: true, judged: ['POST /v1/messages undefined'] });
});
