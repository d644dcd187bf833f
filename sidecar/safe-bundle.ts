import type { Policy } from '#contract/policy.ts';
import type { Bundle } from './bundle/bundle.ts';
import type { BundleState } from './bundle/bundle-keeper.ts';

/** The policy in force, as long as nobody can go around the guard. */
export interface SafeBundle {
  readonly current: () => Policy | null;
  /** `unsafe` while a stranger holds sockets under our uid: then no policy lets anything through. */
  readonly state: () => BundleState | 'unsafe';
}

/** @param strangers how many sockets under our uid are not ours */
export function holdWhileUnsafe(bundle: Pick<Bundle, 'current' | 'state'>, strangers: () => number): SafeBundle {
  return {
    current: () => (strangers() > 0 ? null : bundle.current()),
    state: () => (strangers() > 0 ? 'unsafe' : bundle.state()),
  };
}
