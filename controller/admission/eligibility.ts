import { LABEL } from '#contract/labels.ts';
import { findingOf } from './bypass-rules.ts';
import type { Pod } from './pod.ts';
import type { NamespaceFacts } from './pod-facts.ts';
import type { Finding } from './rule.ts';

/** Whether a pod is to be guarded. */
export type Eligibility =
  | { readonly kind: 'inject' }
  | { readonly kind: 'not-ours'; readonly warnings: readonly string[] }
  | { readonly kind: 'refuse'; readonly findings: readonly Finding[] };

/** The cluster's own namespaces are never guarded, whatever their labels: the guard needs them to start. */
const SYSTEM_NAMESPACES: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Decides by the labels of the namespace and of the pod, and by nothing else: neither who asks nor what the pod says of
 * itself counts.
 * @param prefix what stands before the pod's field paths
 */
export function judgeEligibility(
  pod: Pod,
  namespace: NamespaceFacts,
  releaseNamespace: string,
  prefix: string,
): Eligibility {
  if (SYSTEM_NAMESPACES.includes(namespace.name) || namespace.name === releaseNamespace) return notOurs();
  const guard = Object.hasOwn(namespace.labels, LABEL.guard) ? namespace.labels[LABEL.guard] : undefined;
  const labels = pod.metadata?.labels ?? {};
  const phi = Object.hasOwn(labels, LABEL.phi) ? (labels[LABEL.phi] ?? '') : undefined;
  if (guard === undefined) {
    return notOurs(
      ...(phi === 'true'
        ? [`the pod is labelled ${LABEL.phi}, but its namespace has no label ${LABEL.guard}: it runs without a guard`]
        : []),
    );
  }
  if (guard !== 'labelled' && guard !== 'all') return refuse(`namespace.metadata.labels["${LABEL.guard}"]`);
  if (phi !== undefined && phi !== 'true' && phi !== 'false') return refuse(`${prefix}metadata.labels["${LABEL.phi}"]`);
  return guard === 'all' || phi === 'true' ? { kind: 'inject' } : notOurs();
}

function notOurs(...warnings: readonly string[]): Eligibility {
  return { kind: 'not-ours', warnings };
}

function refuse(field: string): Eligibility {
  return { kind: 'refuse', findings: [findingOf('ADM-22', field)] };
}
