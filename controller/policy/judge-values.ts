import { lookupPattern } from '#contract/policy-register.ts';
import type { PolicyValues } from '#contract/policy-schema.ts';
import { type PolicyFault, readValues } from '#contract/policy-source.ts';

/** The cluster's defaults, and what of them could not be read. */
export interface JudgedValues {
  readonly values: PolicyValues;
  readonly faults: readonly PolicyFault[];
  /** Whether no agreement may be used: what the cluster takes away could not be read, so nothing is known to be allowed. */
  readonly locked: boolean;
}

/** The fields of the chart's values that are policy; the rest of the groups belongs to others. */
const GROUPS = { egress: ['destinations'], network: ['clusterCIDRs', 'resolvers'] } as const;

/**
 * Reads policy out of the chart's values. A group at fault falls to its narrowest, never to its defaults, because a default can
 * give what the operator took away: no destination, no address range, no agreement.
 * @param raw the parsed `values.yaml`; null or undefined (the ConfigMap is gone) locks
 */
export function judgeValues(raw: unknown): JudgedValues {
  if (!isObject(raw))
    return { values: emptyValues(), faults: [fault('', 'are not there: write at least "{}"')], locked: true };
  const groups = { egress: pick(raw.egress, GROUPS.egress), network: pick(raw.network, GROUPS.network) };
  const whole = readValues(defined({ ...groups, policy: raw.policy }));
  if (whole.ok) return withoutKnownHosts({ values: whole.values, faults: [], locked: false });
  const atFault = (group: string) =>
    whole.faults.some(
      ({ field }) =>
        field === `values.${group}` ||
        (/^[.[]/.test(field.slice(7 + group.length)) && field.startsWith(`values.${group}`)),
    );
  const kept = Object.fromEntries(Object.entries({ ...groups, policy: raw.policy }).filter(([name]) => !atFault(name)));
  const rest = readValues(defined(kept));
  const values = rest.ok ? rest.values : emptyValues();
  return withoutKnownHosts({ values, faults: whole.faults, locked: !rest.ok || atFault('policy') });
}

/** A known LLM host is decided or refused, never spliced, so it can never be a listed destination. */
function withoutKnownHosts({ values, faults, locked }: JudgedValues): JudgedValues {
  const { destinations } = values.egress;
  const known = (pattern: string): boolean =>
    (lookupPattern(pattern)?.kind ?? 'shared-infrastructure') !== 'shared-infrastructure';
  const found = destinations.flatMap((pattern, index) =>
    known(pattern)
      ? [
          fault(
            `.egress.destinations[${index}]`,
            'is a known LLM host and cannot be a listed destination: write a ProviderAgreement for it',
          ),
        ]
      : [],
  );
  return {
    values: {
      ...values,
      egress: { ...values.egress, destinations: destinations.filter((pattern) => !known(pattern)) },
    },
    faults: [...faults, ...found],
    locked,
  };
}

function fault(field: string, problem: string): PolicyFault {
  return { document: 'values', field: `values${field}`, problem };
}

function emptyValues(): PolicyValues {
  const empty = readValues({});
  if (!empty.ok) throw new RangeError('the defaults of policy do not fit their own schema');
  return empty.values;
}

/** @returns the named fields of a group; what is no group is given on as it is, for the schema to name */
function pick(group: unknown, names: readonly string[]): unknown {
  if (!isObject(group)) return group ?? undefined;
  return Object.fromEntries(names.filter((name) => (group[name] ?? null) !== null).map((name) => [name, group[name]]));
}

function defined(groups: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(groups).filter(([, group]) => (group ?? null) !== null));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
