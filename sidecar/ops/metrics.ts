import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/**
 * The sidecar's metrics. Every label set is closed: providers come from the register, entities and reasons from the
 * catalogues in contract/. A host, path, user or model that a caller can invent is never a label.
 */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, ...createCounters(registry), ...createHistograms(registry), ...createGauges(registry) } as const;
}

/** The metrics by name. */
export type Metrics = ReturnType<typeof createMetrics>;

function createCounters(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    exchanges: counter('lazaret_exchanges_total', 'LLM exchanges by provider, dialect and decision.', [
      'provider',
      'dialect',
      'decision',
    ]),
    connections: counter('lazaret_connections_total', 'Outbound connections by decision.', ['decision']),
    refusals: counter('lazaret_refusals_total', 'Refused connections and exchanges by reason.', ['reason']),
    redactions: counter('lazaret_redactions_total', 'Identifiers replaced by surrogates, by kind.', ['entity']),
    distrust: counter(
      'lazaret_client_distrust_total',
      'Connections that a client broke off because it does not trust the pod CA (pinning or vendored roots).',
      [],
    ),
    droppedFields: counter(
      'lazaret_dropped_header_fields_total',
      'Request header fields not passed on to a provider because they are not part of its API.',
      [],
    ),
  };
}

function createHistograms(registry: Registry) {
  const histogram = <L extends string>(name: string, help: string, label: L) =>
    new Histogram<L>({ name, help, labelNames: [label], buckets: SECONDS, registers: [registry] });
  return {
    duration: histogram(
      'lazaret_exchange_duration_seconds',
      'Time from the request head to the end of the answer, the provider included.',
      'provider',
    ),
    overhead: histogram(
      'lazaret_overhead_seconds',
      'Time that the guard itself adds to an exchange, by stage.',
      'stage',
    ),
  };
}

function createGauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    holdback: gauge(
      'lazaret_stream_holdback_chars',
      'Characters held in open streams because a surrogate may still be completing.',
    ),
    spoolBytes: gauge('lazaret_spool_bytes', 'Audit records on disk that the collector has not confirmed yet.'),
    spoolLimit: gauge('lazaret_spool_limit_bytes', 'Size of a full spool; from 85 % of it new exchanges are refused.'),
    auditLag: gauge(
      'lazaret_audit_lag_seconds',
      'Age of the oldest audit record that the collector has not confirmed.',
    ),
    policySerial: gauge('lazaret_policy_serial', 'Revision of the policy bundle in force.'),
    policyAge: gauge('lazaret_policy_age_seconds', 'Age of the policy bundle in force; older than 24 h refuses.'),
    agreementExpiry: gauge(
      'lazaret_agreement_expiry_seconds',
      'Seconds until an agreement ends; negative once it has.',
      ['agreement'],
    ),
    foreignSockets: gauge(
      'lazaret_foreign_sockets',
      'Open sockets under the sidecar uid that are not the sidecar; while there is one everything is refused.',
    ),
    build: gauge('lazaret_build_info', 'Version of the running program.', ['version', 'program']),
  };
}
