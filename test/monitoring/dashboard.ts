import { z } from 'zod';
import { dashboardText } from './rules.ts';

const panelSchema = z.looseObject({
  id: z.number(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.looseObject({ refId: z.string(), expr: z.string().min(1) })).default([]),
});
const dashboardSchema = z.looseObject({ uid: z.string(), title: z.string(), panels: z.array(panelSchema) });

/** The dashboard as Grafana reads it. */
export function readDashboard(): z.infer<typeof dashboardSchema> {
  return dashboardSchema.parse(JSON.parse(dashboardText()));
}

/** Every query of the dashboard with Grafana's variables filled in. */
export function queriesOf(): readonly string[] {
  return readDashboard().panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', '.*')),
  );
}
