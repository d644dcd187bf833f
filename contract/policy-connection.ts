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
