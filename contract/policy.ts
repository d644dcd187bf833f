import { z } from 'zod';
import { AGREEMENT_KINDS, AGREEMENT_STATUS, CREDENTIAL_KINDS } from './agreement-schema.ts';
import { ENTITIES } from './entity.ts';
import { POLICY_LISTS } from './lists-protocol.ts';

/**
 * Policy as one workload's guard uses it: compiled, without names of namespaces or selectors, every time in ms since
 * the epoch. It travels in the signed bundle; the schema is strict, so that a guard never works with half of a policy.
 */

const TEXTS = z.array(z.string()).readonly();
const TIME = z.number().nullable();
const CONDITIONS = z.strictObject({ hipaaOrg: z.boolean(), zdr: z.boolean() }).readonly();

/** A span of time in which a grant is in force. */
const WINDOW = z.strictObject({ from: z.number(), until: z.number() }).readonly();

const CONTRACT = z
  .strictObject({
    status: z.enum(AGREEMENT_STATUS),
    ref: z.string().nullable(),
    sha256: z.string().nullable(),
    signedOn: TIME,
    effectiveOn: TIME,
    expiresOn: TIME,
    scope: z.array(z.enum(AGREEMENT_KINDS)).readonly(),
  })
  .readonly();

const AGREEMENT = z
  .strictObject({
    /** Name of the ProviderAgreement. */
    id: z.string(),
    /** SHA-256 of the parsed `spec`: which text of the agreement decided. */
    hash: z.string(),
    provider: z.string(),
    product: z.string(),
    kind: z.enum(AGREEMENT_KINDS),
    hosts: TEXTS,
    paths: TEXTS,
    regions: TEXTS,
    allowFeatures: TEXTS,
    denyFeatures: TEXTS,
    allowModels: TEXTS,
    denyModels: TEXTS,
    credential: z
      .strictObject({
        kinds: z.array(z.enum(CREDENTIAL_KINDS)).readonly(),
        denyPrefixes: TEXTS,
        keyFingerprints: TEXTS,
      })
      .readonly(),
    /** The response header that names the provider account, and the accounts that are covered; null: not verified. */
    organization: z.strictObject({ header: z.string(), ids: TEXTS }).readonly().nullable(),
    requires: CONDITIONS,
    confirmed: CONDITIONS,
    contract: CONTRACT.nullable(),
    lastVerified: TIME,
    /** A router's vendors, each by the id of its own agreement. */
    routesTo: TEXTS,
  })
  .readonly();

export const POLICY = z
  .strictObject({
    agreements: z.array(AGREEMENT).readonly(),
    /** Hosts that are spliced; a window where the listing is a grant. */
    destinations: z.array(z.strictObject({ pattern: z.string(), window: WINDOW.nullable() }).readonly()).readonly(),
    clusterCidrs: TEXTS,
    resolvers: TEXTS,
    grants: z
      .strictObject({
        monitor: z.array(WINDOW).readonly(),
        unredacted: z.array(WINDOW).readonly(),
        keepEntities: z.array(z.strictObject({ entity: z.enum(ENTITIES), window: WINDOW }).readonly()).readonly(),
      })
      .readonly(),
    dates: z.enum(['keep-year', 'whole']),
    /** Entities whose presence refuses the exchange; all others are redacted. */
    blockEntities: z.array(z.enum(ENTITIES)).readonly(),
    maxIdentifiers: z.number().nullable(),
    media: z.enum(['deny', 'allow']),
    /** Accepted forms of a user's identity; null: none is required. An empty list accepts nobody. */
    requireUser: z
      .array(z.enum(['jwt', 'header', 'body']))
      .readonly()
      .nullable(),
    /** How users' tokens are verified: the field that carries one, and whose they must be. Null: none is looked at. */
    userJwt: z
      .strictObject({
        header: z.string(),
        issuer: z.string(),
        audience: z.string(),
        claim: z.string(),
        keys: z.array(z.looseObject({ kty: z.string() })).readonly(),
      })
      .readonly()
      .nullable(),
    organization: z.enum(['when-pinned', 'required']),
    denyFeatures: TEXTS,
    denyModels: TEXTS,
    /**
     * Lists of agreements, models and operations: each list must cover a request. The agreements that a namespace leaves out stay
     * in `agreements`: taking out a specific one that denies could let a general one allow.
     */
    agreementLists: z.array(TEXTS).readonly(),
    modelLists: z.array(TEXTS).readonly(),
    pathLists: z.array(TEXTS).readonly(),
    lastVerified: z.strictObject({ warnDays: z.number(), denyDays: z.number().nullable() }).readonly(),
    /** The deployer's lists, where there are any: without the ones that are named here the detector refuses. */
    lists: POLICY_LISTS.optional(),
  })
  .readonly();

export type Policy = z.infer<typeof POLICY>;
export type Agreement = z.infer<typeof AGREEMENT>;
