import type { ExemptionDocument } from '#contract/policy-schema.ts';
import { isExemptible } from './bypass-rules.ts';
import type { Pod } from './pod.ts';

/** The rules that a pod need not keep, each with the name of the GuardExemption that accepts the risk. */
export type Exemptions = ReadonlyMap<string, string>;

/**
 * The hardening exemptions in force for a pod. Rules that no exemption can lift are left out, whatever a grant says.
 * @param now ms since the epoch
 */
export function findExemptions(
  documents: readonly ExemptionDocument[],
  namespace: string,
  pod: Pod,
  now: number,
): Exemptions {
  const inForce = documents.filter(
    ({ spec }) =>
      spec.namespaces.includes(namespace) &&
      now >= spec.from &&
      now < spec.until &&
      selects(spec.podSelector.matchLabels, pod),
  );
  return new Map(
    inForce.flatMap(({ metadata, spec }) =>
      (spec.grant.hardening ?? []).filter(isExemptible).map((id): readonly [string, string] => [id, metadata.name]),
    ),
  );
}

function selects(matchLabels: Readonly<Record<string, string>>, pod: Pod): boolean {
  const labels = pod.metadata?.labels ?? {};
  return Object.entries(matchLabels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
