import { CONTAINER } from '#contract/labels.ts';
import type { Exemptions } from './exemption.ts';
import { findBypasses } from './bypass-rules.ts';
import { fieldOf, type PodFacts } from './pod-facts.ts';
import { mergeTrustEnvironment } from './trust-environment.ts';
import { isOurMount } from './trust-mount.ts';

/** A shorter time leaves the sidecar none to ship its evidence after the application has ended. */
const GRACE_SECONDS = 10;

/** What the author should know of a pod that is let through. */
export function warningsFor(facts: PodFacts, exemptions: Exemptions): readonly string[] {
  return [...exemptionWarnings(facts, exemptions), ...graceWarnings(facts), ...containerWarnings(facts)];
}

function exemptionWarnings(facts: PodFacts, exemptions: Exemptions): readonly string[] {
  if (exemptions.size === 0) return [];
  const used = new Set(
    findBypasses(facts)
      .map(({ id }) => id)
      .filter((id) => exemptions.has(id)),
  );
  return [...exemptions]
    .filter(([id]) => used.has(id) || id === 'B-04')
    .map(([id, name]) => `rule ${id} is not kept: GuardExemption ${name} accepts the risk`);
}

function graceWarnings(facts: PodFacts): readonly string[] {
  const seconds = facts.pod.spec?.terminationGracePeriodSeconds;
  if (typeof seconds !== 'number' || seconds >= GRACE_SECONDS) return [];
  return [
    `${fieldOf(facts, 'spec.terminationGracePeriodSeconds')} below ${GRACE_SECONDS} leaves ${CONTAINER.sidecar} little time to ship its evidence`,
  ];
}

function containerWarnings({ containers, values }: PodFacts): readonly string[] {
  return containers.flatMap(({ field, container }) => {
    const { replaced } = mergeTrustEnvironment(container.env ?? []);
    const covered = (container.volumeMounts ?? []).filter(
      (mount) => !isOurMount(mount) && values.admission.overlayPaths.includes(mount.mountPath ?? ''),
    );
    return [
      ...(replaced.length === 0
        ? []
        : [
            `${field}: ${replaced.join(', ')} now name the guard's trust files; roots that they named belong in the chart's admission.extraRootsConfigMap`,
          ]),
      ...covered.map(
        ({ mountPath }) =>
          `${field}: the container's own mount at ${mountPath ?? ''} is kept, so clients that read it do not trust the guard`,
      ),
      ...((container.envFrom ?? []).length === 0
        ? []
        : [
            `${field}: trust variables such as SSL_CERT_FILE or JAVA_TOOL_OPTIONS that envFrom brings give way to the guard's`,
          ]),
    ];
  });
}
