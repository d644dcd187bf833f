import { LIMIT } from './limit.ts';
import { crc32c } from './record-crc.ts';

/**
 * What a frame of a segment holds. `header` is the first frame of a segment and the only one outside the chain.
 * `record` is JSON, `signed` a compact JWS whose payload is record JSON, `part` a compact JWE, `key` the JWE that wraps the
 * segment's content key (general JSON serialization).
 */
export const FRAME_TYPE = { header: 1, key: 2, record: 3, signed: 4, part: 5 } as const;
export type FrameType = (typeof FRAME_TYPE)[keyof typeof FRAME_TYPE];

const FRAME_TYPES = Object.values(FRAME_TYPE);

/** Bytes before the payload of a frame: length (u32 LE, of the payload), CRC32C (u32 LE, of type and payload), type (u8). */
export const FRAME_OVERHEAD = 9;
const TYPE_AT = 8;

/** One intact frame. The views share the memory they were parsed from. */
export interface Frame {
  readonly type: FrameType;
  readonly payload: Uint8Array;
  /** Type and payload: what the CRC and the chain cover. */
  readonly covered: Uint8Array;
  /** Where the next frame starts. */
  readonly next: number;
}

/**
 * What stands at a place of a segment: a frame, the end (nothing or only zeros follow: free space), the beginning of a
 * frame whose rest is missing, or damage. A length that was changed may look like a missing rest: see `findFrame`.
 */
export type FrameParse =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'end' }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'damaged' };

/**
 * Writes one frame.
 * @throws RangeError when the payload is empty or larger than `LIMIT.frameBytes`: a writer's fault, never a peer's
 */
export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  if (payload.length === 0 || payload.length > LIMIT.frameBytes)
    throw new RangeError('a frame holds 1 byte to LIMIT.frameBytes');
  const frame = Buffer.allocUnsafe(FRAME_OVERHEAD + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame[TYPE_AT] = type;
  frame.set(payload, FRAME_OVERHEAD);
  frame.writeUInt32LE(crc32c(frame.subarray(TYPE_AT)), 4);
  return frame;
}

/** The part of an encoded frame that the chain covers. */
export function coveredBytes(frame: Uint8Array): Uint8Array {
  return frame.subarray(TYPE_AT);
}

/** Reads the frame at `at`. Never throws; every prefix of a segment ends in `end` or `incomplete`. */
export function parseFrame(bytes: Uint8Array, at: number): FrameParse {
  const left = bytes.length - at;
  if (left <= 0) return { kind: 'end' };
  if (left < FRAME_OVERHEAD) return isZero(bytes, at) ? { kind: 'end' } : { kind: 'incomplete' };
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_OVERHEAD);
  const length = view.getUint32(0, true);
  if (length === 0) return isZero(bytes, at) ? { kind: 'end' } : { kind: 'damaged' };
  if (length > LIMIT.frameBytes) return { kind: 'damaged' };
  const next = at + FRAME_OVERHEAD + length;
  if (next > bytes.length) return { kind: 'incomplete' };
  const covered = bytes.subarray(at + TYPE_AT, next);
  const type = frameType(view.getUint8(TYPE_AT));
  if (type === null || crc32c(covered) !== view.getUint32(4, true)) return { kind: 'damaged' };
  return { kind: 'frame', frame: { type, payload: covered.subarray(1), covered, next } };
}

/** Looks for the next intact frame at or after a place, past damage. @returns where it starts, or null */
export function findFrame(bytes: Uint8Array, from: number): number | null {
  for (let at = from; at + FRAME_OVERHEAD < bytes.length; at++) {
    // The length's high byte and the type rule out nearly every place before a checksum is computed.
    if (bytes[at + 3] !== 0 || frameType(bytes[at + TYPE_AT] ?? 0) === null) continue;
    if (parseFrame(bytes, at).kind === 'frame') return at;
  }
  return null;
}

function frameType(value: number): FrameType | null {
  return FRAME_TYPES.find((type) => type === value) ?? null;
}

function isZero(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
