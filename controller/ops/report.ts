import type { Logger } from 'pino';
import type { ReleaseListsOptions } from '../lists/release-lists.ts';
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

/** Logs what becomes of the deployer's lists: numbers by kind, names of files, and nothing that stands in them. */
export function reportLists(log: Logger): Required<Pick<ReleaseListsOptions, 'onLoad' | 'onFault'>> {
  return {
    onLoad: ({ tables, entities, bytes }) => log.info({ event: 'lists', tables, entities, bytes }, 'lists in force'),
    onFault: (problem) =>
      log.error({ event: 'lists_fault', problem }, 'the lists cannot be used: guarded pods refuse everything'),
  };
}
