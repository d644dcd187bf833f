import { ANNOTATION, isReservedKey, LABEL, RESERVED_NAME, VOLUME } from '#contract/labels.ts';
import { POD_PORT } from '#contract/pod-paths.ts';
import { GUARDED_PATHS } from '#contract/pod-shape.ts';
import type { Mount, TextMap } from '../pod.ts';
import { type ContainerFacts, fieldOf, isOurContainer, type PodFacts } from '../pod-facts.ts';
import type { Hit, Rule } from '../rule.ts';
import { isOurMount } from '../trust-mount.ts';

const AUTHOR_ANNOTATIONS: readonly string[] = [ANNOTATION.sidecarCpu, ANNOTATION.sidecarMemory, ANNOTATION.logLevel];
const OUR_VOLUMES: readonly string[] = Object.values(VOLUME);
const OUR_PORTS: readonly number[] = Object.values(POD_PORT);

/** Annotations from which the API server fills in fields of a container after all webhooks (AppArmor, seccomp). */
const OF_OUR_CONTAINER = /^container\.[a-z.]+\/lazaret-/;

/** Names, annotations, volumes and ports that are ours. */
export const RESERVED_RULES: readonly Rule[] = [
  {
    id: 'B-08',
    verdict: 'deny',
    exemptible: false,
    title: 'A container with a name of ours',
    why: 'names that start with lazaret- are the guard’s.',
    instead:
      'Rename it. In a copied pod, lazaret-init and lazaret-sidecar among initContainers may stay: they are made anew.',
    check: (facts) => facts.containers.flatMap(({ field, container }) => reservedName(container.name, `${field}.name`)),
  },
  {
    id: 'B-09',
    verdict: 'change',
    exemptible: false,
    title: 'A pod that claims to be guarded already',
    why: 'a mark that the author wrote or copied proves nothing.',
    instead:
      'Nothing has to be written: a mark without a fresh and valid signature is taken out with all that it vouches for, and the pod is guarded anew.',
  },
  {
    id: 'B-12',
    verdict: 'deny',
    exemptible: false,
    title: 'A volume or a mount of ours in another container',
    why: 'it would open the guard’s files to the application, or put other files in their place.',
    instead: 'Rename the volume, and mount nothing at or below /run/lazaret.',
    check: (facts) => [...volumeHits(facts), ...facts.containers.flatMap((item) => mountHits(item))],
  },
  {
    id: 'B-15',
    verdict: 'deny',
    exemptible: false,
    title: 'An annotation or label under lazaret.dev/ that does not exist',
    why: 'no annotation or label makes a hole into the guard, and a misspelt one must not look as if it did something.',
    instead: `Remove it; an author may write ${[...AUTHOR_ANNOTATIONS, LABEL.phi].join(', ')}.`,
    check: (facts) => [
      ...keyHits(facts, 'labels', [LABEL.phi]),
      ...keyHits(facts, 'annotations', [...AUTHOR_ANNOTATIONS, ANNOTATION.mark]),
    ],
  },
  {
    id: 'B-16',
    verdict: 'change',
    exemptible: false,
    title: 'Markers that make a network plugin skip the pod',
    why: 'the packet rules are made by lazaret-init in the pod, and no name or annotation is asked.',
    instead: 'Nothing has to be written.',
  },
  {
    id: 'B-29',
    verdict: 'deny',
    exemptible: false,
    title: 'A debug container that looks into ours',
    why: 'with targetContainerName it shares the guard’s processes and can read its memory.',
    instead: 'Target a container of the application.',
    check: (facts) =>
      facts.containers.flatMap(({ field, container }) =>
        reservedName(container.targetContainerName, `${field}.targetContainerName`),
      ),
  },
  {
    id: 'B-30',
    verdict: 'deny',
    exemptible: false,
    title: 'A port of ours',
    why: `ports ${OUR_PORTS.join(' and ')} are the guard’s, and so are port names that start with lazaret-.`,
    instead: 'Let the application listen on another port.',
    check: (facts) =>
      facts.containers.flatMap(({ field, container }) =>
        (container.ports ?? []).flatMap((port, i) => [
          ...(OUR_PORTS.includes(port.containerPort ?? 0) ? [{ field: `${field}.ports[${i}].containerPort` }] : []),
          ...reservedName(port.name, `${field}.ports[${i}].name`),
        ]),
      ),
  },
];

function reservedName(name: unknown, field: string): readonly Hit[] {
  return typeof name === 'string' && name.toLowerCase().startsWith(RESERVED_NAME) ? [{ field }] : [];
}

/** Volumes under our exact names are made anew; any other reserved name is the author's own. */
function volumeHits(facts: PodFacts): readonly Hit[] {
  return (facts.pod.spec?.volumes ?? []).flatMap(({ name }, i) =>
    OUR_VOLUMES.includes(name ?? '') ? [] : reservedName(name, fieldOf(facts, `spec.volumes[${i}].name`)),
  );
}

function mountHits({ field, list, container }: ContainerFacts): readonly Hit[] {
  if (isOurContainer(list, container)) return [];
  return [
    ...(container.volumeMounts ?? []).flatMap((mount, i) =>
      isOurMount(mount) ? [] : foreignMount(mount, `${field}.volumeMounts[${i}]`),
    ),
    ...(container.volumeDevices ?? []).flatMap(({ name }, i) =>
      reservedName(name, `${field}.volumeDevices[${i}].name`),
    ),
  ];
}

function foreignMount(mount: Mount, field: string): readonly Hit[] {
  const path = normalizePath(mount.mountPath ?? '');
  const covers = GUARDED_PATHS.some((ours) => path === ours || path.startsWith(`${ours}/`));
  return covers ? [{ field: `${field}.mountPath` }] : reservedName(mount.name, `${field}.name`);
}

function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function keyHits(facts: PodFacts, kind: 'labels' | 'annotations', allowed: readonly string[]): readonly Hit[] {
  const map: TextMap = facts.pod.metadata?.[kind] ?? {};
  return Object.keys(map)
    .filter((key) => (isReservedKey(key) && !allowed.includes(key)) || OF_OUR_CONTAINER.test(key))
    .map((key) => ({ field: fieldOf(facts, `metadata.${kind}[${JSON.stringify(key.slice(0, 80))}]`) }));
}
