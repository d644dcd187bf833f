import { LIMIT } from '#contract/limit.ts';
import type { AgreementDocument, EgressDocument, ExemptionDocument } from '#contract/policy-schema.ts';
import type { JudgedPolicy } from './judge.ts';

/** How long an agreement still holds. */
export interface AgreementExpiry {
  readonly agreement: string;
  /** Seconds until its end; negative when it has ended. */
  readonly seconds: number;
}

/**
 * The time left of every agreement that can be read and has an end, for `lazaret_agreement_expiry_seconds{agreement}`.
 * @param now ms since the epoch
 */
export function agreementExpiries(judged: JudgedPolicy, now: number): readonly AgreementExpiry[] {
  return judged.verdicts.flatMap(({ document, name }) => {
    if (document?.kind !== 'ProviderAgreement') return [];
    const until = termOf(document);
    return until === null ? [] : [{ agreement: name, seconds: (until - now) / 1_000 }];
  });
}

/** @returns the end of a resource, ms since the epoch, exclusive; null when it has none */
export function termOf(document: AgreementDocument | EgressDocument | ExemptionDocument): number | null {
  if (document.kind === 'ProviderAgreement') return document.spec.contract?.expiresOn ?? null;
  return document.kind === 'GuardExemption' ? document.spec.until : null;
}

/** @returns the next moment, later than `now`, at which a resource begins, is about to end, or ends; null when there is none */
export function nextTerm(judged: JudgedPolicy, now: number): number | null {
  const turns = judged.verdicts.flatMap(({ document }) => {
    if (document === null) return [];
    const until = termOf(document);
    const from = document.kind === 'GuardExemption' ? [document.spec.from] : [];
    return until === null ? from : [...from, until, until - LIMIT.expiringMs];
  });
  const later = turns.filter((at) => at > now);
  return later.length === 0 ? null : Math.min(...later);
}
