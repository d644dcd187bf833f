import { CONTAINER } from '#contract/labels.ts';
import type { SidecarIdentity } from './identity.ts';
import type { Container, Pod } from './pod.ts';
import type { AdmissionValues } from './values.ts';

/** The lists of a pod's specification that hold containers. */
export const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;
export type ContainerList = (typeof CONTAINER_LISTS)[number];

/** One container that is not ours. */
export interface ContainerFacts {
  readonly list: ContainerList;
  /** Path of the container in the submitted object, such as `spec.containers[0]`. */
  readonly field: string;
  readonly container: Container;
}

/** The namespace of a pod. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a bypass rule looks at. */
export interface PodFacts {
  readonly pod: Pod;
  /** What stands before every field path: empty for a pod, `spec.template.` for a template. */
  readonly prefix: string;
  /** All containers that are not ours. */
  readonly containers: readonly ContainerFacts[];
  readonly namespace: NamespaceFacts;
  readonly values: AdmissionValues;
  /** The sidecar's numbers, where they are known already. */
  readonly identity: SidecarIdentity | null;
}

/** Whether a container of a list is one of our two: the name alone says so, since what carries it is made anew. */
export function isOurContainer(list: ContainerList, container: Container): boolean {
  return list === 'initContainers' && (container.name === CONTAINER.init || container.name === CONTAINER.sidecar);
}

/** The containers of a pod that are not ours, in the order of the lists. */
export function listContainers(pod: Pod, prefix: string): readonly ContainerFacts[] {
  return CONTAINER_LISTS.flatMap((list) =>
    (pod.spec?.[list] ?? []).flatMap((container, i) =>
      isOurContainer(list, container) ? [] : [{ list, field: `${prefix}spec.${list}[${i}]`, container }],
    ),
  );
}

/** Every number that the pod names as a user or a group. */
export function listOwners(pod: Pod, containers: readonly ContainerFacts[]): ReadonlySet<number> {
  const security = pod.spec?.securityContext;
  const numbers = [
    security?.runAsUser,
    security?.runAsGroup,
    security?.fsGroup,
    ...(security?.supplementalGroups ?? []),
    ...containers.flatMap(({ container }) => [
      container.securityContext?.runAsUser,
      container.securityContext?.runAsGroup,
    ]),
  ];
  return new Set(numbers.filter((number) => typeof number === 'number'));
}

/** A path such as `spec.hostNetwork` as it stands in the submitted object. */
export function fieldOf(facts: PodFacts, path: string): string {
  return `${facts.prefix}${path}`;
}
