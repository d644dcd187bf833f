import { createHash, hash } from 'node:crypto';
import type { ChainId } from './brand.ts';
import { coveredBytes, encodeFrame, type FrameType } from './record-frame.ts';

/** The state of a chain after a frame: the number of that frame (the first is 1) and the SHA-256 that stands for all up to it. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Buffer;
}

/** What ties a record to its place: written into every record, so that an edit, a gap or a swap shows where it happened. */
export interface ChainLink {
  readonly chain: ChainId;
  readonly seq: number;
  /** Hash of everything before this frame, base64url. */
  readonly prev: string;
}

/** The first frame of a segment file. `prev_segment_hash` is the head of the chain where the segment begins, base64url. */
export interface SegmentHeader {
  readonly v: 1;
  readonly chain_id: ChainId;
  readonly first_seq: number;
  readonly prev_segment_hash: string;
}

const CHAIN_ID = /^[A-Za-z0-9_-]{8,64}$/;
const EXCHANGE_ID = /^[A-Za-z0-9_-]{8,64}$/;

/** Whether text is a chain id. It names folders, so nothing that a path could give a meaning to passes. */
export function isChainId(text: string): text is ChainId {
  return CHAIN_ID.test(text);
}

/** Whether text has the form of an exchange id. */
export function isExchangeId(text: string): boolean {
  return EXCHANGE_ID.test(text);
}

/** The head of an empty chain. It holds the chain's id, so that a frame of one chain fits into no other. */
export function genesis(chain: ChainId): ChainHead {
  return { seq: 0, hash: hash('sha256', `lazaret chain v1\0${chain}`, 'buffer') };
}

/** @param covered type and payload of the next frame. @returns the head after it: SHA-256 over the head before and the exact stored bytes. */
export function nextHead(head: ChainHead, covered: Uint8Array): ChainHead {
  return { seq: head.seq + 1, hash: createHash('sha256').update(head.hash).update(covered).digest() };
}

/** Appends one frame to a chain. @returns the frame as stored and the head after it. */
export function chainFrame(
  head: ChainHead,
  type: FrameType,
  payload: Uint8Array,
): { readonly frame: Buffer; readonly head: ChainHead } {
  const frame = encodeFrame(type, payload);
  return { frame, head: nextHead(head, coveredBytes(frame)) };
}

/** The link of the frame that follows a head. */
export function linkAfter(chain: ChainId, head: ChainHead): ChainLink {
  return { chain, seq: head.seq + 1, prev: head.hash.toString('base64url') };
}
