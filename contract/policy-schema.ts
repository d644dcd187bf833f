import { z } from 'zod';
import { AGREEMENT_SPEC } from './agreement-schema.ts';
import { ENTITIES } from './entity.ts';
import {
  CIDR,
  END,
  GLOB,
  HOST_PATTERN,
  list,
  NAME,
  OPERATION,
  POD_SELECTOR,
  RESOLVER,
  START,
  TEXT,
} from './policy-field.ts';

/** The API group and version of the three resources. */
const API_VERSION = 'lazaret.dev/v1alpha1';

const DATES = z.enum(['keep-year', 'whole']);
const MEDIA = z.enum(['deny', 'allow']);
const ORGANIZATION = z.enum(['when-pinned', 'required']);
const USERS = list(z.enum(['jwt', 'header', 'body']));
const IDENTIFIERS = z.int().min(1, 'must be 1 or more; leave it out for no bound').max(1_000_000);
const ACTIONS = z.partialRecord(
  z.enum(ENTITIES),
  z.enum(['redact', 'block'], {
    error: 'must be "redact" or "block"; an entity is kept only by a GuardExemption (spec.grant.keepEntities)',
  }),
);

/** The `spec` of an EgressPolicy. Every field takes something away; a field that is left out takes nothing. */
export const EGRESS_SPEC = z.strictObject({
  podSelector: POD_SELECTOR,
  agreements: list(NAME).optional(),
  destinations: list(HOST_PATTERN).optional(),
  paths: list(OPERATION).optional(),
  allowModels: list(GLOB).optional(),
  denyModels: list(GLOB).default([]),
  denyFeatures: list(GLOB).default([]),
  dates: DATES.optional(),
  entities: ACTIONS.default({}),
  maxIdentifiers: IDENTIFIERS.optional(),
  media: MEDIA.optional(),
  requireUser: USERS.optional(),
  organization: ORGANIZATION.optional(),
});

const GRANT = z
  .strictObject({
    monitor: z.literal(true).optional(),
    unredacted: z.literal(true).optional(),
    keepEntities: list(z.enum(ENTITIES)).min(1, 'must name at least one entity').optional(),
    destinations: list(HOST_PATTERN).min(1, 'must name at least one host').optional(),
    hardening: list(z.string().regex(/^B-\d{1,3}$/, 'must be a rule id such as B-28'))
      .min(1, 'must name at least one rule')
      .optional(),
  })
  .refine(
    (grant) => Object.keys(grant).length === 1,
    'must hold exactly one of monitor, unredacted, keepEntities, destinations, hardening; write one GuardExemption for each',
  );

/** The `spec` of a GuardExemption: the only thing that widens, for a stated reason and until a stated end. */
export const EXEMPTION_SPEC = z.strictObject({
  reason: TEXT,
  approvedBy: TEXT,
  from: START,
  until: END,
  namespaces: list(NAME).min(1, 'must name at least one namespace'),
  podSelector: POD_SELECTOR,
  grant: GRANT,
});

/** A public key that users' tokens are verified with; a private or symmetric one would let any reader of policy sign. */
const TOKEN_KEY = z
  .looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: z.string().optional(), alg: z.string().optional() })
  .refine((key) => !('d' in key) && !('k' in key), 'must be a public key: leave the private members out');

const USER_JWT = z.strictObject({
  header: z
    .string()
    .regex(/^x-[a-z0-9-]{1,62}$/, 'must be a header field of your own in lower case, such as x-lazaret-jwt')
    .default('x-lazaret-jwt'),
  issuer: TEXT,
  audience: TEXT,
  claim: NAME.default('sub'),
  keys: z.array(TOKEN_KEY).min(1, 'must hold at least one public JWK').max(16),
});

const LAST_VERIFIED = z.strictObject({
  warnDays: z.int().min(1).default(90),
  denyDays: z.int().min(1).nullable().default(null),
});

/** The chart's values that are policy: the cluster's defaults. */
export const VALUES = z.strictObject({
  egress: z.strictObject({ destinations: list(HOST_PATTERN).default([]) }).prefault({}),
  network: z.strictObject({ clusterCIDRs: list(CIDR).default([]), resolvers: list(RESOLVER).default([]) }).prefault({}),
  policy: z
    .strictObject({
      dates: DATES.default('keep-year'),
      entities: ACTIONS.default({}),
      maxIdentifiers: IDENTIFIERS.nullable().default(null),
      media: MEDIA.default('deny'),
      requireUser: USERS.default([]),
      userJwt: USER_JWT.nullable().default(null),
      organization: ORGANIZATION.default('when-pinned'),
      denyFeatures: list(GLOB).default([]),
      allowModels: list(GLOB).default([]),
      denyModels: list(GLOB).default([]),
      lastVerified: LAST_VERIFIED.prefault({}),
    })
    .prefault({}),
});

export type EgressSpec = z.infer<typeof EGRESS_SPEC>;
export type ExemptionSpec = z.infer<typeof EXEMPTION_SPEC>;
export type PolicyValues = z.infer<typeof VALUES>;

// What the API server adds (uid, resourceVersion, managedFields, status) is not ours to judge.
const clusterMeta = z.looseObject({ name: NAME });
const namespacedMeta = z.looseObject({ name: NAME, namespace: NAME });

/** The resources by kind, as they stand in the cluster. */
export const RESOURCES = {
  ProviderAgreement: resource('ProviderAgreement', clusterMeta, AGREEMENT_SPEC),
  EgressPolicy: resource('EgressPolicy', namespacedMeta, EGRESS_SPEC),
  GuardExemption: resource('GuardExemption', clusterMeta, EXEMPTION_SPEC),
} as const;

/** The kinds of the three resources. */
export type ResourceKind = keyof typeof RESOURCES;

function resource<Kind extends string, Meta extends z.ZodType, Spec extends z.ZodType>(
  kind: Kind,
  metadata: Meta,
  spec: Spec,
) {
  return z.strictObject({
    apiVersion: z.literal(API_VERSION, { error: `must be "${API_VERSION}"` }),
    kind: z.literal(kind),
    metadata,
    spec,
    status: z.unknown().optional(),
  });
}

/** A document of each kind after parsing. */
export type AgreementDocument = z.infer<typeof RESOURCES.ProviderAgreement>;
export type EgressDocument = z.infer<typeof RESOURCES.EgressPolicy>;
export type ExemptionDocument = z.infer<typeof RESOURCES.GuardExemption>;
