import type { OutcomeFacts } from '#contract/record.ts';
import type { Reason } from '#contract/reason.ts';

/** The outcome of an exchange that the audit room itself must end: nobody else will say how it went. */
export function cutOutcome(outcome: 'refused' | 'cut', reason: Reason): OutcomeFacts {
  return {
    outcome,
    status: null,
    reason,
    usage: null,
    model: null,
    bytes: { received: 0, sent: 0 },
    durations: { total: 0, firstByte: null, overhead: 0 },
    restored: 0,
  };
}
