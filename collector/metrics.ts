import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** The collector's metrics. Every label set is closed; a chain or pod is never a label. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = createCounters(registry);
  // A series that begins with its first finding shows no increase: the alert would come with the second.
  for (const finding of ['gap', 'fork']) counters.findings.inc({ finding }, 0);
  return { registry, ...counters, ...createGauges(registry) } as const;
}

/** The metrics by name. */
export type Metrics = ReturnType<typeof createMetrics>;

function createCounters(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    batches: counter('lazaret_collector_batches_total', 'Batches from pods by answer.', ['status']),
    bytes: counter('lazaret_collector_bytes_total', 'Sealed bytes stored.'),
    enrolments: counter('lazaret_collector_enrolments_total', 'Enrolments of pod keys by answer.', ['status']),
    reviewFaults: counter(
      'lazaret_collector_review_faults_total',
      'Requests that were put off because the API server did not say whose a token is.',
    ),
    findings: counter('lazaret_collector_findings_total', 'Chains that did not go on where they ended: gap or fork.', [
      'finding',
    ]),
    faults: counter('lazaret_collector_faults_total', 'Requests that failed through a fault of ours.'),
  };
}

function createGauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    chains: gauge('lazaret_collector_chains', 'Chains of evidence in the store.'),
    expectedChains: gauge('lazaret_collector_expected_chains', 'Chains that must exist, by the controller.'),
    expectedAge: gauge(
      'lazaret_collector_expected_age_seconds',
      'Age of the signed list of chains that must exist; a controller renews it each minute.',
    ),
    volumeFree: gauge('lazaret_collector_volume_free_bytes', 'Free space on the evidence volume.'),
    volumeSize: gauge('lazaret_collector_volume_size_bytes', 'Size of the evidence volume.'),
    certificateExpiry: gauge(
      'lazaret_certificate_expiry_seconds',
      'Seconds until a certificate in use ends; negative once it has.',
      ['certificate'],
    ),
    build: gauge('lazaret_build_info', 'Version of the running program.', ['version', 'program']),
  };
}
