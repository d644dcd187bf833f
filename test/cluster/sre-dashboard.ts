import { z } from 'zod';
import type { Prometheus, Sample } from './sre-prometheus.ts';
import { getObject } from './test-cluster.ts';

const dashboardSchema = z.looseObject({
  panels: z.array(
    z.looseObject({ title: z.string(), targets: z.array(z.looseObject({ expr: z.string() })).default([]) }),
  ),
  templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string() })) }),
});

/** One query of a panel with what Prometheus answers. */
export interface PanelResult {
  readonly title: string;
  readonly expr: string;
  readonly samples: readonly Sample[];
}

/** The dashboard of the release, out of the ConfigMap in which Grafana's sidecar finds it. */
export async function readInstalledDashboard(): Promise<z.infer<typeof dashboardSchema>> {
  const { items } = await getObject(['configmap', '--namespace=lazaret', '--selector=grafana_dashboard=1']);
  const [config] = z.array(z.looseObject({ data: z.record(z.string(), z.string()) })).parse(items);
  return dashboardSchema.parse(JSON.parse(config?.data['lazaret.json'] ?? 'null'));
}

/**
 * Asks every query as Grafana does with all namespaces chosen.
 * @param rateInterval what `$__rate_interval` is: four intervals of the scrape
 */
export async function askPanels(prometheus: Prometheus, rateInterval: string): Promise<readonly PanelResult[]> {
  const { panels } = await readInstalledDashboard();
  const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
  return Promise.all(
    queries.map(async ({ title, expr }) => {
      const filled = expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$namespace', '.*');
      return { title, expr, samples: await prometheus.query(filled) };
    }),
  );
}

/** A result for people: the first few series. */
export function formatResult({ title, expr, samples }: PanelResult): string {
  const series = samples.map(({ metric, value }) => {
    const labels = Object.entries(metric).map(([name, text]) => `${name}="${text}"`);
    return `{${labels.join(',')}} ${Number(Number(value[1]).toPrecision(4))}`;
  });
  const shown = series.slice(0, 3).join('  ');
  return `${title} | ${expr} | ${shown}${series.length > 3 ? `  and ${series.length - 3} more` : ''}`;
}
