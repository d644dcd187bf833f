import { LIMIT } from '#contract/limit.ts';
import { HpackDecoder } from './hpack.ts';
import type { Fields } from '../exchange/ports.ts';
import type { HttpHead } from './http-head.ts';
import type { FollowStep } from './request-follower.ts';

/** What every HTTP/2 connection begins with (RFC 9113 §3.4). */
export const HTTP2_PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const FRAME_HEADER = 9;
const HEADERS = 1;
const PUSH_PROMISE = 5;
const CONTINUATION = 9;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;
const EMPTY: Buffer = Buffer.alloc(0);

interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly length: number;
}

/**
 * Follows the requests of a clear HTTP/2 connection without changing a byte: a header block is held until it is complete and
 * judged; all other frames pass as they come.
 */
export class Http2Follower {
  private readonly judge: (head: HttpHead) => boolean;
  private readonly hpack = new HpackDecoder();
  private held: Buffer = EMPTY;
  private begun = false;
  /** Bytes of a frame that needs no judgment and is still passing. */
  private passing = 0;

  /** @param judge whether a request may pass; its body says nothing of a stream's */
  constructor(judge: (head: HttpHead) => boolean) {
    this.judge = judge;
  }

  /** @param chunk the next bytes from the client, cut anywhere */
  push(chunk: Buffer): FollowStep {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const forward: Buffer[] = [];
    for (;;) {
      const taken = this.step();
      if (taken === 'refused') return { forward, stop: 'refused', rest: EMPTY };
      if (taken === 0) return { forward, stop: null, rest: EMPTY };
      forward.push(this.held.subarray(0, taken));
      this.held = this.held.subarray(taken);
    }
  }

  /** Gives up following: everything that is still held, for the server. */
  release(): Buffer {
    const rest = this.held;
    this.held = EMPTY;
    return rest;
  }

  /** @returns how many held bytes may pass; 0 to wait for more */
  private step(): number | 'refused' {
    if (!this.begun) return this.takePreface();
    if (this.passing > 0) {
      const taken = Math.min(this.passing, this.held.length);
      this.passing -= taken;
      return taken;
    }
    const frame = frameAt(this.held, 0);
    if (frame === null) return 0;
    if (frame.type === HEADERS) return this.takeBlock(frame);
    // A client pushes nothing, and a continuation stands behind the headers it continues (RFC 9113 §6.6, §6.10).
    if (frame.type === PUSH_PROMISE || frame.type === CONTINUATION) return 'refused';
    this.passing = frame.length;
    return FRAME_HEADER;
  }

  private takePreface(): number | 'refused' {
    const seen = this.held.subarray(0, HTTP2_PREFACE.length);
    if (!seen.equals(HTTP2_PREFACE.subarray(0, seen.length))) return 'refused';
    if (seen.length < HTTP2_PREFACE.length) return 0;
    this.begun = true;
    return seen.length;
  }

  /** A HEADERS frame and its continuations, which nothing may interrupt (RFC 9113 §4.3). */
  private takeBlock(first: FrameHead): number | 'refused' {
    const parts: Buffer[] = [];
    let at = 0;
    for (let frame: FrameHead | null = first; ; frame = frameAt(this.held, at)) {
      if (at + (frame?.length ?? 0) > LIMIT.headerBytes) return 'refused';
      if (frame === null || this.held.length < at + FRAME_HEADER + frame.length) return 0;
      if (at > 0 && (frame.type !== CONTINUATION || frame.stream !== first.stream)) return 'refused';
      const payload = this.held.subarray(at + FRAME_HEADER, at + FRAME_HEADER + frame.length);
      const part = at === 0 ? withoutPadding(payload, frame.flags) : payload;
      if (part === null) return 'refused';
      parts.push(part);
      at += FRAME_HEADER + frame.length;
      if ((frame.flags & END_HEADERS) !== 0) break;
    }
    const fields = this.hpack.decode(Buffer.concat(parts));
    return fields !== null && this.mayPass(fields) ? at : 'refused';
  }

  private mayPass(fields: Fields): boolean {
    const pseudo = fields.filter(([name]) => name.startsWith(':'));
    // Trailers.
    if (pseudo.length === 0) return true;
    const named = new Map(pseudo);
    if (named.size !== pseudo.length) return false;
    const method = named.get(':method');
    if (method === undefined) return false;
    // A CONNECT without `:protocol` has no path but its target (RFC 9113 §8.5).
    const target = named.get(':path') ?? named.get(':authority') ?? '';
    const authority = named.get(':authority');
    const regular = fields.filter(([name]) => !name.startsWith(':'));
    return this.judge({
      method,
      target,
      minorVersion: 1,
      fields: authority === undefined ? regular : [['host', authority], ...regular.filter(([name]) => name !== 'host')],
      framing: { kind: 'length', bytes: 0 },
      upgrade: null,
      bytes: 0,
    });
  }
}

function frameAt(bytes: Buffer, at: number): FrameHead | null {
  if (bytes.length < at + FRAME_HEADER) return null;
  return {
    length: bytes.readUIntBE(at, 3),
    type: bytes.readUInt8(at + 3),
    flags: bytes.readUInt8(at + 4),
    stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
  };
}

/** RFC 9113 §6.2. @returns null when the padding does not fit */
function withoutPadding(payload: Buffer, flags: number): Buffer | null {
  const padded = (flags & PADDED) !== 0;
  const from = (padded ? 1 : 0) + ((flags & PRIORITY) !== 0 ? 5 : 0);
  const to = payload.length - (padded ? (payload[0] ?? 0) : 0);
  return from <= to ? payload.subarray(from, to) : null;
}
