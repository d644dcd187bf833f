import { ANNOTATION, LABEL, RESERVED_NAME } from '#contract/labels.ts';
import { findingOf } from './bypass-rules.ts';
import type { Pod } from './pod.ts';
import { CONTAINER_LISTS, type NamespaceFacts } from './pod-facts.ts';
import type { Finding } from './rule.ts';

/** Whether a pod is to be guarded. */
export type Eligibility =
  | { readonly kind: 'inject' }
  | { readonly kind: 'not-ours'; readonly warnings: readonly string[] }
  | { readonly kind: 'refuse'; readonly findings: readonly Finding[] };

/** The cluster's own namespaces are never guarded, whatever their labels: the guard needs them to start. */
const SYSTEM_NAMESPACES: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Decides by the labels of the namespace and of the pod, and by parts of a guard in it: a copy that `kubectl debug` makes of a
 * guarded pod has lost its labels. Neither who asks nor what else the pod says of itself counts.
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
  if (guard === 'all' || phi === 'true') return { kind: 'inject' };
  if (!holdsGuard(pod)) return notOurs();
  return phi === undefined ? { kind: 'inject' } : refuse(`${prefix}metadata.labels["${LABEL.phi}"]`, 'B-39');
}

/**
 * Whether a pod that ends in scope must still get the PHI label: it is a copy without labels in a namespace where the label
 * decides, and everything that comes later (debug containers, changes, gauges) asks for the label.
 */
export function lacksLabel(pod: Pod, namespace: NamespaceFacts): boolean {
  const labelled = Object.hasOwn(namespace.labels, LABEL.guard) && namespace.labels[LABEL.guard] === 'labelled';
  return labelled && !Object.hasOwn(pod.metadata?.labels ?? {}, LABEL.phi);
}

/** Whether a pod has a container or a volume under a name of ours, or our mark. */
function holdsGuard({ metadata, spec }: Pod): boolean {
  const named = [...CONTAINER_LISTS.flatMap((list) => spec?.[list] ?? []), ...(spec?.volumes ?? [])];
  const ours = named.some(({ name }) => name?.toLowerCase().startsWith(RESERVED_NAME) === true);
  return ours || Object.hasOwn(metadata?.annotations ?? {}, ANNOTATION.mark);
}

function notOurs(...warnings: readonly string[]): Eligibility {
  return { kind: 'not-ours', warnings };
}

function refuse(field: string, rule = 'ADM-22'): Eligibility {
  return { kind: 'refuse', findings: [findingOf(rule, field)] };
}
