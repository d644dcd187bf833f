import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { crc32c } from '#contract/record-crc.ts';
import { encodeFrame, FRAME_OVERHEAD, FRAME_TYPE, findFrame, parseFrame } from '#contract/record-frame.ts';

// RFC 3720 §B.4
test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', new Uint8Array(0), 0],
])('CRC32C of %s is as RFC 3720 gives it', (_name, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

test('a frame parses to what was written', () => {
  const payload = randomBytes(1_000);
  const bytes = Buffer.concat([Buffer.alloc(3), encodeFrame(FRAME_TYPE.part, payload)]);
  const parsed = parseFrame(bytes, 3);
  expect(
    parsed.kind === 'frame' &&
      parsed.frame.type === FRAME_TYPE.part &&
      Buffer.from(parsed.frame.payload).equals(payload),
  ).toBe(true);
  expect(parsed.kind === 'frame' && parsed.frame.next).toBe(bytes.length);
});

test('zeros after the last frame are free space, other bytes are not', () => {
  expect(parseFrame(new Uint8Array(0), 0).kind).toBe('end');
  expect(parseFrame(new Uint8Array(4_096), 0).kind).toBe('end');
  expect(parseFrame(Buffer.from([0, 0, 0]), 0).kind).toBe('end');
  expect(parseFrame(Buffer.from([0, 0, 1]), 0).kind).toBe('incomplete');
  expect(parseFrame(Buffer.concat([new Uint8Array(64), Buffer.from([1])]), 0).kind).toBe('damaged');
});

test('a length beyond the bound is damage and reserves nothing', () => {
  const bytes = encodeFrame(FRAME_TYPE.record, Buffer.from('x'));
  bytes.writeUInt32LE(LIMIT.frameBytes + 1, 0);
  expect(parseFrame(bytes, 0).kind).toBe('damaged');
  expect(() => encodeFrame(FRAME_TYPE.part, new Uint8Array(LIMIT.frameBytes + 1))).toThrow(RangeError);
  expect(() => encodeFrame(FRAME_TYPE.part, new Uint8Array(0))).toThrow(RangeError);
});

test('an unknown frame type is damage', () => {
  const bytes = encodeFrame(FRAME_TYPE.record, Buffer.from('x'));
  bytes[8] = 9;
  bytes.writeUInt32LE(crc32c(bytes.subarray(8)), 4);
  expect(parseFrame(bytes, 0).kind).toBe('damaged');
});

test('the next intact frame is found past damage', () => {
  const frame = encodeFrame(FRAME_TYPE.record, Buffer.from('{"v":1}'));
  const bytes = Buffer.concat([randomBytes(777), frame, Buffer.from('tail')]);
  expect(findFrame(bytes, 0)).toBe(777);
  expect(findFrame(bytes, 778)).toBeNull();
  expect(findFrame(frame, 0)).toBe(0);
  expect(frame.length).toBe(FRAME_OVERHEAD + 7);
});
