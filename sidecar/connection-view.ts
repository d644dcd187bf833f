import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import { connectionPolicy, nextTurn } from '#contract/policy-connection.ts';
import type { Policy } from '#contract/policy.ts';
import type { Reason } from '#contract/reason.ts';
import type { SafeBundle } from './safe-bundle.ts';

/** The policy in force as connections ask for it. */
export interface ConnectionView {
  /** Null while there is none, or only one that is too old. */
  readonly policy: () => ConnectionPolicy | null;
  /** A connection knows only that there is no policy; this says which way. */
  readonly reason: (reason: Reason) => Reason;
}

/**
 * Every connection asks for the policy several times, so its part for connections is made once and kept until it would
 * turn out otherwise: another bundle, or a grant that begins or ends.
 * @param now ms since the epoch
 */
export function createConnectionView(bundle: SafeBundle, now: () => number): ConnectionView {
  let made: {
    readonly of: Policy;
    readonly from: number;
    readonly until: number;
    readonly it: ConnectionPolicy;
  } | null = null;
  return {
    policy: () => {
      const policy = bundle.current();
      if (policy === null) return null;
      const at = now();
      if (made?.of !== policy || at < made.from || at >= made.until) {
        const until = nextTurn(policy, at) ?? Number.POSITIVE_INFINITY;
        made = { of: policy, from: at, until, it: connectionPolicy(policy, at) };
      }
      return made.it;
    },
    reason: (reason) => (reason === 'policy_missing' ? (WITHOUT_POLICY[bundle.state()] ?? reason) : reason),
  };
}

const WITHOUT_POLICY: Readonly<Partial<Record<string, Reason>>> = { stale: 'policy_stale', unsafe: 'internal_error' };
