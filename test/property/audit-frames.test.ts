import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { chainFrame, genesis } from '#contract/chain.ts';
import { walkFrames } from '#contract/chain-segment.ts';
import { type FrameType, FRAME_TYPE, parseFrame } from '#contract/record-frame.ts';

const CHAIN = 'chain-0123456789' as ChainId;
const chained = Object.values(FRAME_TYPE).filter((type) => type !== FRAME_TYPE.header);
const frames = fc.array(fc.tuple(fc.constantFrom(...chained), fc.uint8Array({ minLength: 1, maxLength: 200 })), {
  maxLength: 8,
});

function build(list: readonly (readonly [FrameType, Uint8Array])[]) {
  let head = genesis(CHAIN);
  const pieces = list.map(([type, payload]) => {
    const next = chainFrame(head, type, payload);
    head = next.head;
    return next.frame;
  });
  return {
    bytes: Buffer.concat(pieces),
    ends: pieces.map((_, at) => pieces.slice(0, at + 1).reduce((sum, piece) => sum + piece.length, 0)),
    head,
  };
}

test('every prefix of a segment gives its whole frames and then a tail that may be cut', () => {
  fc.assert(
    fc.property(frames, fc.nat(), (list, cut) => {
      const { bytes, ends } = build(list);
      const at = cut % (bytes.length + 1);
      const steps = [...walkFrames(bytes.subarray(0, at), 0, genesis(CHAIN))];
      const whole = ends.filter((end) => end <= at).length;
      expect(steps).toHaveLength(whole + 1);
      expect(steps.at(-1)).toMatchObject({ kind: 'stop', at: ends[whole - 1] ?? 0 });
      expect(['end', 'incomplete']).toContain(
        steps.at(-1)?.kind === 'stop' ? (steps.at(-1) as { why: string }).why : 'none',
      );
    }),
  );
});

test('free space after a segment changes nothing of what it says', () => {
  fc.assert(
    fc.property(frames, fc.nat({ max: 64 }), (list, zeros) => {
      const { bytes, head } = build(list);
      const steps = [...walkFrames(Buffer.concat([bytes, Buffer.alloc(zeros)]), 0, genesis(CHAIN))];
      const last = steps.at(-2);
      expect(steps.at(-1)).toMatchObject({ why: 'end', at: bytes.length });
      if (last?.kind === 'frame') expect(last.head.hash.equals(head.hash)).toBe(true);
    }),
  );
});

test('a flipped bit never yields the same chain', () => {
  fc.assert(
    fc.property(frames, fc.nat(), (list, where) => {
      fc.pre(list.length > 0);
      const { bytes, head } = build(list);
      const bit = where % (bytes.length * 8);
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7));
      const heads = [...walkFrames(bytes, 0, genesis(CHAIN))]
        .filter((step) => step.kind === 'frame')
        .map((step) => step.head.hash.toString('hex'));
      expect(heads.at(-1)).not.toBe(head.hash.toString('hex'));
    }),
  );
});

test('arbitrary bytes parse to one of the four outcomes and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 70 }), (bytes, at) => {
      expect(['frame', 'end', 'incomplete', 'damaged']).toContain(parseFrame(bytes, at).kind);
    }),
  );
});
