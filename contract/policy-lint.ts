import { ENTITIES } from './entity.ts';
import type { PolicyFault, PolicySource } from './policy-source.ts';
import { hostPatternCovers } from './policy-pattern.ts';
import type { AgreementDocument, EgressDocument, ExemptionDocument } from './policy-schema.ts';
import { DAY_MS } from './policy-time.ts';
import { lookupPattern } from './policy-register.ts';

/** Longest monitor grant, and longest grant of any other kind, in days. */
const GRANT_DAYS = { monitor: 30, other: 366 } as const;

/** @returns the longest time that a grant of this kind may last, in ms */
export function longestGrantMs({ grant }: ExemptionDocument['spec']): number {
  return DAY_MS * (grant.monitor === true ? GRANT_DAYS.monitor : GRANT_DAYS.other);
}

/**
 * Faults that only show when documents are seen together, or against the register of known hosts.
 * @param faulty kinds of documents of which one could not be read: what refers to them cannot be judged yet
 */
export function findCrossFaults(source: PolicySource, faulty: ReadonlySet<string>): readonly PolicyFault[] {
  return [
    ...duplicateFaults(source),
    ...destinationFaults('values', 'values.egress.destinations', source.values.egress.destinations),
    ...source.agreements.flatMap((document) =>
      agreementFaults(document, faulty.has('ProviderAgreement') ? null : source),
    ),
    ...source.exemptions.flatMap(exemptionFaults),
    ...source.egress.flatMap((document) => [
      ...(faulty.has('ProviderAgreement') ? [] : referenceFaults(document, source)),
      ...(faulty.has('values') || faulty.has('GuardExemption') ? [] : destinationWidening(document, source)),
      ...(faulty.has('values') ? [] : valueWidening(document, source)),
    ]),
  ];
}

function duplicateFaults(source: PolicySource): readonly PolicyFault[] {
  const names = [...source.agreements, ...source.egress, ...source.exemptions].map(nameOf);
  return names
    .filter((name, index) => names.indexOf(name) < index)
    .map((document) => ({
      document,
      field: 'metadata.name',
      problem: 'stands twice: give each resource a name of its own',
    }));
}

function nameOf(document: AgreementDocument | EgressDocument | ExemptionDocument): string {
  const { namespace, name } = document.metadata;
  return typeof namespace === 'string' ? `${document.kind}/${namespace}/${name}` : `${document.kind}/${name}`;
}

/** A known LLM host is decided or refused, never spliced, so it can never be a listed destination. */
function destinationFaults(document: string, field: string, patterns: readonly string[]): readonly PolicyFault[] {
  const known = (pattern: string) =>
    (lookupPattern(pattern)?.kind ?? 'shared-infrastructure') !== 'shared-infrastructure';
  return patterns.flatMap((pattern, index) =>
    !known(pattern)
      ? []
      : [
          {
            document,
            field: `${field}[${index}]`,
            problem: 'is a known LLM host and cannot be a listed destination: write a ProviderAgreement for it',
          },
        ],
  );
}

function agreementFaults(document: AgreementDocument, source: PolicySource | null): readonly PolicyFault[] {
  const { spec } = document;
  const name = nameOf(document);
  const kinds = spec.match.hosts.map((host) => lookupPattern(host)?.kind ?? null);
  const hostFault = (test: (kind: string | null) => boolean, problem: string) =>
    kinds.flatMap((kind, index) =>
      test(kind) ? [{ document: name, field: `spec.match.hosts[${index}]`, problem }] : [],
    );
  const known = source?.agreements.map((other) => other.metadata.name);
  return [
    ...hostFault((kind) => kind === 'consumer-chat', 'is a consumer product, which no agreement covers: remove it'),
    ...hostFault(
      (kind) => kind !== null && spec.kind === 'self-hosted',
      'belongs to a known provider and cannot be self-hosted: remove it, or state the contract under another kind',
    ),
    ...hostFault(
      (kind) => kind === 'router' && spec.routesTo.length === 0,
      'is a router: name in spec.routesTo the agreements with every vendor that it routes to',
    ),
    ...spec.routesTo.flatMap((target, index) =>
      known === undefined || (known.includes(target) && target !== document.metadata.name)
        ? []
        : [
            {
              document: name,
              field: `spec.routesTo[${index}]`,
              problem: 'must be the name of another ProviderAgreement of this source',
            },
          ],
    ),
    ...planFaults(name, spec),
  ];
}

