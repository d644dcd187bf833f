import { z } from 'zod';
import type { ChainId } from './brand.ts';
import { isChainId } from './chain.ts';
import {
  parseJson,
  parseSigned,
  publicKeySchema,
  SIGNED_TYPE,
  type Signed,
  type SignedType,
} from './chain-signature.ts';

/** `POST`: a pod's key becomes known. */
export const ENROL_PATH = '/v1/enrol';
/** `GET`: the collector's public keys. */
export const JWKS_PATH = '/v1/jwks';
/** `PUT` and `GET` by the controller alone: the chains that must exist. `GET` answers `expectedAnswerSchema`. */
export const EXPECTED_PATH = '/v1/expected';
/** `GET` by the controller alone: how far each chain goes; answers `manifestAnswerSchema`. */
export const MANIFEST_PATH = '/v1/manifest';

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
  /** The uid of the pod where the platform proved it: a later pod of the same name is another pod. */
  pod_uid: z.string().optional(),
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

/**
 * The controller's word which chains must exist: one line for each pod that ever was seen with a running guard, `from` and `to` as
 * RFC 3339 times (`to` is null while it lives), and the last head that the collector had signed for (`seq` 0: none yet).
 */
export const expectedSchema = z.looseObject({
  v: z.literal(1),
  /** Seconds since 1970. */
  iat: z.number(),
  chains: z.array(
    z.looseObject({
      chain: chainSchema,
      /** `NAMESPACE/POD` */
      pod: z.string().max(317),
      from: z.iso.datetime({ offset: true }),
      to: z.iso.datetime({ offset: true }).nullable(),
      seq: count,
      head: z.string().max(43),
    }),
  ),
});
export type Expected = z.infer<typeof expectedSchema>;

/** Public keys by id. `signs` limits a key to statements of these types; without it a key may sign any. */
export const jwksSchema = z.object({
  keys: z
    .array(
      z.looseObject({
        ...publicKeySchema.shape,
        kid: z.string(),
        alg: z.literal('ES256').optional(),
        use: z.literal('sig').optional(),
        signs: z.array(z.enum(SIGNED_TYPE)).optional(),
      }),
    )
    .max(32),
});
export type PublicJwks = z.infer<typeof jwksSchema>;

/** Answer to an enrolment. */
export const enrolAnswerSchema = z.object({ attestation: z.string(), jwks: jwksSchema });
/** Answer to a batch. With status 409 the receipt says what the collector holds instead. */
export const batchAnswerSchema = z.object({ receipt: z.string() });

/** What the controller puts: a signed `Expected`, and the public keys it signs with (at least once, and when they change). */
export const putExpectedSchema = z.object({ expected: z.string(), jwks: jwksSchema.optional() });
/** Answer to `GET EXPECTED_PATH`: the last signed list, or null when none was ever put. */
export const expectedAnswerSchema = z.object({ expected: z.string().nullable() });
/** Answer to `GET MANIFEST_PATH`: the signed manifest, or null when nothing was ever stored. */
export const manifestAnswerSchema = z.object({ manifest: z.string().nullable() });

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
