import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { createSseFramer, type SseFrame, withData } from '#llm/sse.ts';
import { bytes } from './bytes.ts';

function frames(stream: string): readonly SseFrame[] {
  const framer = createSseFramer();
  return framer.push(bytes(stream));
}

function events(stream: string): readonly (readonly [name: string | null, data: string | null])[] {
  return frames(stream).flatMap((frame) => (frame.kind === 'event' ? [[frame.name, frame.data] as const] : []));
}

function raw(all: readonly SseFrame[]): string {
  return all.map((frame) => (frame.kind === 'fault' ? '!' : frame.raw)).join('');
}

describe('T10: framing', () => {
  it.each(['\n', '\r\n', '\r'])('lines may end with %j', (end) => {
    const stream = `event: a${end}data: 1${end}${end}data:2${end}data: 3${end}${end}: note${end}${end}`;
    expect(events(stream)).toEqual([
      ['a', '1'],
      [null, '2\n3'],
      [null, null],
    ]);
    expect(raw(frames(stream))).toBe(stream);
  });

  it.each(['\n', '\r\n', '\r'])('every cut of the bytes gives the same frames, line ends %j', (end) => {
    const stream = bytes(
      `\uFEFFevent: é${end}data: {"t":"😀é"}${end}${end}${end}data:x${end}id: 1${end}retry: 5${end}: c${end}${end}data${end}${end}`,
    );
    const whole = createSseFramer().push(stream);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const framer = createSseFramer();
      expect([...framer.push(stream.subarray(0, cut)), ...framer.push(stream.subarray(cut))]).toEqual(whole);
    }
    const framer = createSseFramer();
    expect([...stream].flatMap((byte) => framer.push(new Uint8Array([byte])))).toEqual(whole);
  });

  it('an event is complete at its last line end, before another byte comes', () => {
    expect(events('data: 1\r\r')).toEqual([[null, '1']]);
    expect(events('data: 1\r\n\r')).toEqual([[null, '1']]);
  });

  it('a space after the colon is not part of the value, a second one is', () => {
    expect(events('data:  x\n\n')).toEqual([[null, ' x']]);
    expect(events('data:x\n\n')).toEqual([[null, 'x']]);
  });
});

describe('what is no event stream is a fault', () => {
  it('bad UTF-8, and everything after it', () => {
    const framer = createSseFramer();
    expect(framer.push(new Uint8Array([0x64, 0xff]))).toEqual([{ kind: 'fault' }]);
    expect(framer.push(bytes('data: 1\n\n'))).toEqual([{ kind: 'fault' }]);
  });

  it('a field that the format does not have', () => {
    expect(frames('secret: 1\n\n')).toEqual([{ kind: 'fault' }]);
    expect(frames('data: 1\n\n\uFEFFdata: 2\n\n').at(-1)).toEqual({ kind: 'fault' });
    expect(frames('{"error":1}\n\n')).toEqual([{ kind: 'fault' }]);
  });

  it('an event larger than the limit, whole or in pieces', () => {
    expect(frames(`data: ${'x'.repeat(LIMIT.eventBytes)}\n\n`)).toEqual([{ kind: 'fault' }]);
    const framer = createSseFramer();
    const piece = bytes('x'.repeat(1024 * 1024));
    framer.push(bytes('data: '));
    const results = Array.from({ length: 5 }, () => framer.push(piece).map((frame) => frame.kind));
    expect(results.flat()).toContain('fault');
  });
});

describe('other data in an event', () => {
  const put = (stream: string, data: string): string => {
    const [frame] = frames(stream);
    return frame?.kind === 'event' ? withData(frame, data) : '';
  };
  it('leaves every other line and line end', () => {
    expect(put(': c\r\nevent: a\r\ndata:{"a":1}\r\nid: 3\r\n\r\n', '{"b":2}')).toBe(
      ': c\r\nevent: a\r\ndata:{"b":2}\r\nid: 3\r\n\r',
    );
  });
  it('puts data of several lines on one', () => {
    expect(put('data: {"a":\ndata: 1}\nid: 3\n\n', '{"b":\n2}')).toBe('data: {"b": 2}\nid: 3\n\n');
  });
  it('is not put where the same text stands elsewhere', () => {
    expect(put('id: 1\ndata: 1\n\n', '2')).toBe('id: 1\ndata: 2\n\n');
    expect(put('event: 1\ndata: 1\n\n', '2')).toBe('event: 1\ndata: 2\n\n');
  });
});
