import { createHash } from 'node:crypto';
import type { Entity } from './entity.ts';
import { ENTITIES } from './entity.ts';
import { longestGrantMs } from './policy-lint.ts';
import type { Agreement, Policy } from './policy.ts';
import { hostPatternCovers } from './policy-pattern.ts';
import type { AgreementDocument, EgressSpec, ExemptionSpec } from './policy-schema.ts';
import type { PolicySource } from './policy-source.ts';
import type { Window } from './policy-time.ts';

/** Whose policy is wanted. */
export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Compiles the policy of one workload: the cluster's defaults, narrowed by every EgressPolicy of its namespace that
 * selects it, and widened only by GuardExemptions that name it. Narrowing is an intersection, so that no order of
 * EgressPolicies and no fault in one can give more than the cluster gives.
 * @param source documents that passed their schemas; faults between documents (`findCrossFaults`) never widen the result
 * @param agreements the source's agreements, compiled once for many workloads
 */
export function compilePolicy(
  source: PolicySource,
  workload: Workload,
  agreements: readonly Agreement[] = compileAgreements(source),
): Policy {
  const exemptions = source.exemptions
    .map((document) => document.spec)
    .filter((spec) => spec.namespaces.includes(workload.namespace) && selects(spec.podSelector, workload));
  const egress = source.egress
    .filter((document) => document.metadata.namespace === workload.namespace)
    .map((document) => document.spec);
  return egress
    .filter((spec) => selects(spec.podSelector, workload))
    .reduce(narrow, clusterPolicy(source, exemptions, agreements));
}

/** The agreements of a source as guards use them; they are the same for every workload. */
export function compileAgreements(source: PolicySource): readonly Agreement[] {
  return source.agreements.map(compileAgreement);
}

/** Whether a selector takes a workload: every label of it stands there with the same value; none at all takes every workload. */
export function selects(selector: EgressSpec['podSelector'], workload: Workload): boolean {
  return Object.entries(selector.matchLabels).every(
    ([key, value]) => Object.hasOwn(workload.labels, key) && workload.labels[key] === value,
  );
}

function clusterPolicy(
  source: PolicySource,
  exemptions: readonly ExemptionSpec[],
  agreements: readonly Agreement[],
): Policy {
  const { egress, network, policy } = source.values;
  const listed = egress.destinations.map((pattern) => ({ pattern, window: null }));
  const granted = exemptions.flatMap((spec) =>
    (spec.grant.destinations ?? []).map((pattern) => ({ pattern, window: windowOf(spec) })),
  );
  return {
    agreements,
    destinations: [...listed, ...granted],
    clusterCidrs: network.clusterCIDRs,
    resolvers: network.resolvers,
    grants: {
      monitor: exemptions.filter((spec) => spec.grant.monitor === true).map(windowOf),
      unredacted: exemptions.filter((spec) => spec.grant.unredacted === true).map(windowOf),
      keepEntities: exemptions.flatMap((spec) =>
        (spec.grant.keepEntities ?? []).map((entity) => ({ entity, window: windowOf(spec) })),
      ),
    },
    dates: policy.dates,
    blockEntities: blocked(policy.entities),
    maxIdentifiers: policy.maxIdentifiers,
    media: policy.media,
    requireUser: policy.requireUser.length === 0 ? null : policy.requireUser,
    userJwt: policy.userJwt,
    organization: policy.organization,
    denyFeatures: policy.denyFeatures,
    denyModels: policy.denyModels,
    agreementLists: [],
    modelLists: policy.allowModels.length === 0 ? [] : [policy.allowModels],
    pathLists: [],
    lastVerified: policy.lastVerified,
  };
}

function narrow(policy: Policy, spec: EgressSpec): Policy {
  const { agreements, destinations, requireUser } = spec;
  return {
    ...policy,
    agreementLists: agreements === undefined ? policy.agreementLists : [...policy.agreementLists, agreements],
    destinations: destinations === undefined ? policy.destinations : intersect(policy.destinations, destinations),
    dates: spec.dates === 'whole' ? 'whole' : policy.dates,
    blockEntities: ENTITIES.filter(
      (entity) => policy.blockEntities.includes(entity) || spec.entities[entity] === 'block',
    ),
    maxIdentifiers: least(policy.maxIdentifiers, spec.maxIdentifiers ?? null),
    media: spec.media === 'deny' ? 'deny' : policy.media,
    requireUser:
      requireUser === undefined || requireUser.length === 0
        ? policy.requireUser
        : requireUser.filter((form) => policy.requireUser?.includes(form) ?? true),
    organization: spec.organization === 'required' ? 'required' : policy.organization,
    denyFeatures: [...policy.denyFeatures, ...spec.denyFeatures],
    denyModels: [...policy.denyModels, ...spec.denyModels],
    modelLists: spec.allowModels === undefined ? policy.modelLists : [...policy.modelLists, spec.allowModels],
    pathLists: spec.paths === undefined ? policy.pathLists : [...policy.pathLists, spec.paths],
  };
}

function intersect(offered: Policy['destinations'], wanted: readonly string[]): Policy['destinations'] {
  return offered.flatMap(({ pattern, window }) =>
    wanted.flatMap((want) => {
      if (hostPatternCovers(pattern, want)) return [{ pattern: want, window }];
      return hostPatternCovers(want, pattern) ? [{ pattern, window }] : [];
    }),
  );
}

function least(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

function blocked(entities: Readonly<Partial<Record<Entity, string>>>): readonly Entity[] {
  return ENTITIES.filter((entity) => entities[entity] === 'block');
}

/** A grant beyond its longest time ends there: the bound must not hang on who read the source. */
function windowOf(spec: ExemptionSpec): Window {
  return { from: spec.from, until: Math.min(spec.until, spec.from + longestGrantMs(spec)) };
}

function compileAgreement({ metadata, spec }: AgreementDocument): Agreement {
  const { credential, organization, ...match } = spec.match;
  return {
    ...match,
    id: metadata.name,
    hash: createHash('sha256').update(JSON.stringify(spec)).digest('hex'),
    provider: spec.provider,
    product: spec.product,
    kind: spec.kind,
    credential: {
      ...credential,
      kinds: credential.kinds ?? (spec.kind === 'self-hosted' ? ['api-key', 'oauth', 'none'] : ['api-key']),
    },
    organization: organization === null || organization.ids.length === 0 ? null : organization,
    requires: spec.requires,
    confirmed: spec.confirmed,
    contract: spec.contract,
    lastVerified: spec.lastVerified?.date ?? null,
    routesTo: spec.routesTo,
  };
}
