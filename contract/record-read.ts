import { z } from 'zod';
import { parseJson, parseSigned, SIGNED_TYPE, type Signed } from './chain-signature.ts';
import type { Frame } from './record-frame.ts';
import { FRAME_TYPE } from './record-frame.ts';
import { STAGES } from './record-build.ts';

const recordSchema = z.looseObject({
  v: z.literal(1),
  chain: z.string(),
  seq: z.number().int().positive(),
  prev: z.string(),
  stage: z.enum(STAGES),
  time: z.looseObject({ wall_ns: z.string(), mono_ns: z.string() }),
  id: z.string().optional(),
});

/** A record as read: its envelope is checked, the rest is as the writer of its version made it. */
export type StoredRecord = z.infer<typeof recordSchema>;

/** Reads the record of a `record` or `signed` frame. @returns null when the payload is none. A signature is not checked here. */
export function readRecord(frame: Frame): { readonly record: StoredRecord; readonly signed: Signed | null } | null {
  if (frame.type === FRAME_TYPE.record) {
    const record = parseRecord(Buffer.from(frame.payload).toString('utf8'));
    return record === null ? null : { record, signed: null };
  }
  if (frame.type !== FRAME_TYPE.signed) return null;
  const signed = parseSigned(Buffer.from(frame.payload).toString('latin1'));
  const record = signed?.type === SIGNED_TYPE.record ? parseRecord(signed.payload) : null;
  return record === null ? null : { record, signed };
}

function parseRecord(text: string): StoredRecord | null {
  const parsed = recordSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}
