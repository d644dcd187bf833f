import { Registry } from 'prom-client';
import { createMetrics as collectorMetrics } from '#collector/metrics.ts';
import { createBundleMetrics } from '#controller/bundle/bundle-metrics.ts';
import { createMetrics as controllerMetrics } from '#controller/ops/metrics.ts';
import { createRegisterMetrics } from '#controller/register/register-metrics.ts';
import { createMetrics as sidecarMetrics } from '#sidecar/ops/metrics.ts';

/** A metric that a program exposes: the names of its series, and its own labels. */
export interface Exposed {
  readonly name: string;
  readonly labels: readonly string[];
}

/** Labels that a scrape adds, whatever the metric: where the target is. */
export const TARGET_LABELS: readonly string[] = ['namespace', 'pod', 'job', 'instance', 'service', 'container'];

/** Every series that the programs of the release expose. */
export async function exposedSeries(): Promise<ReadonlyMap<string, readonly string[]>> {
  const bundles = new Registry();
  createBundleMetrics(bundles);
  createRegisterMetrics(bundles);
  const registries = [sidecarMetrics().registry, collectorMetrics().registry, controllerMetrics().registry, bundles];
  const series = new Map<string, readonly string[]>();
  for (const registry of registries)
    for (const metric of await registry.getMetricsAsJSON()) {
      const labels = labelsOf(registry, metric.name);
      if (String(metric.type) !== 'histogram') series.set(metric.name, [...(series.get(metric.name) ?? []), ...labels]);
      else {
        series.set(`${metric.name}_bucket`, [...labels, 'le']);
        for (const ending of ['_sum', '_count']) series.set(metric.name + ending, labels);
      }
    }
  return series;
}

function labelsOf(registry: Registry, name: string): readonly string[] {
  const metric: unknown = registry.getSingleMetric(name);
  const names = (metric as { readonly labelNames?: readonly string[] }).labelNames;
  return names ?? [];
}
