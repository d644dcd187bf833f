import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The controller's metrics. Rules, decisions and codes are closed lists; namespaces and agreements are the operator's names. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const make = metricsOf(registry);
  return {
    registry,
    ...createReviewMetrics(registry, make),
    ...createReleaseMetrics(make),
    ...createUpkeepMetrics(make),
  } as const;
}

/** The metrics by name. */
export type Metrics = ReturnType<typeof createMetrics>;

type Make = ReturnType<typeof metricsOf>;

function metricsOf(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return { counter, gauge };
}

function createReviewMetrics(registry: Registry, { counter }: Make) {
  return {
    admissions: counter(
      'lazaret_admissions_total',
      'Answered reviews by decision and first broken rule, without dry runs.',
      ['decision', 'rule'],
    ),
    dryRuns: counter('lazaret_admission_dry_runs_total', 'Answered reviews of dry runs by decision.', ['decision']),
    refusals: counter(
      'lazaret_admission_refusals_total',
      'Requests to the webhook without a decision, by HTTP status; 0 is a failed handshake.',
      ['status'],
    ),
    duration: new Histogram({
      name: 'lazaret_admission_duration_seconds',
      help: 'From the complete body of a review to its answer, by webhook.',
      labelNames: ['webhook'],
      buckets: SECONDS,
      registers: [registry],
    }),
  };
}

function createReleaseMetrics({ gauge }: Make) {
  return {
    guardedPods: gauge('lazaret_guarded_pods', 'Pods that have not ended and carry a guard, by namespace.', [
      'namespace',
    ]),
    unguardedPods: gauge(
      'lazaret_unguarded_phi_pods',
      'PHI-bearing pods that have not ended and carry no guard, by namespace: made before the label, or while admission was off.',
      ['namespace'],
    ),
    agreementExpiry: gauge(
      'lazaret_agreement_expiry_seconds',
      'Seconds until an agreement ends; negative once it has.',
      ['agreement'],
    ),
    certificateExpiry: gauge(
      'lazaret_certificate_expiry_seconds',
      'Seconds until a certificate of the release ends: serving, authority, collector.',
      ['certificate'],
    ),
  };
}

function createUpkeepMetrics({ counter, gauge }: Make) {
  return {
    watchFaults: counter(
      'lazaret_watch_faults_total',
      'Lists and watches of the API server that failed, by resource.',
      ['resource'],
    ),
    servingFaults: counter('lazaret_serving_faults_total', 'Failed steps of the upkeep of keys and certificates.', [
      'part',
    ]),
    listsFault: gauge(
      'lazaret_lists_fault',
      'Whether the lists of the release cannot be used; guarded pods then refuse everything.',
      [],
    ),
    repairs: gauge('lazaret_ca_bundle_writes', 'Webhooks whose caBundle this replica has written since its start.', []),
    evaluation: gauge(
      'lazaret_evaluation',
      'Whether audit keys were made in the cluster: evidence can then be read there, which is for trying out only.',
      [],
    ),
    synced: gauge('lazaret_synced', 'Whether the controller has read the cluster.', []),
    leader: gauge('lazaret_leader', 'Whether this replica is the leader.', []),
    build: gauge('lazaret_build_info', 'Version of the running program.', ['version', 'program']),
  };
}
