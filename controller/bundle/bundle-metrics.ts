import { Counter, Gauge, type Registry } from 'prom-client';

/** How a request for a bundle ended. */
export type BundleOutcome =
  | 'bundle'
  | 'unchanged'
  | 'unreadable'
  | 'unproven'
  | 'unguarded'
  | 'unknown_pod'
  | 'not_ready'
  | 'behind'
  | 'busy'
  | 'fault'
  | 'left';

/** The bundle server's metrics. Every label set is closed; a pod or namespace is never a label. */
export interface BundleMetrics {
  readonly requests: Counter<'outcome'>;
  /** Says where the number of held callers is to be had at a scrape. */
  countCallers(count: () => number): void;
}

/** Makes the metrics in a registry. */
export function createBundleMetrics(registry: Registry): BundleMetrics {
  const registers = [registry];
  let held = (): number => 0;
  const callers: Gauge = new Gauge({
    name: 'lazaret_bundle_callers',
    help: 'Sidecars whose request is held until policy changes or its wait ends.',
    registers,
    collect: () => callers.set(held()),
  });
  return {
    requests: new Counter({
      name: 'lazaret_bundle_requests_total',
      help: 'Requests of sidecars for policy bundles by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    countCallers: (count) => {
      held = count;
    },
  };
}
