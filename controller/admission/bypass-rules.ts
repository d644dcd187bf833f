import type { PodFacts } from './pod-facts.ts';
import type { Finding, Rule } from './rule.ts';
import { ENVIRONMENT_RULES } from './rules/environment-rules.ts';
import { HOST_RULES } from './rules/host-rules.ts';
import { IDENTITY_RULES } from './rules/identity-rules.ts';
import { NETWORK_RULES } from './rules/network-rules.ts';
import { POLICY_RULES, REVIEW_RULES } from './rules/policy-rules.ts';
import { PRIVILEGE_RULES } from './rules/privilege-rules.ts';
import { RESERVED_RULES } from './rules/reserved-rules.ts';

/** Every rule, bypasses first, in the order of the ids: the closed list of what a denial can name. */
export const RULES: readonly Rule[] = [
  ...[
    ...IDENTITY_RULES,
    ...PRIVILEGE_RULES,
    ...HOST_RULES,
    ...RESERVED_RULES,
    ...NETWORK_RULES,
    ...ENVIRONMENT_RULES,
    ...POLICY_RULES,
  ].sort((a, b) => (a.id < b.id ? -1 : 1)),
  ...REVIEW_RULES,
];

const BY_ID = new Map(RULES.map((rule) => [rule.id, rule]));

/** Every place where a pod breaks a rule, in the order of the rules. */
export function findBypasses(facts: PodFacts): readonly Finding[] {
  return RULES.flatMap((rule) => (rule.check?.(facts) ?? []).map(({ field }) => findingOf(rule.id, field)));
}

/** Whether a GuardExemption can accept the risk of a rule. */
export function isExemptible(id: string): boolean {
  return BY_ID.get(id)?.exemptible === true;
}

/**
 * A finding in the words of its rule.
 * @param why replaces the rule's own sentence where the case is more precise
 */
export function findingOf(id: string, field: string, why?: string): Finding {
  const rule = BY_ID.get(id);
  return { id, field, why: why ?? rule?.why ?? '', instead: rule?.instead ?? '' };
}
