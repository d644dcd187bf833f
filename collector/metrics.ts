import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** The collector's metrics. Every label set is closed; a chain or pod is never a label. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    batches: new Counter({
      name: 'lazaret_collector_batches_total',
      help: 'Batches from pods by answer.',
      labelNames: ['status'],
      registers,
    }),
    bytes: new Counter({ name: 'lazaret_collector_bytes_total', help: 'Sealed bytes stored.', registers }),
    enrolments: new Counter({
      name: 'lazaret_collector_enrolments_total',
      help: 'Enrolments of pod keys by answer.',
      labelNames: ['status'],
      registers,
    }),
    findings: new Counter({
      name: 'lazaret_collector_findings_total',
      help: 'Chains that did not go on where they ended: gap or fork.',
      labelNames: ['finding'],
      registers,
    }),
    faults: new Counter({
      name: 'lazaret_collector_faults_total',
      help: 'Requests that failed through a fault of ours.',
      registers,
    }),
    build: new Gauge({
      name: 'lazaret_build_info',
      help: 'Version of the running program.',
      labelNames: ['version', 'program'],
      registers,
    }),
  } as const;
}

/** The metrics by name. */
export type Metrics = ReturnType<typeof createMetrics>;
