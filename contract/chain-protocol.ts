import { z } from 'zod';
import type { ChainId } from './brand.ts';
import { isChainId } from './chain.ts';
import { parseJson, parseSigned, publicKeySchema, type Signed, type SignedType } from './chain-signature.ts';

/** `POST`: a pod's key becomes known. */
export const ENROL_PATH = '/v1/enrol';
/** `GET`: the collector's public keys. */
export const JWKS_PATH = '/v1/jwks';

/** `POST`: frames of a segment; an empty body asks what the collector holds of it. */
export function batchPath(chain: ChainId, segment: string): string {
  return `/v1/chains/${chain}/segments/${segment}`;
}

/** A segment's file name: an ordinal, and chance. It names files at the collector too, so nothing else passes. */
export const SEGMENT_NAME = /^(\d{8})-[0-9a-f]{8}\.seg$/;

const chainSchema = z.string().refine((text): text is ChainId => isChainId(text), 'is not a chain id');
const hash = z.string().length(43);
const count = z.number().int().nonnegative();

/** What a pod says when it enrols, signed with the key it enrols (so it has it). Times are seconds since 1970. */
export const enrolSchema = z.object({
  v: z.literal(1),
  chain: chainSchema,
  workload: z.string().max(253),
  key: publicKeySchema,
  iat: z.number(),
});
export type EnrolClaim = z.infer<typeof enrolSchema>;

/** What a pod says of a batch, signed: its bytes, and where they begin in the segment. */
export const batchSchema = z.object({
  v: z.literal(1),
  chain: chainSchema,
  segment: z.string().regex(SEGMENT_NAME),
  offset: count,
  bytes: count,
  sha256: hash,
  iat: z.number(),
});
export type BatchClaim = z.infer<typeof batchSchema>;

/** The collector's word that a key belongs to the pod of a chain. */
export const attestationSchema = z.looseObject({
  v: z.literal(1),
  chain: chainSchema,
  kid: z.string(),
  key: publicKeySchema,
  workload: z.string(),
  iat: z.number(),
});
export type Attestation = z.infer<typeof attestationSchema>;

/** The collector's word that it holds a segment, durable, up to here. `contiguous_seq` never passes a hole of the chain. */
export const receiptSchema = z.looseObject({
  v: z.literal(1),
  chain: chainSchema,
  segment: z.string(),
  bytes: count,
  up_to_seq: count,
  head_hash: hash,
  contiguous_seq: count,
  contiguous_hash: hash,
  iat: z.number(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** The chains a collector holds, and how far. */
export const manifestSchema = z.looseObject({
  v: z.literal(1),
  iat: z.number(),
  chains: z.array(z.looseObject({ chain: chainSchema, seq: count, head: hash })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Public keys by id. */
export const jwksSchema = z.object({
  keys: z
    .array(
      z.looseObject({
        ...publicKeySchema.shape,
        kid: z.string(),
        alg: z.literal('ES256').optional(),
        use: z.literal('sig').optional(),
      }),
    )
    .max(32),
});
export type PublicJwks = z.infer<typeof jwksSchema>;

/** Answer to an enrolment. */
export const enrolAnswerSchema = z.object({ attestation: z.string(), jwks: jwksSchema });
/** Answer to a batch. With status 409 the receipt says what the collector holds instead. */
export const batchAnswerSchema = z.object({ receipt: z.string() });

/** Answer 409 without a receipt: nothing of this segment is stored, so it must come from its beginning. */
export const forgottenSchema = z.object({ error: z.literal('unknown_segment') });

/**
 * Reads a signed statement's payload.
 * @returns it and the signed form, not yet verified; null when it is another type or does not fit
 */
export function readStatement<T>(
  text: string,
  type: SignedType,
  schema: z.ZodType<T>,
): { readonly claim: T; readonly signed: Signed } | null {
  const signed = parseSigned(text);
  if (signed === null || signed.type !== type) return null;
  const parsed = schema.safeParse(parseJson(signed.payload));
  return parsed.success ? { claim: parsed.data, signed } : null;
}
