import { z } from 'zod';
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

/** A public ES256 key as it stands in an open record. */
export const openKeySchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().max(64),
  y: z.string().max(64),
});
export type OpenKey = z.infer<typeof openKeySchema>;

/** A signed record taken apart, not yet verified. */
export interface SignedRecord {
  readonly kid: string;
  /** What the signature covers, as stored. */
  readonly input: string;
  readonly signature: Uint8Array;
}

/** Reads the record of a `record` or `signed` frame. @returns null when the payload is none. A signature is not checked here. */
export function readRecord(
  frame: Frame,
): { readonly record: StoredRecord; readonly signed: SignedRecord | null } | null {
  if (frame.type === FRAME_TYPE.record) {
    const record = parseRecord(Buffer.from(frame.payload).toString('utf8'));
    return record === null ? null : { record, signed: null };
  }
  if (frame.type !== FRAME_TYPE.signed) return null;
  const [head, payload, signature, ...rest] = Buffer.from(frame.payload).toString('latin1').split('.');
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
  const kid = signedKid(head);
  const record = parseRecord(Buffer.from(payload, 'base64url').toString('utf8'));
  if (kid === null || record === null) return null;
  return { record, signed: { kid, input: `${head}.${payload}`, signature: Buffer.from(signature, 'base64url') } };
}

function parseRecord(text: string): StoredRecord | null {
  const parsed = recordSchema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

function signedKid(head: string): string | null {
  const parsed = z
    .object({ alg: z.literal('ES256'), kid: z.string() })
    .safeParse(parseJson(Buffer.from(head, 'base64url').toString('utf8')));
  return parsed.success ? parsed.data.kid : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
