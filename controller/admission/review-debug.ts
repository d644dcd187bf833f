import { VOLUME } from '#contract/labels.ts';
import { allow, type Answer, deny } from './answer.ts';
import { findingOf } from './bypass-rules.ts';
import { judgeEligibility } from './eligibility.ts';
import { findExemptions } from './exemption.ts';
import { hardenContainer } from './harden.ts';
import { prepareDebug } from './inject.ts';
import { readIdentity } from './is-guarded.ts';
import { isJsonObject, keepList, ownField, withField } from './json.ts';
import { diffJson } from './json-patch.ts';
import type { Container } from './pod.ts';
import { listContainers, type PodFacts } from './pod-facts.ts';
import type { AdmissionRequest } from './request.ts';
import type { AdmissionContext } from './review.ts';
import { isReadPod, judgePod, readPod } from './review-pod.ts';

/**
 * Decides an update of a running pod's ephemeral containers (`kubectl debug`). Every rule for containers holds for a new
 * one; those that are there already cannot be changed any more, and nothing else of the pod can change by this door.
 */
export function reviewDebugContainers(request: AdmissionRequest, context: AdmissionContext): Answer {
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
  const facts: PodFacts = {
    pod: { spec: {} },
    prefix: '',
    containers: fresh,
    namespace: { ...namespace, labels: {} },
    values: settings.values,
    identity: readIdentity(pod),
  };
  const findings = judgePod(facts, exemptions);
  if (findings.length > 0)
    return deny(
      request.uid,
      403,
      findings.map((finding) => ({
        ...finding,
        why: `${finding.why} Every rule holds for debug containers too (B-17).`,
      })),
    );
  const guarded = (pod.spec?.volumes ?? []).some(({ name }) => name === VOLUME.trust);
  const prepare = (container: Container) => {
    if (!fresh.some((item) => item.container === container)) return container;
    return guarded ? prepareDebug(container, exemptions) : hardenContainer(container, exemptions);
  };
  const list = pod.spec?.ephemeralContainers ?? [];
  const after = keepList(list, list.map(prepare));
  const patch = diffJson(
    pod,
    after === list ? pod : withField(pod, 'spec', withField(pod.spec ?? {}, 'ephemeralContainers', after)),
  );
  const warnings = guarded
    ? []
    : [`${findingOf('B-21', 'pod').why} This pod has no guard: let its workload replace it.`];
  return allow(request.uid, patch.length === 0 ? 'unchanged' : 'injected', patch, warnings);
}

function namesBefore(request: AdmissionRequest): ReadonlySet<string> {
  const spec = ownField(request.oldObject ?? {}, 'spec');
  const list = isJsonObject(spec) ? ownField(spec, 'ephemeralContainers') : undefined;
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  return new Set(items.flatMap((item) => (isJsonObject(item) && typeof item.name === 'string' ? [item.name] : [])));
}
