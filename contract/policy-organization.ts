import { LIMIT } from './limit.ts';
import type { Agreement } from './policy.ts';
import type { Refusal } from './reason.ts';

/** The head of a provider's answer, as far as the check of the account needs it. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Compares the account that the provider's answer names with the agreement's. The request has already
 * left: the answer may be withheld, and later exchanges with the same key must be refused (`barKey`).
 * @returns null when the account is covered, when the agreement pins none, or when a failed answer names none
 */
export function checkOrganization(agreement: Agreement, answer: AnswerHead): Refusal | null {
  const pinned = agreement.organization;
  if (pinned === null) return null;
  const named = answer.headers
    .filter(([name]) => name.toLowerCase() === pinned.header)
    .map(([, value]) => value.trim());
  const succeeded = answer.status >= 200 && answer.status < 300;
  if (named.length === 0 && !succeeded) return null;
  return named.length > 0 && named.every((id) => pinned.ids.includes(id))
    ? null
    : { reason: 'organization_not_covered', where: pinned.header };
}

/** Fingerprints of keys whose account turned out not to be covered; `full` once the bound was reached. */
export interface BarredKeys {
  readonly fingerprints: ReadonlySet<string>;
  readonly full: boolean;
}

export const NO_BARRED_KEYS: BarredKeys = { fingerprints: new Set(), full: false };

/** Adds a key. When the bound is reached every key counts as barred: forgetting one could let it pass again. */
export function barKey(barred: BarredKeys, fingerprint: string): BarredKeys {
  if (barred.fingerprints.has(fingerprint)) return barred;
  if (barred.fingerprints.size >= LIMIT.barredKeys) return { ...barred, full: true };
  return { ...barred, fingerprints: new Set([...barred.fingerprints, fingerprint]) };
}

const BARRED = 'An earlier answer showed that the account behind this key is not one that the agreement covers.';

/** @returns the refusal for a key that is barred, or null */
export function checkBarred(barred: BarredKeys, fingerprint: string): Refusal | null {
  return barred.full || barred.fingerprints.has(fingerprint)
    ? { reason: 'organization_not_covered', where: 'credential', sentence: BARRED }
    : null;
}
