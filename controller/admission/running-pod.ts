// What the creation of a pod cannot show. The webhook is not asked about these, so that its downtime never stops a
// cluster; the ValidatingAdmissionPolicy makes the same checks in the API server, and is tested against them.
import { CONTAINER, isReservedKey, LABEL } from '#contract/labels.ts';
import { findingOf } from './bypass-rules.ts';
import { hasOwner } from './harden.ts';
import { isSameJson, type Maybe } from './json.ts';
import type { Container, Pod, TextMap } from './pod.ts';
import { listContainers } from './pod-facts.ts';
import type { Finding } from './rule.ts';

const OURS: readonly string[] = Object.values(CONTAINER);

/**
 * Judges an update of a pod, of its status (which can change labels and annotations too), or a resize. Kubernetes lets an
 * update change images: with another image the sidecar would be another program under the uid that is let out, and an image of
 * the application's could be built to run under it.
 */
export function findPodChanges(before: Pod, after: Pod): readonly Finding[] {
  return [
    ...keyChanges('labels', before.metadata?.labels, after.metadata?.labels),
    ...keyChanges('annotations', before.metadata?.annotations, after.metadata?.annotations),
    ...containerChanges(before, after, 'image', 'B-10'),
    ...containerChanges(before, after, 'resources', 'B-26'),
    ...imageChanges(before, after),
  ];
}

/**
 * Judges the labels of a namespace.
 * @param before null when it is created
 */
export function findNamespaceChanges(before: TextMap | null, after: TextMap): readonly Finding[] {
  const [old, now] = [ownText(before, LABEL.guard), ownText(after, LABEL.guard)];
  const field = `metadata.labels["${LABEL.guard}"]`;
  if (old === now) return [];
  if (now !== undefined && now !== 'labelled' && now !== 'all') return [findingOf('ADM-22', field)];
  const lowered = (old === 'all' || old === 'labelled') && now !== 'all';
  return lowered ? [findingOf('B-11', field)] : [];
}

/** Judges exec and attach. @param container as the request names it; without a name Kubernetes takes the application's */
export function findConnection(container: Maybe<string>): readonly Finding[] {
  return OURS.includes(container ?? '') ? [findingOf('B-18', 'container')] : [];
}

function keyChanges(kind: string, before: Maybe<TextMap>, after: Maybe<TextMap>): readonly Finding[] {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})].filter(isReservedKey));
  return [...keys]
    .filter((key) => ownText(before, key) !== ownText(after, key))
    .map((key) => findingOf('B-10', `metadata.${kind}[${JSON.stringify(key.slice(0, 80))}]`));
}

function containerChanges(before: Pod, after: Pod, field: string, rule: string): readonly Finding[] {
  return OURS.flatMap((name) => {
    const [old] = placeOf(before, name);
    const [now, at] = placeOf(after, name);
    return isSameJson(now?.[field], old?.[field]) ? [] : [findingOf(rule, `spec.initContainers[${at}].${field}`)];
  });
}

/** Images of the application's containers in a guarded pod; where its uid or gid is written, an image cannot change it. */
function imageChanges(before: Pod, after: Pod): readonly Finding[] {
  if (placeOf(before, CONTAINER.sidecar)[0] === undefined) return [];
  const old = new Map(
    listContainers(before, '').map(({ list, container }) => [`${list} ${container.name}`, container]),
  );
  return listContainers(after, '').flatMap(({ list, field, container }) => {
    const same = old.get(`${list} ${container.name}`)?.image === container.image;
    const owned = hasOwner(container, after.spec?.securityContext);
    return same || owned || list === 'ephemeralContainers' ? [] : [findingOf('B-03', `${field}.image`)];
  });
}

function placeOf(pod: Pod, name: string): readonly [Container | undefined, number] {
  const list = pod.spec?.initContainers ?? [];
  const at = list.findIndex((container) => container.name === name);
  return [list[at], Math.max(at, 0)];
}

function ownText(map: Maybe<TextMap>, key: string): string | undefined {
  return map !== null && map !== undefined && Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined;
}
