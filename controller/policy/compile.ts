import { createHash } from 'node:crypto';
import type { PolicyLists } from '#contract/lists-protocol.ts';
import { compilePolicy, type Workload } from '#contract/policy-compile.ts';
import type { Agreement, Policy } from '#contract/policy.ts';
import type { JudgedPolicy } from './judge.ts';

/** The policy of one workload, ready to be signed. */
export interface CompiledPolicy {
  readonly policy: Policy;
  /** The policy as JSON. */
  readonly text: () => string;
  /** SHA-256 of that text, told apart by parts: equal policies have equal digests. */
  readonly digest: string;
}

/** What every workload's policy holds, compiled and written once: the agreements of the cluster, and what lists are in force. */
export interface CompiledShared {
  readonly agreements: readonly Agreement[];
  readonly text: string;
  readonly digest: string;
  readonly lists: PolicyLists | undefined;
}

/** Writes what all workloads share. */
export function writeShared(agreements: readonly Agreement[], lists: PolicyLists | undefined): CompiledShared {
  const text = JSON.stringify(agreements);
  return { agreements, text, digest: digestOf(text), lists };
}

/** Compiles the policy of a workload: what the cluster gives, narrowed, and locked where a fault leaves open what is allowed. */
export function compileWorkload(judged: JudgedPolicy, workload: Workload, shared: CompiledShared): CompiledPolicy {
  const given = compilePolicy(judged.source, workload, shared.agreements);
  // Left out where there are none: a guard of a version that knows no lists takes such a policy too.
  const open = shared.lists === undefined ? given : { ...given, lists: shared.lists };
  const policy = judged.lockedNamespaces.has(workload.namespace)
    ? { ...lockPolicy(open), destinations: [] }
    : judged.locked
      ? lockPolicy(open)
      : open;
  const { agreements: _, ...rest } = policy;
  const restText = JSON.stringify(rest);
  return {
    policy,
    text: () => `{"agreements":${shared.text},${restText.slice(1)}`,
    digest: digestOf(`${shared.digest}${restText}`),
  };
}

/** Nothing is covered and nothing granted: an empty list of agreements that all must stand in. */
function lockPolicy(policy: Policy): Policy {
  return {
    ...policy,
    grants: { monitor: [], unredacted: [], keepEntities: [] },
    agreementLists: [...policy.agreementLists, []],
  };
}

/** The keys of labels that policy looks at, by namespace; a namespace that is not in it has the policy of the cluster. */
export function selectingLabels(judged: JudgedPolicy): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>();
  const add = (namespace: string, matchLabels: Readonly<Record<string, string>>): void => {
    const known = keys.get(namespace) ?? new Set();
    for (const key of Object.keys(matchLabels)) known.add(key);
    keys.set(namespace, known);
  };
  for (const { metadata, spec } of judged.source.egress) add(metadata.namespace, spec.podSelector.matchLabels);
  for (const { spec } of judged.source.exemptions)
    for (const namespace of spec.namespaces) add(namespace, spec.podSelector.matchLabels);
  for (const namespace of judged.lockedNamespaces) add(namespace, {});
  return keys;
}

/** A name for all workloads that have one policy: the namespace and the labels that policy looks at there. */
export function workloadClass(labelKeys: ReadonlyMap<string, ReadonlySet<string>>, workload: Workload): string {
  const keys = labelKeys.get(workload.namespace);
  if (keys === undefined) return '';
  if (keys.size === 0) return workload.namespace;
  const labels = [...keys].map((key) => (Object.hasOwn(workload.labels, key) ? workload.labels[key] : null));
  return `${workload.namespace} ${JSON.stringify(labels)}`;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
