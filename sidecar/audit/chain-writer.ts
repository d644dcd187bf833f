import { type ChainHead, chainFrame } from '#contract/chain.ts';
import { LIMIT } from '#contract/limit.ts';
import { encodeFrame, FRAME_TYPE } from '#contract/record-frame.ts';
import type { ContentKey, ContentKeys } from './content-key.ts';
import { newSegmentName, Segment, segmentHeader } from './segment.ts';
import { encodeEntry, type SpoolEntry, type SpoolIdentity } from './spool-entry.ts';

/**
 * `new`: evidence of what has not happened yet; when it cannot be written it must not happen, and the entry is dropped.
 * `past`: evidence of what did happen; it is kept until the volume takes it.
 */
export type Tense = 'new' | 'past';

/** Entries that become durable together. */
export interface SpoolItem {
  readonly entries: readonly SpoolEntry[];
  readonly tense: Tense;
  /** Resolves with the segment that holds the last entry. */
  readonly durable: PromiseWithResolvers<Segment>;
  /** How many entries are durable already: those of one item may lie in two segments. */
  done: number;
}

/** Encoded frames for one segment, and whose they are. */
export interface SpoolWrite {
  readonly segment: Segment;
  readonly buffers: Buffer[];
  /** One item a frame, in order; the segment's own frames have none. */
  readonly items: SpoolItem[];
  bytes: number;
  /** The chain after the last of these frames. */
  head: ChainHead;
}

/** Where a chain goes on: after a start-up scan, or from nothing. */
export interface ChainStart {
  readonly head: ChainHead;
  /** Ordinal of the last segment file; 0 when there is none. */
  readonly ordinal: number;
  /** Segments that are still in the spool. */
  readonly segments: readonly Segment[];
}

/** Gives every entry its place in the chain and encodes it. One synchronous step, so two entries never claim one place. */
export class ChainWriter {
  readonly #identity: SpoolIdentity;
  readonly #keys: ContentKeys;
  #head: ChainHead;
  #ordinal: number;
  readonly #segments: Segment[];
  #segment: Segment | null = null;
  #writes: SpoolWrite[] = [];
  #pendingBytes = 0;
  #frames = 0;

  constructor(identity: SpoolIdentity, keys: ContentKeys, start: ChainStart) {
    this.#identity = identity;
    this.#keys = keys;
    this.#head = start.head;
    this.#ordinal = start.ordinal;
    this.#segments = [...start.segments];
  }

  /** The segments of the spool, oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** The segment that takes entries now; null before the first. */
  get segment(): Segment | null {
    return this.#segment;
  }

  /** Encoded bytes that nobody has taken. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Frames encoded since the process began. */
  get frames(): number {
    return this.#frames;
  }

  /** Begins a segment: header and wrapped content key are its first frames. @returns it */
  begin(key: ContentKey): Segment {
    this.#end();
    this.#ordinal++;
    const bornMs = Number(this.#identity.clock.mono() / 1_000_000n);
    const segment = new Segment(newSegmentName(this.#ordinal), this.#head, key, bornMs);
    this.#segment = segment;
    this.#segments.push(segment);
    const header = segmentHeader(this.#identity.chain, this.#head);
    this.#push(segment, encodeFrame(FRAME_TYPE.header, Buffer.from(JSON.stringify(header))));
    this.#chain(segment, chainFrame(this.#head, FRAME_TYPE.key, key.wrapped));
    return segment;
  }

  /** Encodes what of an item is not durable yet, beginning new segments as they fill. Needs a segment. */
  put(item: SpoolItem): void {
    for (const entry of item.entries.slice(item.done)) {
      this.#rotate();
      const segment = this.#segment;
      if (segment === null) throw new Error('the spool has no segment yet');
      this.#chain(segment, encodeEntry(entry, this.#identity, this.#head, segment)).items.push(item);
    }
  }

  /** @returns the encoded frames in order, once. */
  take(): readonly SpoolWrite[] {
    const writes = this.#writes;
    this.#writes = [];
    this.#pendingBytes = 0;
    return writes;
  }

  /**
   * Goes back to where the chain is durable and ends every segment there. What was encoded beyond must be put again, in a
   * segment that begins anew: a file is not written after a fault.
   */
  rewind(head: ChainHead): void {
    this.#head = head;
    this.take();
    this.#end();
    for (const segment of this.#segments.filter((each) => each.bytes > each.durableBytes)) {
      segment.file?.end(segment.durableBytes);
      segment.file = null;
      segment.bytes = segment.durableBytes;
      if (segment.durableBytes === 0) this.forget(segment);
    }
  }

  /** Takes a segment from the list: its file is gone, or never came to be. */
  forget(segment: Segment): void {
    const at = this.#segments.indexOf(segment);
    if (at >= 0) this.#segments.splice(at, 1);
  }

  // A content key lives for one segment; a segment without sealed parts has no reason to end by age.
  #rotate(): void {
    const segment = this.#segment;
    if (segment === null) return;
    const ageMs = Number(this.#identity.clock.mono() / 1_000_000n) - segment.bornMs;
    const full = segment.bytes >= LIMIT.segmentBytes - LIMIT.frameBytes;
    if (!full && !(segment.parts > 0 && ageMs >= LIMIT.segmentMs)) return;
    const key = this.#keys.take();
    if (key !== null) this.begin(key);
  }

  #end(): void {
    if (this.#segment === null) return;
    this.#segment.ended = true;
    this.#segment.key = null;
    this.#segment = null;
  }

  #chain(segment: Segment, next: { readonly frame: Buffer; readonly head: ChainHead }): SpoolWrite {
    this.#head = next.head;
    this.#frames++;
    return this.#push(segment, next.frame);
  }

  #push(segment: Segment, frame: Buffer): SpoolWrite {
    let write = this.#writes.at(-1);
    if (write === undefined || write.segment !== segment) {
      write = { segment, buffers: [], items: [], bytes: 0, head: this.#head };
      this.#writes.push(write);
    }
    write.buffers.push(frame);
    write.bytes += frame.length;
    write.head = this.#head;
    segment.bytes += frame.length;
    this.#pendingBytes += frame.length;
    return write;
  }
}
