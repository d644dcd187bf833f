import { ANNOTATION, CONTAINER, LABEL, VOLUME } from '#contract/labels.ts';
import type { Exemptions } from './exemption.ts';
import { type GuardShape, initContainer, sidecarContainer } from './guard-containers.ts';
import { guardVolumes } from './guard-volumes.ts';
import { fixOwner, hardenContainer } from './harden.ts';
import { isSameJson, keepList, withField } from './json.ts';
import type { Container, Pod, PodSecurity, PodSpec, TextMap, Volume } from './pod.ts';
import { isOurContainer } from './pod-facts.ts';
import { restoreContainer } from './restore.ts';
import { mergeTrustEnvironment } from './trust-environment.ts';
import { isOurMount, trustMounts } from './trust-mount.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
const DEFAULT_LOGS_CONTAINER = 'kubectl.kubernetes.io/default-logs-container';
/** Cluster autoscaler: local volumes that do not keep a node alive. */
const SAFE_TO_EVICT = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';
const OUR_VOLUMES: readonly string[] = Object.values(VOLUME);
const EMPTY_DIR_VOLUMES: readonly string[] = [VOLUME.trust, VOLUME.authority, VOLUME.settings, VOLUME.spool];

/** Everything that decides how a pod looks once it is guarded. */
export interface Injection extends GuardShape {
  readonly exemptions: Exemptions;
  /** The mark as it shall stand in the pod. */
  readonly mark: string;
  /** The pod gets the PHI label, which it has not. */
  readonly label: boolean;
}

/**
 * The pod as it must be, computed from the pod as it is: what is ours is put in its place, what is the author's stays as
 * it is but for environment, mounts and hardening. What did not change is shared with the pod that was given.
 */
export function injectGuard(pod: Pod, injection: Injection): Pod {
  const spec = injectSpec(pod.spec ?? {}, injection);
  const metadata = pod.metadata ?? {};
  const before = metadata.annotations ?? {};
  const annotations = withAnnotations(before, spec, injection.mark);
  const marked = annotations === before ? metadata : withField(metadata, 'annotations', annotations);
  const changed = injection.label ? withField(marked, 'labels', { ...metadata.labels, [LABEL.phi]: 'true' }) : marked;
  return withField(changed === metadata ? pod : withField(pod, 'metadata', changed), 'spec', spec);
}

function injectSpec(spec: PodSpec, injection: Injection): PodSpec {
  const { exemptions, settings } = injection;
  const { overlayPaths } = settings.values.admission;
  const prepare = (container: Container) => hardenContainer(withTrust(container, overlayPaths), exemptions);
  const init = spec.initContainers ?? [];
  const found = (name: string) => init.find((container) => container.name === name);
  const authors = init.filter((container) => !isOurContainer('initContainers', container)).map(prepare);
  const initContainers = [
    restoreContainer(found(CONTAINER.init), initContainer(injection)),
    restoreContainer(found(CONTAINER.sidecar), sidecarContainer(injection)),
    ...authors,
  ];
  const containers = spec.containers ?? [];
  const debug = spec.ephemeralContainers ?? [];
  const volumes = spec.volumes ?? [];
  const withInit = withField(spec, 'initContainers', keepList(init, initContainers));
  const withMain = setList(withInit, 'containers', containers, containers.map(prepare));
  const withDebug = setList(
    withMain,
    'ephemeralContainers',
    debug,
    debug.map((container) => prepareDebug(container, exemptions, spec.securityContext)),
  );
  return setList(withDebug, 'volumes', volumes, withVolumes(volumes, guardVolumes(settings)));
}

/** A list that stays empty is not written. */
function setList(spec: PodSpec, field: string, before: readonly unknown[], after: readonly unknown[]): PodSpec {
  const kept = keepList(before, after);
  return kept === before ? spec : withField(spec, field, kept);
}

/** An ephemeral container in a guarded pod as it must be. Kubernetes allows it no `subPath`, so no file of its image is covered. */
export function prepareDebug(
  container: Container,
  exemptions: Exemptions,
  security: PodSecurity | null | undefined,
): Container {
  return fixOwner(hardenContainer(withTrust(container, []), exemptions), security);
}

/** Gives an application container the public trust files and the variables that name them. */
function withTrust(container: Container, overlayPaths: readonly string[]): Container {
  const variables = container.env ?? [];
  const env = keepList(variables, mergeTrustEnvironment(variables).env);
  const before = container.volumeMounts ?? [];
  const own = before.filter((mount) => !isOurMount(mount));
  const covered = new Set(own.map(({ mountPath }) => mountPath));
  const wanted = trustMounts(overlayPaths).filter(({ mountPath }) => !covered.has(mountPath));
  const kept = before.filter(
    (mount, i) =>
      !isOurMount(mount) ||
      (wanted.some((ours) => isSameJson(mount, ours)) &&
        before.findIndex((other) => other.mountPath === mount.mountPath) === i),
  );
  const mounts = keepList(before, [
    ...kept,
    ...wanted.filter((ours) => !kept.some((mount) => isSameJson(mount, ours))),
  ]);
  const withEnv = env === variables ? container : withField(container, 'env', env);
  return mounts === before ? withEnv : withField(withEnv, 'volumeMounts', mounts);
}

/** Ours stay where they stand, once each; what is missing comes last, because other webhooks count on positions. */
function withVolumes(before: readonly Volume[], wanted: readonly Volume[]): readonly Volume[] {
  const kept = before.flatMap((volume, i): readonly Volume[] => {
    if (!OUR_VOLUMES.includes(volume.name ?? '')) return [volume];
    const ours = wanted.find(({ name }) => name === volume.name);
    if (ours === undefined || before.findIndex(({ name }) => name === volume.name) !== i) return [];
    return [isSameJson(volume, ours) ? volume : ours];
  });
  return [...kept, ...wanted.filter(({ name }) => !kept.some((volume) => volume.name === name))];
}

function withAnnotations(before: TextMap, spec: PodSpec, mark: string): TextMap {
  const main = spec.containers?.[0]?.name;
  const defaults =
    typeof main === 'string'
      ? [DEFAULT_CONTAINER, DEFAULT_LOGS_CONTAINER].filter((key) => !Object.hasOwn(before, key))
      : [];
  const evictable = withEntries(Object.hasOwn(before, SAFE_TO_EVICT) ? (before[SAFE_TO_EVICT] ?? '') : '');
  const changes = [
    ...defaults.map((key): readonly [string, string] => [key, main ?? '']),
    [SAFE_TO_EVICT, evictable] as const,
    [ANNOTATION.mark, mark] as const,
  ].filter(([key, value]) => !Object.hasOwn(before, key) || before[key] !== value);
  return changes.length === 0 ? before : { ...before, ...Object.fromEntries(changes) };
}

function withEntries(list: string): string {
  const entries = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const missing = EMPTY_DIR_VOLUMES.filter((name) => !entries.includes(name));
  return missing.length === 0 ? list : [...entries, ...missing].join(',');
}
