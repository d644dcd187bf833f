import { randomBytes } from 'node:crypto';
import { type ChainHead, linkAfter, type SegmentHeader } from '#contract/chain.ts';
import { SEGMENT_NAME } from '#contract/chain-protocol.ts';
import type { ChainId } from '#contract/brand.ts';
import type { ContentKey } from './content-key.ts';
import type { SegmentFile } from './segment-file.ts';

/** @returns a segment's file name: its ordinal, and chance so that two lives of a pod cannot mean different bytes by one name. */
export function newSegmentName(ordinal: number): string {
  return `${String(ordinal).padStart(8, '0')}-${randomBytes(4).toString('hex')}.seg`;
}

/** @returns the ordinal in a segment's file name, or null for any other file. */
export function segmentOrdinal(name: string): number | null {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** One segment of the spool, from its first frame to the deletion of its file. */
export class Segment {
  readonly name: string;
  /** The head of the chain where the segment begins. */
  readonly start: ChainHead;
  /** Bytes and head that are durable: what may be sent. */
  durableBytes = 0;
  durableHead: ChainHead;
  /** Bytes that were given to the segment, durable or not. */
  bytes = 0;
  /** Nothing more will be written. */
  ended = false;
  /** Bytes that the collector's receipts cover. */
  receiptedBytes = 0;
  /** Parts sealed under its key. */
  parts = 0;
  file: SegmentFile | null = null;
  key: ContentKey | null;
  readonly bornMs: number;
  #running = 0;

  constructor(name: string, start: ChainHead, key: ContentKey | null, bornMs: number) {
    this.name = name;
    this.start = start;
    this.durableHead = start;
    this.key = key;
    this.bornMs = bornMs;
  }

  /** Exchanges whose request record lies here and that are not over: the file stays, so that a restart can tell they were cut. */
  get running(): number {
    return this.#running;
  }

  /** Keeps the file while an exchange runs. @returns what ends that, once. */
  pin(): () => void {
    this.#running++;
    let pinned = true;
    return () => {
      if (pinned) this.#running--;
      pinned = false;
    };
  }
}

/** The header of a segment that begins after a head. */
export function segmentHeader(chain: ChainId, start: ChainHead): SegmentHeader {
  const { seq, prev } = linkAfter(chain, start);
  return { v: 1, chain_id: chain, first_seq: seq, prev_segment_hash: prev };
}
