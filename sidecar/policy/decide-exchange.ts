import type { BarredKeys } from '#contract/policy-organization.ts';
import { checkBarred } from '#contract/policy-organization.ts';
import * as decision from '#contract/policy-decision.ts';
import type { CoveredBy, ExchangeDecision, ExchangeFacts, HeadDecision, HeadFacts } from '#contract/policy-facts.ts';
import type { Policy } from '#contract/policy.ts';
import type { Refusal } from '#contract/reason.ts';

type NoPolicy = 'missing' | 'stale' | 'unsafe';

/** The policy in force in this process, and what it learnt while running. */
export interface PolicyInForce {
  /** The policy, or why there is none to decide by; `unsafe` when somebody in the pod can go around the guard. */
  readonly policy: Policy | NoPolicy;
  /** Keys that a provider's answer showed to belong to an account that is not covered. */
  readonly barred: BarredKeys;
}

/**
 * The first stage, before the body is read. Without a policy, or with one that is too old, nothing is let through: monitor mode
 * is itself a grant of that policy.
 * @param now ms since the epoch
 */
export function decideHead(force: PolicyInForce, facts: HeadFacts, now: number): HeadDecision {
  if (typeof force.policy === 'string') return withoutPolicy(force.policy);
  const decided = decision.decideHead(force.policy, facts, now);
  return decided.kind === 'refuse' ? decided : barred(force.barred, facts, decided);
}

/** The second stage, with what the parsed body tells. It decides everything again: policy may have changed meanwhile. */
export function decideExchange(force: PolicyInForce, facts: ExchangeFacts, now: number): ExchangeDecision {
  if (typeof force.policy === 'string') return withoutPolicy(force.policy);
  const decided = decision.decideExchange(force.policy, facts, now);
  return decided.kind === 'refuse' ? decided : barred(force.barred, facts, decided);
}

const NOTHING: CoveredBy = { provider: null, product: null, agreement: null };

const WITHOUT_POLICY = { missing: 'policy_missing', stale: 'policy_stale', unsafe: 'internal_error' } as const;

function withoutPolicy(state: NoPolicy): Extract<HeadDecision, { kind: 'refuse' }> {
  return {
    kind: 'refuse',
    refusal: { reason: WITHOUT_POLICY[state] },
    checks: [],
    ...NOTHING,
  };
}

function barred<Granted extends Exclude<HeadDecision | ExchangeDecision, { kind: 'refuse' }>>(
  keys: BarredKeys,
  facts: HeadFacts,
  granted: Granted,
): Granted | Extract<HeadDecision, { kind: 'refuse' }> {
  const refusal = checkBarred(keys, facts.credential.fingerprint);
  if (refusal === null) return granted;
  if (granted.mode === 'monitor') return { ...granted, would: granted.would ?? refusal.reason };
  const { provider, product, agreement } = granted;
  const checks = [
    ...granted.checks.filter((check) => check.name !== 'organization'),
    { name: 'organization' as const, ok: false, ...detail(refusal) },
  ];
  return { kind: 'refuse', refusal, checks, provider, product, agreement };
}

function detail({ where, sentence }: Refusal): { readonly detail?: string } {
  const text = sentence ?? where;
  return text === undefined ? {} : { detail: text };
}
