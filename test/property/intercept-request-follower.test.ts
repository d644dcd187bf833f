import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHttpHead } from '#sidecar/intercept/http-head.ts';
import { type FollowStep, RequestFollower } from '#sidecar/intercept/request-follower.ts';

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const bodyBytes = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const lengthRequest = fc.tuple(token, bodyBytes).map(([path, body]) => ({
  path,
  bytes: Buffer.concat([
    Buffer.from(`POST /${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`),
    body,
  ]),
}));
const chunkedRequest = fc
  .tuple(
    token,
    fc.array(
      bodyBytes.filter((bytes) => bytes.length > 0),
      { maxLength: 4 },
    ),
    fc.boolean(),
  )
  .map(([path, chunks, trailer]) => ({
    path,
    bytes: Buffer.concat([
      Buffer.from(`PUT /${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n`),
      ...chunks.map((chunk) =>
        Buffer.concat([Buffer.from(`${chunk.length.toString(16)};x=y\r\n`), chunk, Buffer.from('\r\n')]),
      ),
      Buffer.from(`0\r\n${trailer ? 'X-T: 1\r\n' : ''}\r\n`),
    ]),
  }));
const plainRequest = token.map((path) => ({ path, bytes: Buffer.from(`\r\nGET /${path} HTTP/1.0\r\n\r\n`) }));
const requests = fc.array(fc.oneof(lengthRequest, chunkedRequest, plainRequest), { minLength: 1, maxLength: 6 });
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

/** Pushes bytes cut at the given lengths, then the rest, until something stops. */
function run(
  follower: RequestFollower,
  bytes: Buffer,
  lengths: readonly number[],
): { readonly passed: Buffer; readonly last: FollowStep } {
  const passed: Buffer[] = [];
  let last: FollowStep = { forward: [], stop: null, rest: Buffer.alloc(0) };
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    if (at >= bytes.length || last.stop !== null) break;
    last = follower.push(bytes.subarray(at, at + length));
    passed.push(...last.forward);
    at += length;
  }
  return { passed: Buffer.concat(passed), last };
}

test('wherever the network cut, the same bytes pass, unchanged, and each head is judged once in order', () => {
  fc.assert(
    fc.property(requests, cuts, (list, lengths) => {
      const judged: string[] = [];
      const follower = new RequestFollower((head) => judged.push(head.target) > 0);
      const bytes = Buffer.concat(list.map((request) => request.bytes));
      const { passed, last } = run(follower, bytes, lengths);
      expect(last.stop).toBeNull();
      expect(passed.equals(bytes)).toBe(true);
      expect(judged).toEqual(list.map((request) => `/${request.path}`));
    }),
    { numRuns: 300 },
  );
});

test('wherever the network cut, nothing of a refused request passes and everything before it does', () => {
  fc.assert(
    fc.property(requests, cuts, bodyBytes, (list, lengths, phi) => {
      const before = Buffer.concat(list.map((request) => request.bytes));
      const refused = Buffer.concat([
        Buffer.from(`POST /Refused HTTP/1.1\r\nHost: a\r\nContent-Length: ${phi.length}\r\n\r\n`),
        phi,
      ]);
      const follower = new RequestFollower((head) => head.target !== '/Refused');
      const { passed, last } = run(follower, Buffer.concat([before, refused]), lengths);
      expect(last.stop).toBe('refused');
      expect(passed.equals(before)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('an upgrade stops behind its request and gives the rest back', () => {
  const head = Buffer.from('GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n');
  fc.assert(
    fc.property(cuts, bodyBytes, (lengths, frames) => {
      const follower = new RequestFollower(() => true);
      const { passed, last } = run(follower, Buffer.concat([head, frames]), lengths);
      expect(passed.equals(head)).toBe(true);
      expect(last.stop).toBe('upgrade');
      expect(frames.subarray(0, last.rest.length).equals(last.rest)).toBe(true);
    }),
  );
});

test('an upgrade behind other requests is refused', () => {
  const follower = new RequestFollower(() => true);
  const bytes = Buffer.from('GET / HTTP/1.1\r\n\r\nGET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n');
  expect(follower.push(bytes).stop).toBe('refused');
});

test.each([
  ['a chunk size with a sign', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n'],
  ['a chunk size in another base', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n'],
  ['a chunk size that overflows', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100000000000000003\r\nabc\r\n'],
  ['chunk data that goes on', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n'],
  ['a bare line feed after a chunk size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n'],
  ['an endless chunk extension', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;${'x'.repeat(10_000)}`],
  ['a trailer that is no field', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGET /x HTTP/1.1\r\n'],
  ['no HTTP after a request', 'GET / HTTP/1.1\r\n\r\n\x00\x01\x02'],
])('%s is refused', (_name, text) => {
  expect(new RequestFollower(() => true).push(Buffer.from(text, 'latin1')).stop).toBe('refused');
});

test('every prefix of a request head is incomplete, and its end does not depend on what follows', () => {
  const head = Buffer.from('POST /v1/messages HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\nContent-Length: 5\r\n\r\n');
  for (let length = 0; length < head.length; length += 1) {
    expect(parseHttpHead(head.subarray(0, length)).state).toBe('incomplete');
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (rest) => {
      expect(parseHttpHead(Buffer.concat([head, rest]))).toEqual(parseHttpHead(head));
    }),
  );
});

test('no bytes make the head parser throw', () => {
  const grammar = fc.stringMatching(/^[A-Z/ :\r\n\t0-9a-z.,-]{0,120}$/);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        grammar.map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        expect(['complete', 'incomplete', 'ambiguous', 'other']).toContain(parseHttpHead(bytes).state);
      },
    ),
    { numRuns: 1000 },
  );
});
