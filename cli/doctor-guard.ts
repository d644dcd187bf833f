import { CONTAINER, LABEL } from '#contract/labels.ts';
import { podNameOf } from '#contract/pod-proof.ts';
import { judgeEligibility } from '#controller/admission/eligibility.ts';
import type { Cluster, PodObject } from './doctor-cluster.ts';
import { wantedImage } from './doctor-document.ts';
import { isOlder, MIN_MINOR } from './doctor-release.ts';
import { runCheck, type Verdict } from './doctor-verdict.ts';

/** Pods that are named one by one; beyond that a number. */
const NAMED_PODS = 20;
const ENDED: readonly string[] = ['Succeeded', 'Failed'];

/** Whether every node can run a guarded pod. */
export function checkNodes(cluster: Cluster): readonly Verdict[] {
  return runCheck('nodes', (report) => {
    if (cluster.snapshot.listings.nodes.kind === 'forbidden')
      return report.notice('the nodes could not be read', 'let your account list nodes');
    const linux = cluster.nodes.filter(({ status }) => status.nodeInfo.operatingSystem !== 'windows');
    const old = linux.filter(({ status }) => isOlder(status.nodeInfo.kubeletVersion, MIN_MINOR));
    for (const { metadata, status } of old)
      report.broken(
        `the node ${metadata.name} has kubelet ${status.nodeInfo.kubeletVersion || 'of an unknown version'}`,
        `upgrade it to 1.${MIN_MINOR} or later, or keep PHI-bearing pods off it: the sidecar may not start before the application there`,
      );
    if (linux.length === 0) report.notice('there is no Linux node', 'add one: guarded pods run on Linux only');
    else if (old.length === 0) report.ok(`${linux.length} nodes can run guarded pods`);
  });
}

/** Which namespaces are guarded. */
export function checkNamespaces(cluster: Cluster): readonly Verdict[] {
  const { namespace: release } = cluster.snapshot;
  return runCheck('namespaces', (report) => {
    if (cluster.snapshot.listings.namespaces.kind !== 'objects')
      return report.broken('the namespaces could not be read', 'let your account list namespaces');
    const marked = cluster.namespaces.filter(({ metadata }) => Object.hasOwn(metadata.labels, LABEL.guard));
    for (const { metadata } of marked) {
      const { name, labels } = metadata;
      const value = labels[LABEL.guard] ?? '';
      const verdict = judgeEligibility(
        { metadata: { labels: { [LABEL.phi]: 'true' } } },
        { name, labels },
        release,
        '',
      );
      if (verdict.kind === 'inject')
        report.ok(`the namespace ${name} is guarded: ${value === 'all' ? 'every pod' : 'pods labelled PHI-bearing'}`);
      else if (verdict.kind === 'refuse')
        report.broken(
          `the namespace ${name} has a label ${LABEL.guard} of another value than labelled or all: its pods are denied`,
          `kubectl label namespace ${name} ${LABEL.guard}=labelled --overwrite`,
        );
      else
        report.notice(
          `the namespace ${name} has a label ${LABEL.guard}, which means nothing there`,
          'run PHI-bearing pods in a namespace of their own: neither the system’s nor the release’s is ever guarded',
        );
    }
    if (marked.length === 0)
      report.broken('no namespace is guarded', `kubectl label namespace NAMESPACE ${LABEL.guard}=labelled`);
  });
}

/** A pod that should be guarded and is not: the state and the remedy. */
type Hole = readonly [text: string, remedy: string];

/** Which pods must be guarded and are not. */
export function checkPods(cluster: Cluster): readonly Verdict[] {
  return runCheck('pods', (report) => {
    if (cluster.snapshot.listings.pods.kind !== 'objects')
      return report.broken('the pods could not be read', 'let your account list pods');
    const labelsOf = new Map(cluster.namespaces.map(({ metadata }) => [metadata.name, metadata.labels]));
    const pods = livePods(cluster);
    const holes = pods.flatMap((pod): Hole[] => {
      const hole = holeOf(pod, labelsOf.get(pod.metadata.namespace) ?? {}, cluster.snapshot.namespace);
      return hole === null ? [] : [hole];
    });
    for (const [text, remedy] of holes.slice(0, NAMED_PODS)) report.broken(text, remedy);
    if (holes.length > NAMED_PODS)
      report.broken(
        `${holes.length - NAMED_PODS} further pods are not guarded`,
        'mend the ones above and run lazaret doctor again',
      );
    const guarded = pods.filter((pod) => sidecarImage(pod) !== null);
    for (const pod of guarded.filter((each) => each.status.phase === 'Running' && !isSidecarReady(each)))
      report.notice(
        `the guard of the pod ${podNameOf(pod.metadata)} is not ready`,
        `kubectl -n ${pod.metadata.namespace} logs ${pod.metadata.name} -c ${CONTAINER.sidecar}`,
      );
    if (holes.length === 0) report.ok(`${guarded.length} pods are guarded, and none is missing its guard`);
  });
}

function holeOf(pod: PodObject, place: Readonly<Record<string, string>>, release: string): Hole | null {
  const { namespace, labels } = pod.metadata;
  const name = podNameOf(pod.metadata);
  if (sidecarImage(pod) !== null) return null;
  const { kind } = judgeEligibility({ metadata: { labels } }, { name: namespace, labels: place }, release, '');
  if (kind !== 'not-ours')
    return [
      `the pod ${name} must be guarded and has no sidecar: it is older than its guard, or came in while admission was off`,
      `restart its workload: kubectl -n ${namespace} rollout restart deployment NAME`,
    ];
  // What the author said and the namespace does not hear: the likeliest hole of all.
  if (labels[LABEL.phi] !== 'true') return null;
  return [
    `the pod ${name} is labelled PHI-bearing, but its namespace is not guarded`,
    `kubectl label namespace ${namespace} ${LABEL.guard}=labelled, then restart its workload`,
  ];
}

/** Which sidecars are not the release's own version. */
export function checkImages(cluster: Cluster): readonly Verdict[] {
  return runCheck('images', (report) => {
    const wanted = wantedImage(cluster.document, 'sidecar');
    if (wanted === null)
      return report.notice(
        `the ConfigMap ${cluster.snapshot.name}-controller names no sidecar image`,
        'let your account get it, or run helm upgrade',
      );
    const others = new Map<string, PodObject[]>();
    let current = 0;
    for (const pod of livePods(cluster)) {
      const image = sidecarImage(pod);
      if (image === wanted) current++;
      else if (image !== null) others.set(image, [...(others.get(image) ?? []), pod]);
    }
    for (const [image, pods] of others)
      report.notice(
        `${pods.length} pods run the sidecar ${image}, such as ${pods
          .slice(0, 3)
          .map((pod) => podNameOf(pod.metadata))
          .join(', ')}`,
        `restart their workloads, so that they get ${wanted}`,
      );
    report.ok(`${current} pods run the sidecar ${wanted}`);
  });
}

/** Pods that have not ended. */
export function livePods(cluster: Cluster): readonly PodObject[] {
  return cluster.pods.filter(({ status }) => !ENDED.includes(status.phase));
}

/** The image of a pod's guard; null where it has none. */
export function sidecarImage(pod: PodObject): string | null {
  return pod.spec.initContainers.find(({ name }) => name === CONTAINER.sidecar)?.image ?? null;
}

/** Whether a pod's guard says that it guards. */
export function isSidecarReady(pod: PodObject): boolean {
  return pod.status.initContainerStatuses.some(({ name, ready }) => name === CONTAINER.sidecar && ready);
}
