import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHttpHead } from '#sidecar/intercept/http-head.ts';
import { LineFollower } from '#sidecar/intercept/line-follower.ts';

const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

/** Pushes bytes cut at the given lengths, then the rest, until something is refused. */
function run(bytes: Buffer, lengths: readonly number[]): { readonly passed: Buffer; readonly refused: boolean } {
  const follower = new LineFollower();
  const passed: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    if (at >= bytes.length) break;
    const { forward, stop } = follower.push(bytes.subarray(at, at + length));
    passed.push(...forward);
    at += length;
    if (stop === 'refused') return { passed: Buffer.concat(passed), refused: true };
  }
  return { passed: Buffer.concat(passed), refused: false };
}

const padding = fc
  .tuple(fc.stringMatching(/^[a-z0-9/?=&.-]{1,30}$/), fc.nat(200))
  .map(([text, times]) => text.repeat(times + 1));
const space = fc.constantFrom(' ', '\t', '   ', ' '.repeat(700));
const requestLines = fc
  .tuple(
    fc.constantFrom('', '\r\n', '\n\n', '\r\r\n'),
    fc.constantFrom('POST', 'GET', 'PRI', 'x-own'),
    space,
    padding,
    space,
    fc.constantFrom('HTTP/1.1\r\n', 'HTTP/1.0\n', 'http/2.0\r\n', 'HTTP/1.1  \r\n', `HTTP/1.1${' '.repeat(700)}\r\n`),
  )
  .map((parts) => parts.join(''));
const rests = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));

test('wherever the network cut, the first line of a request does not pass to its end', () => {
  fc.assert(
    fc.property(requestLines, rests, cuts, (line, rest, lengths) => {
      const { passed, refused } = run(Buffer.concat([Buffer.from(line, 'latin1'), rest]), lengths);
      expect(refused).toBe(true);
      expect(line.startsWith(passed.toString('latin1'))).toBe(true);
      expect(passed.length).toBeLessThan(line.length);
    }),
    { numRuns: 500 },
  );
});

test('what the parser of heads calls another protocol passes unchanged, wherever the network cut', () => {
  const texts = fc.oneof(
    fc.stringMatching(/^[A-Z]{2,9} [a-z ]{0,40}$/),
    fc.stringMatching(/^[A-Z]{2,9} [a-z ]{0,40}\r?\n$/),
    fc
      .tuple(fc.stringMatching(/^[A-Z]{2,9} $/), fc.uint8Array({ maxLength: 80 }))
      .map(([word, bytes]) => `${word}${Buffer.from(bytes.filter((byte) => byte !== 10)).toString('latin1')}\n`),
  );
  fc.assert(
    fc.property(texts, rests, cuts, (text, rest, lengths) => {
      const line = Buffer.from(text, 'latin1');
      fc.pre(!text.includes('\n') || parseHttpHead(line).state === 'other');
      const bytes = text.includes('\n') ? Buffer.concat([line, rest]) : line;
      expect(run(bytes, lengths)).toEqual({ passed: bytes, refused: false });
    }),
    { numRuns: 500 },
  );
});

test('a line of many megabytes is followed with a bounded memory of it', () => {
  const follower = new LineFollower();
  for (let times = 0; times < 400; times += 1) follower.push(Buffer.alloc(16_384, 'a b'));
  expect(follower.push(Buffer.from(' HTT')).stop).toBeNull();
  expect(follower.push(Buffer.from('P/1.1\r')).stop).toBeNull();
  const last = follower.push(Buffer.from('\nHost: a'));
  expect(last).toMatchObject({ forward: [], stop: 'refused' });
  expect(follower.release().toString()).toBe('\nHost: a');
});
