import { Counter, Gauge, type Registry } from 'prom-client';
import { LIMIT } from '#contract/limit.ts';

/** The metrics of the register of chains. */
export interface RegisterMetrics {
  readonly chains: Gauge;
  /** When the list was last taken by the collector, seconds since the epoch. */
  readonly written: Gauge;
  readonly faults: Counter;
  readonly refused: Counter;
}

/** Makes the metrics in a registry. */
export function createRegisterMetrics(registry: Registry): RegisterMetrics {
  const registers = [registry];
  new Gauge({ name: 'lazaret_expected_chains_limit', help: 'Most chains that the register takes.', registers }).set(
    LIMIT.expectedChains,
  );
  return {
    chains: new Gauge({ name: 'lazaret_expected_chains', help: 'Chains of evidence that must exist.', registers }),
    written: new Gauge({
      name: 'lazaret_expected_chains_written_timestamp_seconds',
      help: 'When the collector last took the list of chains that must exist.',
      registers,
    }),
    faults: new Counter({
      name: 'lazaret_register_faults_total',
      help: 'Rounds in which the list of chains could not be read or written.',
      registers,
    }),
    refused: new Counter({
      name: 'lazaret_expected_chains_refused_total',
      help: 'Times that a chain could not be added because the register is full.',
      registers,
    }),
  };
}
