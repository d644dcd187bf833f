// The promise itself, in one place and apart from the code that makes it true: what a pod must look like after everybody
// has had their say. The ValidatingAdmissionPolicy makes the same checks in the API server.
import { isChainId } from '#contract/chain.ts';
import { CONTAINER, VOLUME } from '#contract/labels.ts';
import { readAuthorOptions } from './author-options.ts';
import { findBypasses, findingOf } from './bypass-rules.ts';
import type { Exemptions } from './exemption.ts';
import { initContainer, sidecarContainer } from './guard-containers.ts';
import { guardVolumes } from './guard-volumes.ts';
import { missingDrops } from './harden.ts';
import type { SidecarIdentity } from './identity.ts';
import { isSameJson } from './json.ts';
import { isOwner } from './mark.ts';
import type { Container, Pod } from './pod.ts';
import { type ContainerFacts, listContainers, type NamespaceFacts } from './pod-facts.ts';
import { restoreContainer } from './restore.ts';
import type { Finding } from './rule.ts';
import type { AdmissionSettings } from './settings.ts';
import { isOurMount } from './trust-mount.ts';

/** What a pod is checked against. */
export interface GuardTerms {
  readonly settings: AdmissionSettings;
  readonly namespace: NamespaceFacts;
  readonly exemptions: Exemptions;
}

/** Whether a pod is guarded completely. */
export function isGuarded(pod: Pod, terms: GuardTerms): boolean {
  return findGaps(pod, terms).length === 0;
}

/**
 * Every place where a pod is not guarded: our containers and volumes are not exactly as configured, a container is not
 * hardened, or a rule is broken that no exemption lifts.
 */
export function findGaps(pod: Pod, terms: GuardTerms): readonly Finding[] {
  const identity = readIdentity(pod);
  const containers = listContainers(pod, '');
  const facts = { pod, prefix: '', containers, namespace: terms.namespace, values: terms.settings.values, identity };
  return [
    ...(identity === null ? [gap('spec.initContainers[1].securityContext')] : guardGaps(pod, identity, terms)),
    ...volumeGaps(pod, terms.settings),
    ...containers.flatMap((item) => findContainerGaps(item, terms.exemptions, true)),
    ...findBypasses(facts).filter(({ id }) => !terms.exemptions.has(id)),
  ];
}

/** The numbers under which a pod's own sidecar runs, or null when it has no sidecar with numbers of ours. */
export function readIdentity(pod: Pod): SidecarIdentity | null {
  const sidecar = pod.spec?.initContainers?.find((container) => container.name === CONTAINER.sidecar);
  const uid = sidecar?.securityContext?.runAsUser;
  const gid = sidecar?.securityContext?.runAsGroup;
  const chain = sidecar?.env?.findLast(({ name }) => name === 'LAZARET_CHAIN')?.value;
  return isOwner(uid) && isOwner(gid) && typeof chain === 'string' && isChainId(chain) ? { uid, gid, chain } : null;
}

function guardGaps(pod: Pod, identity: SidecarIdentity, { settings }: GuardTerms): readonly Finding[] {
  const read = readAuthorOptions(pod, settings.values.sidecar, '');
  if (!read.ok) return read.findings;
  const shape = { settings, identity, options: read.options };
  const init = pod.spec?.initContainers ?? [];
  const extra = init.flatMap(({ name }, i) =>
    i > 1 && (name === CONTAINER.init || name === CONTAINER.sidecar) ? [gap(`spec.initContainers[${i}]`)] : [],
  );
  return [
    ...differences(init[0], initContainer(shape), 0),
    ...differences(init[1], sidecarContainer(shape), 1),
    ...extra,
  ];
}

/** Names the first field that differs, which tells which webhook did it. */
function differences(found: Container | undefined, wanted: Container, index: number): readonly Finding[] {
  const field = `spec.initContainers[${index}]`;
  if (found === undefined || found.name !== wanted.name)
    return [
      gap(
        field,
        `must be ${String(wanted.name)}; after all webhooks have run, another container or none stands there.`,
      ),
    ];
  const restored = restoreContainer(found, wanted);
  if (restored === found) return [];
  const fields = new Set([...Object.keys(restored), ...Object.keys(found)]);
  const wrong = [...fields].find((name) => !isSameJson(found[name], restored[name]));
  return [gap(`${field}.${(wrong ?? '').slice(0, 80)}`)];
}

function volumeGaps(pod: Pod, settings: AdmissionSettings): readonly Finding[] {
  const volumes = pod.spec?.volumes ?? [];
  const wanted = guardVolumes(settings);
  const names: readonly string[] = Object.values(VOLUME);
  const missing = wanted.filter(({ name }) => !volumes.some((volume) => volume.name === name));
  const wrong = volumes.flatMap((volume, i) => {
    if (!names.includes(volume.name ?? '')) return [];
    const ours = wanted.find(({ name }) => name === volume.name);
    const first = volumes.findIndex(({ name }) => name === volume.name) === i;
    return ours !== undefined && first && isSameJson(volume, ours) ? [] : [gap(`spec.volumes[${i}]`)];
  });
  return [...missing.map(({ name }) => gap('spec.volumes', `the volume ${String(name)} is missing.`)), ...wrong];
}

/**
 * What one application container lacks. Written as the ValidatingAdmissionPolicy writes it, not as the mutation does it.
 * @param trusting whether the pod has trust files to mount
 */
export function findContainerGaps(
  { container, field }: ContainerFacts,
  exemptions: Exemptions,
  trusting: boolean,
): readonly Finding[] {
  const security = container.securityContext;
  const sees = (container.volumeMounts ?? []).some((mount) => isOurMount(mount) && (mount.subPath ?? '') === '');
  const escalates = security?.allowPrivilegeEscalation !== false && !exemptions.has('B-04');
  return [
    ...(missingDrops(security?.capabilities ?? {}, exemptions).length === 0
      ? []
      : [gap(`${field}.securityContext.capabilities.drop`)]),
    ...(escalates ? [gap(`${field}.securityContext.allowPrivilegeEscalation`)] : []),
    ...(sees || !trusting ? [] : [gap(`${field}.volumeMounts`, 'the public trust files are not mounted.')]),
  ];
}

function gap(field: string, why?: string): Finding {
  return findingOf('ADM-19', field, why);
}
