import { ANNOTATION, CONTAINER, LABEL } from '#contract/labels.ts';
import { allow, type Answer, deny } from './answer.ts';
import { readAuthorOptions } from './author-options.ts';
import { findBypasses, findingOf } from './bypass-rules.ts';
import { judgeEligibility, lacksLabel } from './eligibility.ts';
import { type Exemptions, findExemptions } from './exemption.ts';
import { deriveIdentity, type SidecarIdentity } from './identity.ts';
import { injectGuard } from './inject.ts';
import { findGaps, isGuarded } from './is-guarded.ts';
import type { JsonObject } from './json.ts';
import { diffJson } from './json-patch.ts';
import { hashAuthor, type MarkContext, readMark, writeMark } from './mark.ts';
import type { Pod } from './pod.ts';
import { type ContainerFacts, listContainers, listOwners, type PodFacts } from './pod-facts.ts';
import { checkPodShape, isPod } from './pod-shape.ts';
import type { AdmissionRequest } from './request.ts';
import type { AdmissionContext } from './review.ts';
import type { Finding } from './rule.ts';
import { warningsFor } from './warning.ts';

const COPIED = `the pod holds parts of another pod's guard and had no label ${LABEL.phi}: it is labelled and guarded anew`;

/** Decides the creation of a pod: guarded completely, denied with the remedy, or not ours. */
export function reviewPod(request: AdmissionRequest, context: AdmissionContext): Answer {
  const { settings, namespace } = context;
  const pod = readPod(request.object);
  if (!isReadPod(pod)) return deny(request.uid, 403, pod);
  const eligibility = judgeEligibility(pod, namespace, settings.values.releaseNamespace, '');
  if (eligibility.kind === 'not-ours') return allow(request.uid, 'not-ours', [], eligibility.warnings);
  if (eligibility.kind === 'refuse') return deny(request.uid, 403, eligibility.findings);
  const exemptions = findExemptions(context.exemptions, namespace.name, pod, context.now);
  const containers = listContainers(pod, '');
  const { identity, mark } = identify(pod, containers, request, context);
  const facts: PodFacts = { pod, prefix: '', containers, namespace, values: settings.values, identity };
  const read = readAuthorOptions(pod, settings.values.sidecar, '');
  const findings = [...judgePod(facts, exemptions), ...(read.ok ? [] : read.findings)];
  if (findings.length > 0 || identity === null || !read.ok)
    return deny(request.uid, 403, findings.length > 0 ? findings : [tooManyOwners()]);
  const label = lacksLabel(pod, namespace);
  const guarded = injectGuard(pod, { settings, identity, options: read.options, exemptions, mark, label });
  // Not trusted to be right: what the webhook lets through is what the promise says, or nothing.
  if (findGaps(guarded, { settings, namespace, exemptions }).length > 0)
    return deny(request.uid, 500, [findingOf('ADM-39', 'spec')]);
  const patch = diffJson(pod, guarded);
  const warnings = [...(label ? [COPIED] : []), ...warningsFor(facts, exemptions)];
  return allow(request.uid, patch.length === 0 ? 'unchanged' : 'injected', patch, warnings);
}

/** Checks what became of a pod after all mutation. */
export function reviewPodOutcome(request: AdmissionRequest, context: AdmissionContext): Answer {
  const { settings, namespace } = context;
  const pod = readPod(request.object);
  if (!isReadPod(pod)) return deny(request.uid, 403, pod);
  const eligibility = judgeEligibility(pod, namespace, settings.values.releaseNamespace, '');
  if (eligibility.kind === 'refuse') return deny(request.uid, 403, eligibility.findings);
  if (eligibility.kind === 'not-ours') return allow(request.uid, 'not-ours', [], []);
  if (lacksLabel(pod, namespace)) return deny(request.uid, 403, [findingOf('B-39', 'metadata.labels')]);
  const exemptions = findExemptions(context.exemptions, namespace.name, pod, context.now);
  const gaps = findGaps(pod, { settings, namespace, exemptions });
  const other = context.previous ?? [];
  const known = gaps.length > 0 && other.some((settings) => isGuarded(pod, { settings, namespace, exemptions }));
  return gaps.length === 0 || known ? allow(request.uid, 'unchanged', [], []) : deny(request.uid, 403, gaps);
}

/** The broken rules that no exemption lifts. */
export function judgePod(facts: PodFacts, exemptions: Exemptions): readonly Finding[] {
  return findBypasses(facts).filter(({ id }) => !exemptions.has(id));
}

/** @returns the object as a pod, or a finding for each field that has the wrong type */
export function readPod(object: JsonObject | null): Pod | readonly Finding[] {
  if (object === null) return [findingOf('B-27', 'object', 'the review holds no object.')];
  if (isPod(object)) return object;
  return checkPodShape(object, '').map(({ field, expected }) => findingOf('B-27', field, `it must be ${expected}.`));
}

export function isReadPod(read: Pod | readonly Finding[]): read is Pod {
  return !Array.isArray(read);
}

/** The identity that a valid mark vouches for, or a new one with a new mark. */
function identify(
  pod: Pod,
  containers: readonly ContainerFacts[],
  request: AdmissionRequest,
  context: AdmissionContext,
): { readonly identity: SidecarIdentity | null; readonly mark: string } {
  const bound = markContext(pod, containers, request, context);
  const annotations = pod.metadata?.annotations ?? {};
  const found = Object.hasOwn(annotations, ANNOTATION.mark) ? (annotations[ANNOTATION.mark] ?? undefined) : undefined;
  const known = readMark(context.key, found, bound, context.now);
  if (known !== null) return { identity: known, mark: found ?? '' };
  const identity = deriveIdentity(context.key, request.uid, listOwners(pod, containers));
  return { identity, mark: identity === null ? '' : writeMark(context.key, identity, bound, context.now) };
}

function markContext(
  pod: Pod,
  containers: readonly ContainerFacts[],
  request: AdmissionRequest,
  { namespace, settings }: AdmissionContext,
): MarkContext {
  return {
    namespace: namespace.name,
    name: pod.metadata?.name ?? '',
    generateName: pod.metadata?.generateName ?? '',
    requester: request.requester,
    dryRun: request.dryRun,
    author: hashAuthor(containers),
    config: settings.config,
  };
}

function tooManyOwners(): Finding {
  return findingOf('B-01', 'spec', `it names so many users and groups that none is left for ${CONTAINER.sidecar}.`);
}
