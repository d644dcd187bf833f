import { memberOf } from '../api-request.ts';
import { CONDITIONS, type WantedCondition } from './conditions.ts';

/** A condition as it stands at a resource (`metav1.Condition`). */
export interface Condition extends WantedCondition {
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** What is to be written, and what turned. */
export interface MergedConditions {
  /** Everything that `status.conditions` is to hold, conditions of others included. */
  readonly conditions: readonly unknown[];
  /** Whether that is something else than what stands there. */
  readonly changed: boolean;
  /** Conditions whose status is another than before, or that are new. */
  readonly turned: readonly (Condition & { readonly before: string | null })[];
}

/**
 * Puts conditions over those of a resource. The time of the last transition stays while the status stays; conditions that are not
 * ours stay as they are.
 * @param raw the object as the API server gives it
 */
export function mergeConditions(raw: unknown, wanted: readonly WantedCondition[], now: number): MergedConditions {
  const there = memberOf(memberOf(raw, 'status'), 'conditions');
  const existing: readonly unknown[] = Array.isArray(there) ? there : [];
  const generation = memberOf(memberOf(raw, 'metadata'), 'generation');
  const observedGeneration = typeof generation === 'number' ? generation : 0;
  const merged = wanted.map((want) => {
    const old = existing.find((condition) => memberOf(condition, 'type') === want.type);
    const since = memberOf(old, 'lastTransitionTime');
    const stays = memberOf(old, 'status') === want.status && typeof since === 'string';
    const lastTransitionTime = stays
      ? since
      : new Date(Math.floor(now / 1_000) * 1_000).toISOString().replace('.000', '');
    const { type, status, reason, message } = want;
    const condition: Condition = { type, status, observedGeneration, lastTransitionTime, reason, message };
    return { condition, old, turned: !stays };
  });
  const others = existing.filter((condition) => !CONDITIONS.some((type) => type === memberOf(condition, 'type')));
  const ours = existing.length - others.length;
  return {
    conditions: [...merged.map(({ condition }) => condition), ...others],
    changed: ours !== merged.length || merged.some(({ condition, old }) => !isSame(condition, old)),
    turned: merged
      .filter(({ turned }) => turned)
      .map(({ condition, old }) => ({ ...condition, before: textOf(memberOf(old, 'status')) })),
  };
}

function isSame(condition: Condition, old: unknown): boolean {
  return Object.entries(condition).every(([name, value]) => memberOf(old, name) === value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
