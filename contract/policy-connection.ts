import type { ConnectionPolicy } from './connection-policy.ts';
import type { Policy } from './policy.ts';
import { isWithin } from './policy-time.ts';

/**
 * The part of a policy that decides connections, at a moment: grants that have ended or not begun are not in it.
 * Hosts of every agreement are terminated, in force or not, so that a refusal comes with its reason.
 */
export function connectionPolicy(policy: Policy, now: number): ConnectionPolicy {
  return {
    destinations: policy.destinations
      .filter(({ window }) => window === null || isWithin(window, now))
      .map(({ pattern }) => pattern),
    agreementHosts: [...new Set(policy.agreements.flatMap((agreement) => agreement.hosts))],
    clusterCidrs: policy.clusterCidrs,
    resolvers: policy.resolvers,
    monitor: policy.grants.monitor.some((window) => isWithin(window, now)),
  };
}

/**
 * The next moment at which the same policy decides otherwise: a grant begins or ends, or an agreement does.
 * @returns ms since the epoch, later than `now`; null when nothing more will change by itself
 */
export function nextTurn(policy: Policy, now: number): number | null {
  const { grants, destinations, agreements } = policy;
  const windows = [
    ...grants.monitor,
    ...grants.unredacted,
    ...grants.keepEntities.map(({ window }) => window),
    ...destinations.flatMap(({ window }) => window ?? []),
  ].flatMap(({ from, until }) => [from, until]);
  const terms = agreements.flatMap(({ contract }) => [contract?.signedOn, contract?.effectiveOn, contract?.expiresOn]);
  const later = [...windows, ...terms].filter((at): at is number => typeof at === 'number' && at > now);
  return later.length === 0 ? null : Math.min(...later);
}
