import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const CHART = join(import.meta.dirname, '../../charts/lazaret');

const ruleSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
});
const rulesSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(ruleSchema) })),
});
const valuesSchema = z.looseObject({
  alerts: z.looseObject({
    runbookUrl: z.string(),
    thresholds: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
});

/** One alert. */
export type Rule = z.infer<typeof ruleSchema>;

/** The chart's values for alerts. */
export function alertValues(): z.infer<typeof valuesSchema>['alerts'] {
  return valuesSchema.parse(parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))).alerts;
}

/** The file of the alerts as it stands in the chart. */
export function ruleText(): string {
  return readFileSync(join(CHART, 'files/alerts/rules.yaml'), 'utf8');
}

/** The alerts with the thresholds of values.yaml, as the chart writes them. */
export function readRules(): z.infer<typeof rulesSchema> {
  let text = ruleText();
  for (const [name, value] of Object.entries(alertValues().thresholds))
    text = text.replaceAll(`@${name}@`, String(value));
  return rulesSchema.parse(parse(text));
}

/** Every alert of the chart. */
export function allRules(): readonly Rule[] {
  return readRules().groups.flatMap(({ rules }) => rules);
}

/** The dashboard's JSON. */
export function dashboardText(): string {
  return readFileSync(join(CHART, 'files/dashboard/lazaret.json'), 'utf8');
}
