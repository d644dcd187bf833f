import type { PolicyLists } from '#contract/lists-protocol.ts';
import { judgeEligibility } from '../admission/eligibility.ts';
import type { PolicyCache } from '../policy/policy-cache.ts';
import type { ClusterView } from '../ports.ts';
import type { Metrics } from './metrics.ts';

/** What is measured at the moment of a scrape. */
export interface GaugeSources {
  readonly view: ClusterView;
  readonly policies: PolicyCache;
  readonly releaseNamespace: string;
  readonly now: () => number;
  /** Ends of the release's certificates, ms; null where one is not known. */
  readonly certificates: () => Readonly<Record<'serving' | 'authority' | 'collector', number | null>>;
  readonly repairs: () => number;
  readonly isLeader: () => boolean;
  readonly isEvaluation: () => boolean;
  /** What policy says of the deployer's lists. */
  readonly lists: () => PolicyLists | undefined;
}

const ENDED: readonly string[] = ['Succeeded', 'Failed'];

/** Sets the gauges. What left the cluster loses its series. */
export function updateGauges(metrics: Metrics, sources: GaugeSources): void {
  const { view, now } = sources;
  metrics.synced.set(view.synced() ? 1 : 0);
  metrics.leader.set(sources.isLeader() ? 1 : 0);
  metrics.evaluation.set(sources.isEvaluation() ? 1 : 0);
  const lists = sources.lists();
  metrics.listsFault.set(lists !== undefined && 'fault' in lists ? 1 : 0);
  metrics.repairs.set(sources.repairs());
  metrics.certificateExpiry.reset();
  for (const [certificate, end] of Object.entries(sources.certificates()))
    if (end !== null) metrics.certificateExpiry.set({ certificate }, (end - now()) / 1_000);
  metrics.agreementExpiry.reset();
  for (const { metadata, spec } of sources.policies.judge(view.policy()).source.agreements) {
    const end = spec.contract?.expiresOn ?? null;
    if (end !== null) metrics.agreementExpiry.set({ agreement: metadata.name }, (end - now()) / 1_000);
  }
  updatePodGauges(metrics, sources);
}

function updatePodGauges(metrics: Metrics, { view, releaseNamespace }: GaugeSources): void {
  metrics.guardedPods.reset();
  metrics.unguardedPods.reset();
  for (const pod of view.pods()) {
    if (ENDED.includes(pod.phase)) continue;
    const namespace = view.namespace(pod.namespace);
    if (namespace === null) continue;
    const { kind } = judgeEligibility({ metadata: { labels: pod.labels } }, namespace, releaseNamespace, '');
    if (kind === 'not-ours') continue;
    // Both, so that none is told as 0 and a panel of a quiet cluster is not an empty one.
    const isGuarded = pod.chain !== null;
    metrics.guardedPods.inc({ namespace: pod.namespace }, isGuarded ? 1 : 0);
    metrics.unguardedPods.inc({ namespace: pod.namespace }, isGuarded ? 0 : 1);
  }
}
