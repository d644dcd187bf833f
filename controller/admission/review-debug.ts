import { VOLUME } from '#contract/labels.ts';
import { allow, type Answer, deny } from './answer.ts';
import { findingOf } from './bypass-rules.ts';
import { judgeEligibility } from './eligibility.ts';
import { type Exemptions, findExemptions } from './exemption.ts';
import { hardenContainer, hasOwner } from './harden.ts';
import { prepareDebug } from './inject.ts';
import { findContainerGaps, readIdentity } from './is-guarded.ts';
import { isJsonObject, keepList, ownField, withField } from './json.ts';
import { diffJson } from './json-patch.ts';
import type { Pod } from './pod.ts';
import { type ContainerFacts, listContainers, type PodFacts } from './pod-facts.ts';
import type { AdmissionRequest } from './request.ts';
import type { AdmissionContext } from './review.ts';
import { isReadPod, judgePod, readPod } from './review-pod.ts';

/** New ephemeral containers of a pod in scope. */
interface DebugRequest {
  readonly pod: Pod;
  readonly fresh: readonly ContainerFacts[];
  readonly exemptions: Exemptions;
  /** The pod has our volumes, so the trust files can be mounted. */
  readonly guarded: boolean;
}

/**
 * Decides an update of a running pod's ephemeral containers (`kubectl debug`). Every rule for containers holds for a new
 * one; those that are there already cannot be changed any more, and nothing else of the pod can change by this door.
 */
export function reviewDebugContainers(request: AdmissionRequest, context: AdmissionContext): Answer {
  const debug = readDebugRequest(request, context);
  if ('decision' in debug) return debug;
  const { pod, guarded } = debug;
  const list = pod.spec?.ephemeralContainers ?? [];
  const after = keepList(list, prepareFresh(debug));
  const desired =
    after === list ? pod : withField(pod, 'spec', withField(pod.spec ?? {}, 'ephemeralContainers', after));
  const patch = diffJson(pod, desired);
  const warnings = guarded
    ? []
    : ['this pod was created before its guard and has none: let its workload replace it (B-21)'];
  return allow(request.uid, patch.length === 0 ? 'unchanged' : 'injected', patch, warnings);
}

/** The same request after all mutation: a new debug container is hardened, or it is denied. */
export function reviewDebugOutcome(request: AdmissionRequest, context: AdmissionContext): Answer {
  const debug = readDebugRequest(request, context);
  if ('decision' in debug) return debug;
  const { exemptions, guarded, pod } = debug;
  const gaps = debug.fresh.flatMap((item) => [
    ...findContainerGaps(item, exemptions, guarded),
    ...(guarded && !hasOwner(item.container, pod.spec?.securityContext)
      ? [findingOf('B-03', `${item.field}.securityContext`)]
      : []),
  ]);
  return gaps.length === 0 ? allow(request.uid, 'unchanged', [], []) : deny(request.uid, 403, gaps);
}

function readDebugRequest(request: AdmissionRequest, context: AdmissionContext): DebugRequest | Answer {
  const { settings, namespace } = context;
  const pod = readPod(request.object);
  if (!isReadPod(pod)) return deny(request.uid, 403, pod);
  const eligibility = judgeEligibility(pod, namespace, settings.values.releaseNamespace, '');
  if (eligibility.kind === 'not-ours') return allow(request.uid, 'not-ours', [], []);
  if (eligibility.kind === 'refuse') return deny(request.uid, 403, eligibility.findings);
  const exemptions = findExemptions(context.exemptions, namespace.name, pod, context.now);
  const before = namesBefore(request);
  const fresh = listContainers(pod, '').filter(
    ({ list, container }) => list === 'ephemeralContainers' && !before.has(container.name ?? ''),
  );
  const findings = judgePod(debugFacts(pod, fresh, context), exemptions).map((finding) => ({
    ...finding,
    why: `${finding.why} Every rule holds for debug containers too (B-17).`,
  }));
  if (findings.length > 0) return deny(request.uid, 403, findings);
  const guarded = (pod.spec?.volumes ?? []).some(({ name }) => name === VOLUME.trust);
  return { pod, fresh, exemptions, guarded };
}

/** What the pod and its namespace are was judged when the pod was created, and cannot change here. */
function debugFacts(pod: Pod, containers: readonly ContainerFacts[], context: AdmissionContext): PodFacts {
  const namespace = { name: context.namespace.name, labels: {} };
  const { values } = context.settings;
  return { pod: {}, prefix: '', containers, namespace, values, identity: readIdentity(pod) };
}

function prepareFresh({ pod, fresh, exemptions, guarded }: DebugRequest) {
  return (pod.spec?.ephemeralContainers ?? []).map((container) => {
    if (!fresh.some((item) => item.container === container)) return container;
    const { securityContext } = pod.spec ?? {};
    return guarded ? prepareDebug(container, exemptions, securityContext) : hardenContainer(container, exemptions);
  });
}

function namesBefore(request: AdmissionRequest): ReadonlySet<string> {
  const spec = ownField(request.oldObject ?? {}, 'spec');
  const list = isJsonObject(spec) ? ownField(spec, 'ephemeralContainers') : undefined;
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return new Set(items.flatMap((item) => (isJsonObject(item) && typeof item.name === 'string' ? [item.name] : [])));
}
