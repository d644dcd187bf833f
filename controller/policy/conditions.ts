import { LIMIT } from '#contract/limit.ts';
import type { ResourceKind } from '#contract/policy-schema.ts';
import type { ResourceVerdict } from './judge.ts';
import { termOf } from './expiry.ts';

/** What a condition can be about. */
export const CONDITIONS = ['Accepted', 'InUse', 'Expiring', 'Expired'] as const;
export type ConditionType = (typeof CONDITIONS)[number];

/** One condition as Kubernetes has it (`metav1.Condition`), but for the time of its last change. */
export interface WantedCondition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/**
 * What is to be said of a resource. No message holds a figure that moves by itself, so that nothing is written while nothing changes.
 * @param used whether the policy of some guarded pod uses it
 * @param now ms since the epoch
 */
export function wantedConditions(verdict: ResourceVerdict, used: boolean, now: number): readonly WantedCondition[] {
  const accepted = acceptance(verdict);
  const inForce = verdict.document !== null && (accepted.status === 'True' || verdict.kind === 'EgressPolicy');
  return [
    accepted,
    usage(verdict.kind, inForce && used),
    ...(verdict.kind === 'EgressPolicy' ? [] : term(verdict, now)),
  ];
}

const UNREADABLE: Readonly<Record<ResourceKind, string>> = {
  ProviderAgreement: 'It covers nothing until this is corrected.',
  EgressPolicy: 'Its namespace refuses all traffic to providers until this is corrected.',
  GuardExemption: 'It grants nothing until this is corrected.',
};
const CONTRADICTING: Readonly<Record<ResourceKind, string>> = {
  ...UNREADABLE,
  EgressPolicy: 'What it takes away holds; it gives nothing.',
};
const VALID: Readonly<Record<ResourceKind, string>> = {
  ProviderAgreement: 'The agreement can be read and is part of policy.',
  EgressPolicy: 'The policy can be read and narrows its namespace.',
  GuardExemption: 'The exemption can be read and holds from its first to its last moment.',
};

function acceptance({ kind, faults, document }: ResourceVerdict): WantedCondition {
  if (faults.length === 0) return { type: 'Accepted', status: 'True', reason: 'Valid', message: VALID[kind] };
  const named = faults
    .slice(0, LIMIT.conditionFaults)
    .map(({ field, problem }) => (field === '' ? problem : `${field} ${problem}`))
    .join('; ');
  const more = faults.length > LIMIT.conditionFaults ? `; and ${faults.length - LIMIT.conditionFaults} more` : '';
  const effect = document === null ? UNREADABLE[kind] : CONTRADICTING[kind];
  return {
    type: 'Accepted',
    status: 'False',
    reason: document === null ? 'Invalid' : 'Contradicting',
    message: `${`${named}${more}`.slice(0, LIMIT.conditionChars)}. ${effect}`,
  };
}

function usage(kind: ResourceKind, used: boolean): WantedCondition {
  const what =
    kind === 'ProviderAgreement'
      ? 'The policy of at least one guarded pod names it.'
      : 'It selects at least one guarded pod.';
  return used
    ? { type: 'InUse', status: 'True', reason: 'Used', message: what }
    : { type: 'InUse', status: 'False', reason: 'Unused', message: 'No guarded pod is under it.' };
}

function term(verdict: ResourceVerdict, now: number): readonly WantedCondition[] {
  const both = (
    reason: string,
    message: string,
    [expiring, expired]: readonly ['True' | 'False' | 'Unknown', 'True' | 'False' | 'Unknown'],
  ): readonly WantedCondition[] => [
    { type: 'Expiring', status: expiring, reason, message },
    { type: 'Expired', status: expired, reason, message },
  ];
  if (verdict.document === null) return both('Invalid', 'Its end cannot be read.', ['Unknown', 'Unknown']);
  const until = termOf(verdict.document);
  if (until === null) return both('NoEnd', 'It has no end.', ['False', 'False']);
  const end = new Date(until).toISOString();
  if (now >= until) return both('Ended', `It ended at ${end}.`, ['False', 'True']);
  if (until - now <= LIMIT.expiringMs) return both('EndsSoon', `It ends at ${end}.`, ['True', 'False']);
  return both('InTerm', `It ends at ${end}.`, ['False', 'False']);
}
