import { CONTAINER } from '#contract/labels.ts';
import { readIdentity } from '../admission/is-guarded.ts';
import type { PodSummary, RawObject } from '../ports.ts';
import { fieldOf, listOf, metaOf, textMapOf, textOf } from './resource-store.ts';

/** What is kept of a pod: about a kilobyte of an object of ten. */
export function summarizePod(object: RawObject): PodSummary {
  const meta = metaOf(object);
  const spec = fieldOf(object, 'spec');
  const status = fieldOf(object, 'status');
  const named = (list: readonly RawObject[]) => list.find((item) => textOf(item, 'name') === CONTAINER.sidecar);
  const sidecar = named(listOf(spec, 'initContainers'));
  const created = Date.parse(textOf(meta, 'creationTimestamp'));
  return {
    namespace: textOf(meta, 'namespace'),
    name: textOf(meta, 'name'),
    uid: textOf(meta, 'uid'),
    labels: textMapOf(meta, 'labels'),
    serviceAccount: textOf(spec, 'serviceAccountName'),
    node: textOf(spec, 'nodeName'),
    // The API server has checked the shape of a pod that it stored.
    chain: sidecar === undefined ? null : (readIdentity(object)?.chain ?? null),
    sidecarImage: sidecar === undefined ? null : textOf(sidecar, 'image'),
    createdAt: Number.isNaN(created) ? 0 : created,
    phase: textOf(status, 'phase') || 'Unknown',
    ready: named(listOf(status, 'initContainerStatuses'))?.ready === true,
  };
}
