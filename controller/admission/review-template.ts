import { LABEL } from '#contract/labels.ts';
import { allow, type Answer, warningOf } from './answer.ts';
import { readAuthorOptions } from './author-options.ts';
import { findingOf } from './bypass-rules.ts';
import { judgeEligibility } from './eligibility.ts';
import { findExemptions } from './exemption.ts';
import { isJsonObject, type JsonObject, ownField } from './json.ts';
import { listContainers, type PodFacts } from './pod-facts.ts';
import { checkPodShape, isPod } from './pod-shape.ts';
import type { AdmissionRequest } from './request.ts';
import type { AdmissionContext } from './review.ts';
import { judgePod } from './review-pod.ts';
import type { Finding } from './rule.ts';
import { warningsFor } from './warning.ts';

/** Where the pod template stands in each kind of workload. */
export const TEMPLATE_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ['apps/deployments', ['spec', 'template']],
  ['apps/statefulsets', ['spec', 'template']],
  ['apps/daemonsets', ['spec', 'template']],
  ['batch/jobs', ['spec', 'template']],
  ['batch/cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
]);

/**
 * Tells the author of a workload at apply what its pods will meet. It never denies: the pods are judged when they are
 * created, and a workload must not wait for us.
 */
export function reviewTemplate(request: AdmissionRequest, context: AdmissionContext): Answer {
  const path = TEMPLATE_PATHS.get(`${request.group}/${request.resource}`) ?? [];
  const template = path.reduce<unknown>(
    (object, field) => (isJsonObject(object) ? ownField(object, field) : undefined),
    request.object,
  );
  if (!isJsonObject(template)) return allow(request.uid, 'not-ours', [], []);
  const judged = judgeTemplate(template, `${path.join('.')}.`, context);
  if (judged === null)
    return allow(request.uid, 'not-ours', [], labelWarnings(request.object, template, `${path.join('.')}.`));
  return allow(request.uid, 'warned', [], [...judged.findings.map(warningOf), ...judged.warnings]);
}

/** A PHI label on the workload itself guards nothing: it is the pods that are asked. */
function labelWarnings(workload: JsonObject | null, template: JsonObject, prefix: string): readonly string[] {
  const [onWorkload, onPods] = [workload ?? {}, template].map((object) => {
    const metadata = ownField(object, 'metadata');
    const labels = isJsonObject(metadata) ? ownField(metadata, 'labels') : undefined;
    return isJsonObject(labels) ? ownField(labels, LABEL.phi) : undefined;
  });
  if (onWorkload !== 'true' || onPods !== undefined) return [];
  return [
    `the workload is labelled ${LABEL.phi}, its pods are not, and run without a guard: write the label in ${prefix}metadata.labels`,
  ];
}

function judgeTemplate(
  template: JsonObject,
  prefix: string,
  context: AdmissionContext,
): { readonly findings: readonly Finding[]; readonly warnings: readonly string[] } | null {
  const { settings, namespace } = context;
  if (!isPod(template)) {
    return {
      findings: checkPodShape(template, prefix).map(({ field, expected }) =>
        findingOf('B-27', field, `it must be ${expected}.`),
      ),
      warnings: [],
    };
  }
  const eligibility = judgeEligibility(template, namespace, settings.values.releaseNamespace, prefix);
  if (eligibility.kind === 'refuse') return { findings: eligibility.findings, warnings: [] };
  if (eligibility.kind === 'not-ours')
    return eligibility.warnings.length === 0 ? null : { findings: [], warnings: eligibility.warnings };
  const exemptions = findExemptions(context.exemptions, namespace.name, template, context.now);
  const containers = listContainers(template, prefix);
  const facts: PodFacts = { pod: template, prefix, containers, namespace, values: settings.values, identity: null };
  const read = readAuthorOptions(template, settings.values.sidecar, prefix);
  return {
    findings: [...judgePod(facts, exemptions), ...(read.ok ? [] : read.findings)],
    warnings: warningsFor(facts, exemptions),
  };
}
