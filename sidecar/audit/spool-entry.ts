import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, chainFrame, linkAfter } from '#contract/chain.ts';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import type { RecordJson, RecordPlace } from '#contract/record-build.ts';
import { FRAME_TYPE } from '#contract/record-frame.ts';
import type { PartName } from '#contract/seal.ts';
import { type AuditClock, recordTime } from './clock.ts';
import type { Segment } from './segment.ts';
import type { SigningKey } from './signing-key.ts';

/** What goes into the spool. It is encoded when its place is known, and again when a failed volume makes it move. */
export type SpoolEntry =
  | { readonly kind: 'record'; readonly signed: boolean; readonly build: (place: RecordPlace) => RecordJson }
  | { readonly kind: 'part'; readonly name: PartName; readonly plain: readonly Uint8Array[] };

/** What every record of a spool has in common. */
export interface SpoolIdentity {
  readonly chain: ChainId;
  readonly signing: SigningKey;
  readonly clock: AuditClock;
}

const ENVELOPE_BYTES = 2_048;

// Base64url and the header of a part; the fields of a record.
function entryBytes(entry: SpoolEntry): number {
  if (entry.kind === 'record') return ENVELOPE_BYTES;
  return Math.ceil(entry.plain.reduce((sum, piece) => sum + piece.length, 0) / 3) * 4 + 512;
}

/** @returns about how many bytes of the spool entries take. */
export function sizeOf(entries: readonly SpoolEntry[]): number {
  return entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
}

/** Encodes an entry as the next frame of the chain. @throws when the segment has no content key: a fault of the writer */
export function encodeEntry(
  entry: SpoolEntry,
  identity: SpoolIdentity,
  head: ChainHead,
  segment: Segment,
): { readonly frame: Buffer; readonly head: ChainHead } {
  if (entry.kind === 'part') {
    if (segment.key === null) throw new Error('a segment that takes parts has a content key');
    segment.parts++;
    return chainFrame(head, FRAME_TYPE.part, segment.key.seal(entry.name, entry.plain));
  }
  const place = { link: linkAfter(identity.chain, head), time: recordTime(identity.clock) };
  const json = JSON.stringify(entry.build(place));
  if (!entry.signed) return chainFrame(head, FRAME_TYPE.record, Buffer.from(json));
  return chainFrame(head, FRAME_TYPE.signed, Buffer.from(identity.signing.sign(SIGNED_TYPE.record, json), 'latin1'));
}
