import type { Host } from './brand.ts';
import { hostMatches } from './host.ts';
import type { Agreement } from './policy.ts';
import type { HeadFacts } from './policy-facts.ts';
import { operationMatches } from './policy-pattern.ts';

/**
 * The agreements that speak for a request: the most specific ones on operation, region and host. A
 * less specific agreement never speaks beside a more specific one, so that a narrow entry can take back what a wide one
 * gives. Several of the same rank (one for API keys, one for an enterprise plan) are all returned.
 * @returns in the order of policy; empty when no agreement names the host
 */
export function matchAgreements(agreements: readonly Agreement[], facts: HeadFacts): readonly Agreement[] {
  const ranked = agreements
    .filter((agreement) => hostPattern(agreement, facts.host) !== undefined)
    .map((agreement) => ({ agreement, rank: rankOf(agreement, facts) }));
  const best = ranked.map(({ rank }) => rank).sort(compareRanks)[0];
  return best === undefined
    ? []
    : ranked.filter(({ rank }) => compareRanks(rank, best) === 0).map(({ agreement }) => agreement);
}

/** Whether an agreement lists the operation. */
export function coversOperation(agreement: Agreement, facts: HeadFacts): boolean {
  return agreement.paths.some((pattern) => operationMatches(pattern, facts.method, facts.path));
}

/** Whether an agreement is for the request's region; an agreement without regions is for all. */
export function coversRegion(agreement: Agreement, facts: HeadFacts): boolean {
  return agreement.regions.length === 0 || (facts.region !== undefined && agreement.regions.includes(facts.region));
}

function hostPattern(agreement: Agreement, host: Host): string | undefined {
  return agreement.hosts
    .filter((pattern) => hostMatches(pattern, host))
    .sort((a, b) => hostWeight(b) - hostWeight(a))[0];
}

/** Larger is more specific, component by component. */
type Rank = readonly number[];

function rankOf(agreement: Agreement, facts: HeadFacts): Rank {
  const operation = agreement.paths
    .filter((pattern) => operationMatches(pattern, facts.method, facts.path))
    .map((pattern) => -pattern.split('*').length);
  return [
    operation.length > 0 ? 1 : 0,
    coversRegion(agreement, facts) ? 1 : 0,
    hostWeight(hostPattern(agreement, facts.host) ?? ''),
    operation.length > 0 ? Math.max(...operation) : 0,
    agreement.regions.length > 0 ? 1 : 0,
  ];
}

/** An exact name outweighs every wildcard, a longer wildcard a shorter one. */
function hostWeight(pattern: string): number {
  return pattern.startsWith('*.') ? pattern.length : 1_000;
}

function compareRanks(a: Rank, b: Rank): number {
  for (const [i, value] of a.entries()) {
    const difference = (b[i] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return 0;
}
