import { mergeEnvironment, podEnvironment } from '#contract/pod-environment.ts';
import { POD_PATH, trustPaths } from '#contract/pod-paths.ts';
import type { Variable } from './pod.ts';

const OURS = podEnvironment(trustPaths(POD_PATH.trust));

/** A container's own variables with ours over them, and the names whose own value had to give way. */
export interface TrustEnvironment {
  readonly env: readonly Variable[];
  readonly replaced: readonly string[];
}

/** Whether ours is added behind the application's own value instead of replacing it. */
export function isListVariable(name: string): boolean {
  const ours = OURS.find((variable) => variable.name === name);
  if (ours === undefined) return false;
  const own = 'own';
  return mergeEnvironment([{ name, value: own }], [ours]).environment[0]?.value.startsWith(own) ?? false;
}

/**
 * Sets our variables by the rule of `mergeEnvironment`, entry by entry: order, duplicates and fields that nobody here
 * knows stay, because a later variable may refer to an earlier one. Of two entries with one name the last counts, and
 * is the one that changes. Merging twice gives the same as merging once.
 */
export function mergeTrustEnvironment(entries: readonly Variable[]): TrustEnvironment {
  const env = [...entries];
  const replaced: string[] = [];
  const places = new Map(entries.map(({ name }, at) => [name, at]));
  for (const ours of OURS) {
    const at = places.get(ours.name) ?? env.length;
    const entry = env[at];
    if (entry === undefined) {
      env.push({ ...ours });
      continue;
    }
    const fromElsewhere = entry.valueFrom !== null && entry.valueFrom !== undefined;
    const merged = mergeEnvironment([{ name: ours.name, value: entry.value ?? '' }], [ours]);
    const value = merged.environment[0]?.value ?? ours.value;
    if (fromElsewhere || (merged.replaced.length > 0 && (entry.value ?? '') !== '')) replaced.push(ours.name);
    if (fromElsewhere) env[at] = withoutSource(entry, value);
    else if (entry.value !== value) env[at] = { ...entry, value };
  }
  return { env, replaced };
}

function withoutSource(entry: Variable, value: string): Variable {
  return { ...Object.fromEntries(Object.entries(entry).filter(([field]) => field !== 'valueFrom')), value };
}
