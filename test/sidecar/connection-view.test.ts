import { describe, expect, it } from 'vitest';
import type { Policy } from '#contract/policy.ts';
import { createConnectionView } from '#sidecar/connection-view.ts';
import { holdWhileUnsafe } from '#sidecar/safe-bundle.ts';
import { demoPolicy } from './exchange/guarded.ts';

describe('the policy as connections see it', () => {
  const granted = (until: number): Policy => {
    const policy = demoPolicy();
    return { ...policy, grants: { ...policy.grants, monitor: [{ from: 0, until }] } };
  };

  it('is made once while nothing changes, and ends with a grant to the millisecond', () => {
    let now = 1_000;
    const policy = granted(2_000);
    const view = createConnectionView({ current: () => policy, state: () => 'current' }, () => now);
    const first = view.policy();
    expect(first?.monitor).toBe(true);
    now = 1_999;
    expect(view.policy()).toBe(first);
    now = 2_000;
    expect(view.policy()?.monitor).toBe(false);
  });

  it('follows another bundle at once, and a clock that is set back', () => {
    let now = 3_000;
    let policy = granted(2_000);
    const view = createConnectionView({ current: () => policy, state: () => 'current' }, () => now);
    expect(view.policy()?.monitor).toBe(false);
    now = 1_000;
    expect(view.policy()?.monitor).toBe(true);
    policy = granted(500);
    expect(view.policy()?.monitor).toBe(false);
  });

  it('is nothing without a bundle in force, and says whether it is missing or too old', () => {
    const view = (state: 'missing' | 'stale') =>
      createConnectionView({ current: () => null, state: () => state }, () => 0);
    expect(view('stale').policy()).toBeNull();
    expect(view('stale').reason('policy_missing')).toBe('policy_stale');
    expect(view('missing').reason('policy_missing')).toBe('policy_missing');
    expect(view('stale').reason('destination_not_allowed')).toBe('destination_not_allowed');
  });
});

describe('a bundle while a stranger can go around the guard', () => {
  it('lets nothing through and is neither missing nor stale', () => {
    let strangers = 0;
    const policy = demoPolicy();
    const safe = holdWhileUnsafe({ current: () => policy, state: () => 'current' }, () => strangers);
    const view = createConnectionView(safe, () => 0);
    expect(view.policy()).not.toBeNull();
    strangers = 1;
    expect(view.policy()).toBeNull();
    expect(view.reason('policy_missing')).toBe('internal_error');
    strangers = 0;
    expect(view.policy()).not.toBeNull();
  });
});
