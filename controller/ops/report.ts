import type { Logger } from 'pino';
import type { Answered } from '../webhook-answer.ts';
import type { Metrics } from './metrics.ts';

/** Counts an answered review and writes its one log line: ids, names and rules, never what the object holds. */
export function reportAdmission(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
  webhook: string,
  { reviewed, request }: Answered,
  seconds: number,
): void {
  const { decision, rules } = reviewed;
  metrics.duration.observe({ webhook: webhook.slice(1) }, seconds);
  if (request?.dryRun === true) metrics.dryRuns.inc({ decision });
  else metrics.admissions.inc({ decision, rule: rules[0] ?? 'none' });
  const { uid = '', namespace = '', resource = '', subResource = '', operation = '', dryRun = false } = request ?? {};
  const ms = Math.round(seconds * 100_000) / 100;
  log.info(
    { webhook: webhook.slice(1), uid, namespace, resource, subResource, operation, decision, rules, dryRun, ms },
    'admission',
  );
}
