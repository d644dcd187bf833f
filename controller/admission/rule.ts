import type { PodFacts } from './pod-facts.ts';

/**
 * What happens to a bypass. `deny`: the webhook denies it. `change`: the webhook changes the pod so that it does not exist.
 * `policy`: only the ValidatingAdmissionPolicy sees it. `report`: admission cannot prevent it, and the controller reports it.
 */
export type Verdict = 'deny' | 'change' | 'policy' | 'report';

/** Where a rule was broken. */
export interface Hit {
  /** Path of the field in the submitted object. */
  readonly field: string;
}

/** One bypass. Ids are stable: they stand in denials, metrics, exemptions and the manual. */
export interface Rule {
  readonly id: string;
  readonly verdict: Verdict;
  /** Whether a GuardExemption (`spec.grant.hardening`) may accept the risk. */
  readonly exemptible: boolean;
  /** What it is about, for the manual. */
  readonly title: string;
  /** One sentence: why it cannot pass. */
  readonly why: string;
  /** One sentence: what to write instead. */
  readonly instead: string;
  /** @returns every place where a pod breaks the rule; absent where an object cannot show it */
  readonly check?: (facts: PodFacts) => readonly Hit[];
}

/** A broken rule at a place. */
export interface Finding {
  readonly id: string;
  readonly field: string;
  readonly why: string;
  readonly instead: string;
}

/** One line for whom it stops: rule, field, why, and what to write instead. */
export function describeFinding({ id, field, why, instead }: Finding): string {
  return `${id} ${field}: ${why} ${instead}`;
}
