import { z } from 'zod';
import { END, GLOB, HOST_PATTERN, list, NAME, OPERATION, START, TEXT } from './policy-field.ts';

/** Where an agreement stands. Only `signed` covers anything: an agreement that one could have is no agreement. */
export const AGREEMENT_STATUS = ['signed', 'available', 'plan-gated', 'on-request', 'none'] as const;

/**
 * The kind of product that an agreement covers. `coding`: the backend of a coding assistant under a commercial plan.
 * `self-hosted`: a model that the operator runs, for which no third party signs. Consumer products have no word here.
 */
export const AGREEMENT_KINDS = ['api', 'enterprise', 'coding', 'self-hosted'] as const;

/** How a request authenticates; see `classifyCredential`. */
export const CREDENTIAL_KINDS = ['api-key', 'oauth', 'session', 'admin-key', 'signature', 'ambiguous', 'none'] as const;

const CONTRACT = z.strictObject({
  status: z.enum(AGREEMENT_STATUS),
  ref: TEXT.nullable().default(null),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the signed document in 64 lower-case hexadecimal digits')
    .nullable()
    .default(null),
  signedOn: START.nullable().default(null),
  effectiveOn: START.nullable().default(null),
  expiresOn: END.nullable().default(null),
  scope: list(z.enum(AGREEMENT_KINDS)).min(1, 'must name at least one kind of product').default(['api']),
});

const CREDENTIAL = z.strictObject({
  kinds: list(z.enum(['api-key', 'oauth', 'session', 'admin-key', 'signature', 'none']))
    .min(1, 'must name at least one kind, or be left out')
    .nullable()
    .default(null),
  denyPrefixes: list(z.string().regex(/^[\x21-\x7e]{1,64}$/, 'must be the first characters of a key')).default([]),
  keyFingerprints: list(
    z
      .string()
      .regex(
        /^[0-9a-f]{32}([0-9a-f]{32})?$/,
        'must be the SHA-256 of the key: its first 32 or all 64 hexadecimal digits',
      ),
  ).default([]),
});

const ORGANIZATION = z.strictObject({
  header: z
    .string()
    .max(128)
    .regex(/^[a-z0-9-]+$/, 'must be a response header in lower case, such as anthropic-organization-id'),
  ids: list(z.string().min(1).max(128)).default([]),
});

const MATCH = z.strictObject({
  hosts: list(HOST_PATTERN).min(1, 'must name at least one host'),
  paths: list(OPERATION).min(1, 'must name at least one operation: what is not listed is blocked'),
  allowFeatures: list(GLOB).default([]),
  denyFeatures: list(GLOB).default([]),
  allowModels: list(GLOB).default([]),
  denyModels: list(GLOB).default([]),
  regions: list(
    z
      .string()
      .max(64)
      .regex(/^[a-z0-9-]+$/, 'must be a region id such as us-east-1'),
  ).default([]),
  credential: CREDENTIAL.default({ kinds: null, denyPrefixes: [], keyFingerprints: [] }),
  organization: ORGANIZATION.nullable().default(null),
});

/** What a product's coverage rests on besides the signature, and whether the owner of the agreement confirmed it. */
const CONDITIONS = z.strictObject({ hipaaOrg: z.boolean().default(false), zdr: z.boolean().default(false) });

/** The `spec` of a ProviderAgreement: a business associate agreement as data (45 CFR 164.504(e)). */
export const AGREEMENT_SPEC = z.strictObject({
  provider: TEXT,
  product: TEXT,
  kind: z.enum(AGREEMENT_KINDS).default('api'),
  match: MATCH,
  routesTo: list(NAME).default([]),
  requires: CONDITIONS.default({ hipaaOrg: false, zdr: false }),
  confirmed: CONDITIONS.default({ hipaaOrg: false, zdr: false }),
  contract: CONTRACT.nullable().default(null),
  evidence: z
    .strictObject({
      sourceUrl: z.string().nullable().default(null),
      documentDate: z.string().nullable().default(null),
      note: z.string().nullable().default(null),
    })
    .nullable()
    .default(null),
  lastVerified: z.strictObject({ date: START, by: TEXT }).nullable().default(null),
  credential: z
    .literal('pass', { error: 'must be "pass" (the application brings its own key): this version hands out no keys' })
    .default('pass'),
});

/** A parsed `spec`; times are ms since the epoch. */
export type AgreementSpec = z.infer<typeof AGREEMENT_SPEC>;
