import { z } from 'zod';
import { type ChainHead, isChainId, nextHead, type SegmentHeader } from './chain.ts';
import { type Frame, FRAME_TYPE, parseFrame } from './record-frame.ts';

const HASH = /^[A-Za-z0-9_-]{43}$/;

const headerSchema = z.looseObject({
  v: z.literal(1),
  chain_id: z.string().refine((text) => isChainId(text)),
  first_seq: z.number().int().positive(),
  prev_segment_hash: z.string().regex(HASH),
});

/** A segment's header, and where its first chained frame starts. */
export interface SegmentStart {
  readonly header: SegmentHeader;
  /** The head of the chain before the segment, as the header claims it. */
  readonly head: ChainHead;
  readonly next: number;
}

/** Reads the header of a segment. @returns null when the bytes do not begin with one. */
export function parseSegmentStart(bytes: Uint8Array): SegmentStart | null {
  const parsed = parseFrame(bytes, 0);
  if (parsed.kind !== 'frame' || parsed.frame.type !== FRAME_TYPE.header) return null;
  const json = parseHeader(Buffer.from(parsed.frame.payload).toString('utf8'));
  if (json === null) return null;
  const header: SegmentHeader = {
    v: 1,
    chain_id: json.chain_id,
    first_seq: json.first_seq,
    prev_segment_hash: json.prev_segment_hash,
  };
  const head = { seq: header.first_seq - 1, hash: Buffer.from(header.prev_segment_hash, 'base64url') };
  return { header, head, next: parsed.frame.next };
}

function parseHeader(text: string): z.infer<typeof headerSchema> | null {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** One step along a segment: an intact frame with the head after it, or where and why the walk stopped. */
export type SegmentStep =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly at: number; readonly head: ChainHead }
  | { readonly kind: 'stop'; readonly at: number; readonly why: 'end' | 'incomplete' | 'damaged' };

/**
 * Walks the chained frames of a segment and computes the head after each. What records say of their own place is not
 * looked at here. The last step is always a `stop`; a second header is damage.
 * @param at where the first frame starts
 * @param head the chain before it
 */
export function* walkFrames(bytes: Uint8Array, at: number, head: ChainHead): Generator<SegmentStep, void, undefined> {
  let place = at;
  let current = head;
  for (;;) {
    const parsed = parseFrame(bytes, place);
    if (parsed.kind !== 'frame') {
      yield { kind: 'stop', at: place, why: parsed.kind };
      return;
    }
    if (parsed.frame.type === FRAME_TYPE.header) {
      yield { kind: 'stop', at: place, why: 'damaged' };
      return;
    }
    current = nextHead(current, parsed.frame.covered);
    yield { kind: 'frame', frame: parsed.frame, at: place, head: current };
    place = parsed.frame.next;
  }
}
