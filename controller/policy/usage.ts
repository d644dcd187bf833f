import { selects, type Workload } from '#contract/policy-compile.ts';
import type { JudgedPolicy, ResourceVerdict } from './judge.ts';
import type { PolicyCache } from './policy-cache.ts';

/**
 * Finds the resources that the policy of some workload uses: agreements that no list of its leaves out, and EgressPolicies and
 * exemptions that select it.
 * @param workloads the guarded pods
 */
export function findUsed(
  judged: JudgedPolicy,
  workloads: Iterable<Workload>,
  policies: PolicyCache,
): ReadonlySet<ResourceVerdict> {
  const used = new Set<ResourceVerdict>();
  const seen = new Set<string>();
  const byNamespace = indexVerdicts(judged);
  const agreements = judged.verdicts.filter(({ kind }) => kind === 'ProviderAgreement');
  for (const workload of workloads) {
    for (const verdict of byNamespace.get(workload.namespace) ?? [])
      if (!used.has(verdict) && selectsWorkload(verdict, workload)) used.add(verdict);
    const { policy, digest } = policies.compile(judged, workload);
    if (seen.has(digest)) continue;
    seen.add(digest);
    for (const verdict of agreements)
      if (policy.agreementLists.every((list) => list.includes(verdict.name))) used.add(verdict);
  }
  return used;
}

function indexVerdicts(judged: JudgedPolicy): ReadonlyMap<string, readonly ResourceVerdict[]> {
  const index = new Map<string, ResourceVerdict[]>();
  for (const verdict of judged.verdicts)
    for (const namespace of namespacesOf(verdict)) {
      const list = index.get(namespace);
      if (list === undefined) index.set(namespace, [verdict]);
      else list.push(verdict);
    }
  return index;
}

function namespacesOf({ document }: ResourceVerdict): readonly string[] {
  if (document?.kind === 'EgressPolicy') return [document.metadata.namespace];
  return document?.kind === 'GuardExemption' ? document.spec.namespaces : [];
}

function selectsWorkload({ document }: ResourceVerdict, workload: Workload): boolean {
  return document !== null && document.kind !== 'ProviderAgreement' && selects(document.spec.podSelector, workload);
}
