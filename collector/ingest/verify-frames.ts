import type { KeyObject } from 'node:crypto';
import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, linkAfter } from '#contract/chain.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { verifySigned } from '#contract/chain-signature.ts';
import { parsePartName } from '#contract/seal.ts';
import { type Frame, FRAME_TYPE } from '#contract/record-frame.ts';
import { readRecord } from '#contract/record-read.ts';

/** What a batch must fit to. */
export interface FramePlace {
  readonly chain: ChainId;
  /** The chain before the batch, or null when the batch begins a segment. */
  readonly head: ChainHead | null;
  /** @returns the pod's key by id, null when it is not known here (the chain's reader decides then) */
  keyOf(kid: string): KeyObject | null;
}

/** What a batch of frames is: whole and continuous, with the heads around it, or the closed word for what is wrong. */
export type FrameVerdict =
  | { readonly ok: true; readonly start: ChainHead; readonly end: ChainHead }
  | {
      readonly ok: false;
      readonly fault:
        | 'no_header'
        | 'foreign_chain'
        | 'broken_frame'
        | 'wrong_link'
        | 'bad_signature'
        | 'unreadable_record';
    };

/** Verifies the frames of a batch: only whole frames, each record in its place of this chain, signatures by the pod's keys. */
export function verifyFrames(bytes: Uint8Array, place: FramePlace): FrameVerdict {
  const begun = place.head === null ? parseSegmentStart(bytes) : { next: 0, head: place.head, header: null };
  if (begun === null) return { ok: false, fault: 'no_header' };
  if (begun.header !== null && begun.header.chain_id !== place.chain) return { ok: false, fault: 'foreign_chain' };
  let before = begun.head;
  for (const step of walkFrames(bytes, begun.next, begun.head)) {
    if (step.kind === 'stop') {
      const whole = step.why === 'end' && step.at === bytes.length;
      return whole ? { ok: true, start: begun.head, end: before } : { ok: false, fault: 'broken_frame' };
    }
    const fault = frameFault(step.frame, place, before);
    if (fault !== null) return { ok: false, fault };
    before = step.head;
  }
  return { ok: false, fault: 'broken_frame' };
}

function frameFault(
  frame: Frame,
  place: FramePlace,
  before: ChainHead,
): 'wrong_link' | 'bad_signature' | 'unreadable_record' | null {
  if (frame.type === FRAME_TYPE.key) return null;
  if (frame.type === FRAME_TYPE.part) return parsePartName(frame.payload) === null ? 'unreadable_record' : null;
  const read = readRecord(frame);
  if (read === null) return 'unreadable_record';
  const { record, signed } = read;
  const link = linkAfter(place.chain, before);
  if (record.chain !== link.chain || record.seq !== link.seq || record.prev !== link.prev) return 'wrong_link';
  const key = signed === null ? null : place.keyOf(signed.kid);
  return signed === null || key === null || verifySigned(signed, key) ? null : 'bad_signature';
}
