import { fieldOf, type PodFacts } from '../pod-facts.ts';
import type { Volume } from '../pod.ts';
import type { Hit, Rule } from '../rule.ts';

const OS_LABELS = ['kubernetes.io/os', 'beta.kubernetes.io/os'];
const VIRTUAL_NODE = 'virtual-kubelet.io/provider';
const ENFORCE_LABEL = 'pod-security.kubernetes.io/enforce';
const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** Reaching the node, or running where there is no node that keeps the packet rules. */
export const HOST_RULES: readonly Rule[] = [
  {
    id: 'B-06',
    verdict: 'deny',
    exemptible: false,
    title: 'The pod uses the node’s network',
    why: 'in the node’s network there is nothing of the pod’s own to guard, and packet rules would change the node.',
    instead: 'Remove hostNetwork, or run this workload in a namespace of its own without PHI.',
    check: (facts) => flag(facts, 'hostNetwork', facts.pod.spec?.hostNetwork === true),
  },
  {
    id: 'B-07',
    verdict: 'deny',
    exemptible: false,
    title:
      'The pod shares processes, or mounts files of the node: hostPID, hostIPC, shareProcessNamespace, procMount, hostPath',
    why: 'it opens the guard’s memory and files, or the node’s, to the application.',
    instead: 'Remove it; for files use a ConfigMap, an emptyDir, a PersistentVolumeClaim or a CSI volume.',
    check: (facts) => [
      ...flag(facts, 'hostPID', facts.pod.spec?.hostPID === true),
      ...flag(facts, 'hostIPC', facts.pod.spec?.hostIPC === true),
      ...flag(facts, 'shareProcessNamespace', facts.pod.spec?.shareProcessNamespace === true),
      ...facts.containers.flatMap(({ field, container: { securityContext } }) =>
        (securityContext?.procMount ?? 'Default') === 'Default'
          ? []
          : [{ field: `${field}.securityContext.procMount` }],
      ),
      ...volumeHits(facts, 'hostPath', (volume) => volume.hostPath),
    ],
  },
  {
    id: 'B-20',
    verdict: 'report',
    exemptible: false,
    title: 'A static pod',
    why: 'the kubelet runs a static pod whatever the API server says, so its guard cannot be promised.',
    instead: 'Run it as a Deployment or DaemonSet; the copy in the API is denied and the pod is reported as unguarded.',
    check: (facts) =>
      Object.hasOwn(facts.pod.metadata?.annotations ?? {}, MIRROR_ANNOTATION)
        ? [{ field: fieldOf(facts, `metadata.annotations["${MIRROR_ANNOTATION}"]`) }]
        : [],
  },
  {
    id: 'B-25',
    verdict: 'deny',
    exemptible: true,
    title: 'Windows, an unknown runtime class, or a virtual node',
    why: 'the packet rules are not known to hold there.',
    instead:
      'Run it on Linux nodes under the default runtime, or have the runtime class listed in the chart’s admission.runtimeClasses.',
    check: (facts) => [...windowsHits(facts), ...runtimeHits(facts), ...virtualNodeHits(facts)],
  },
  {
    id: 'B-31',
    verdict: 'deny',
    exemptible: false,
    title: 'The namespace enforces Pod Security baseline or restricted',
    why: 'lazaret-init needs NET_ADMIN for its packet rules, which this level forbids, so the guarded pod would be denied.',
    instead: `Label the namespace ${ENFORCE_LABEL}=privileged; the levels for warn and audit may stay, and the guard hardens every container.`,
    check: ({ namespace }) => {
      const level = Object.hasOwn(namespace.labels, ENFORCE_LABEL) ? namespace.labels[ENFORCE_LABEL] : undefined;
      return level === undefined || level === 'privileged'
        ? []
        : [{ field: `namespace.metadata.labels["${ENFORCE_LABEL}"]` }];
    },
  },
  {
    id: 'B-35',
    verdict: 'deny',
    exemptible: false,
    title: 'User namespaces',
    why: 'with hostUsers: false the packet rules are not tested to see the right uid.',
    instead: 'Remove hostUsers.',
    check: (facts) => flag(facts, 'hostUsers', facts.pod.spec?.hostUsers === false),
  },
  {
    id: 'B-36',
    verdict: 'deny',
    exemptible: false,
    title: 'flexVolume and gitRepo',
    why: 'both run programs on the node with the author’s parameters.',
    instead: 'Use a CSI volume, or fetch the repository in an init container into an emptyDir.',
    check: (facts) => [
      ...volumeHits(facts, 'flexVolume', (volume) => volume.flexVolume),
      ...volumeHits(facts, 'gitRepo', (volume) => volume.gitRepo),
    ],
  },
];

function flag(facts: PodFacts, name: string, broken: boolean): readonly Hit[] {
  return broken ? [{ field: fieldOf(facts, `spec.${name}`) }] : [];
}

function volumeHits(facts: PodFacts, kind: string, part: (volume: Volume) => unknown): readonly Hit[] {
  return (facts.pod.spec?.volumes ?? []).flatMap((volume, i) => {
    const source = part(volume);
    return source === null || source === undefined ? [] : [{ field: fieldOf(facts, `spec.volumes[${i}].${kind}`) }];
  });
}

function windowsHits(facts: PodFacts): readonly Hit[] {
  const { spec } = facts.pod;
  const isWindows = (text: unknown) => typeof text === 'string' && text.toLowerCase() === 'windows';
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return [
    ...flag(facts, 'os.name', isWindows(spec?.os?.name)),
    ...OS_LABELS.flatMap((label) => flag(facts, `nodeSelector["${label}"]`, isWindows(spec?.nodeSelector?.[label]))),
    ...terms.flatMap((term, i) =>
      (term.matchExpressions ?? []).flatMap(({ key, operator, values }, j) =>
        flag(
          facts,
          `affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}].matchExpressions[${j}]`,
          OS_LABELS.includes(key ?? '') && operator === 'In' && (values ?? []).some(isWindows),
        ),
      ),
    ),
    ...flag(facts, 'securityContext.windowsOptions', isPresent(spec?.securityContext?.windowsOptions)),
    ...facts.containers.flatMap(({ field, container }) =>
      isPresent(container.securityContext?.windowsOptions)
        ? [{ field: `${field}.securityContext.windowsOptions` }]
        : [],
    ),
  ];
}

function runtimeHits(facts: PodFacts): readonly Hit[] {
  const name = facts.pod.spec?.runtimeClassName ?? '';
  return flag(facts, 'runtimeClassName', name !== '' && !facts.values.admission.runtimeClasses.includes(name));
}

function virtualNodeHits(facts: PodFacts): readonly Hit[] {
  const { spec } = facts.pod;
  return [
    ...(spec?.tolerations ?? []).flatMap(({ key }, i) => flag(facts, `tolerations[${i}]`, key === VIRTUAL_NODE)),
    ...flag(facts, 'nodeSelector["type"]', spec?.nodeSelector?.type === 'virtual-kubelet'),
  ];
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}