/** A plan token's prefix may not tell a company's plan from a consumer's: only the organization does. */
function planFaults(document: string, spec: AgreementDocument['spec']): readonly PolicyFault[] {
  const plan = spec.match.credential.kinds?.some((kind) => kind === 'oauth' || kind === 'session') ?? false;
  const pinned = (spec.match.organization?.ids.length ?? 0) > 0;
  if (!plan || pinned || spec.kind === 'self-hosted') return [];
  return [
    {
      document,
      field: 'spec.match.organization.ids',
      problem:
        'must name the covered organizations, because an oauth or session credential may belong to a consumer plan',
    },
  ];
}

function exemptionFaults(document: ExemptionDocument): readonly PolicyFault[] {
  const { spec } = document;
  const name = nameOf(document);
  const faults = destinationFaults(name, 'spec.grant.destinations', spec.grant.destinations ?? []);
  if (spec.until <= spec.from)
    return [...faults, { document: name, field: 'spec.until', problem: 'must be later than spec.from' }];
  if (spec.until - spec.from <= longestGrantMs(spec)) return faults;
  const limit =
    spec.grant.monitor === true ? 'a monitor grant lasts at most 30 days' : 'an exemption lasts at most a year';
  return [...faults, { document: name, field: 'spec.until', problem: `is too late: ${limit} after spec.from` }];
}

/** An EgressPolicy that names what is not there was meant to allow something. */
function referenceFaults(document: EgressDocument, source: PolicySource): readonly PolicyFault[] {
  const { spec } = document;
  const names = source.agreements.map((agreement) => agreement.metadata.name);
  const operations = source.agreements.flatMap((agreement) => agreement.spec.match.paths);
  return [
    ...(spec.agreements ?? []).flatMap((name, i) =>
      widening(document, !names.includes(name), `agreements[${i}]`, 'there is no ProviderAgreement of this name'),
    ),
    ...(spec.paths ?? []).flatMap((path, i) =>
      widening(document, !operations.includes(path), `paths[${i}]`, 'no ProviderAgreement lists this operation'),
    ),
  ];
}

function destinationWidening(document: EgressDocument, source: PolicySource): readonly PolicyFault[] {
  const offered = offeredDestinations(document.metadata.namespace, source);
  return (document.spec.destinations ?? []).flatMap((pattern, i) => {
    const listed = offered.some((outer) => hostPatternCovers(outer, pattern));
    return widening(
      document,
      !listed,
      `destinations[${i}]`,
      'the cluster does not list this host; ask for it in values.egress.destinations or a GuardExemption',
    );
  });
}

/** A namespace only narrows: a field that would give more than the cluster gives is a fault, not a wish. */
function valueWidening(document: EgressDocument, source: PolicySource): readonly PolicyFault[] {
  const { spec } = document;
  const base = source.values.policy;
  const users = base.requireUser.length > 0 ? base.requireUser : null;
  const widens = (test: boolean, field: string, problem: string) => widening(document, test, field, problem);
  return [
    ...widens(
      spec.dates === 'keep-year' && base.dates === 'whole',
      'dates',
      'the cluster replaces dates whole; write "whole" or remove the field',
    ),
    ...ENTITIES.flatMap((entity) =>
      widens(
        spec.entities[entity] === 'redact' && base.entities[entity] === 'block',
        `entities.${entity}`,
        'the cluster blocks it; remove the field',
      ),
    ),
    ...widens(
      base.maxIdentifiers !== null && (spec.maxIdentifiers ?? 0) > base.maxIdentifiers,
      'maxIdentifiers',
      `the cluster allows at most ${base.maxIdentifiers}`,
    ),
    ...widens(spec.media === 'allow' && base.media === 'deny', 'media', 'the cluster denies it; remove the field'),
    ...widens(
      users !== null && spec.requireUser?.length === 0,
      'requireUser',
      'the cluster requires a user; remove the field',
    ),
    ...(spec.requireUser ?? []).flatMap((user, i) =>
      widens(users?.includes(user) === false, `requireUser[${i}]`, 'the cluster does not accept this form'),
    ),
    ...widens(
      spec.organization === 'when-pinned' && base.organization === 'required',
      'organization',
      'the cluster requires it; remove the field',
    ),
  ];
}

function widening(document: EgressDocument, test: boolean, field: string, problem: string): readonly PolicyFault[] {
  return test ? [{ document: nameOf(document), field: `spec.${field}`, problem: `would widen: ${problem}` }] : [];
}

function offeredDestinations(namespace: string, source: PolicySource): readonly string[] {
  const granted = source.exemptions
    .filter((exemption) => exemption.spec.namespaces.includes(namespace))
    .flatMap((exemption) => exemption.spec.grant.destinations ?? []);
  return [...source.values.egress.destinations, ...granted];
}
