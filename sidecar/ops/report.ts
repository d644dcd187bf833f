import type { Logger } from 'pino';
import type { ExchangeReport } from '../exchange/exchange-ports.ts';
import type { ConnectionRecord } from '../intercept/options.ts';
import type { Metrics } from './metrics.ts';

const STAGES = ['read', 'redact', 'record', 'restore'] as const;

/** Counts an exchange and writes its one canonical log line: closed words, numbers and our own ids only. */
export function reportExchange(metrics: Metrics, log: Logger, report: ExchangeReport): void {
  const { provider, dialect, durations, counts } = report;
  const decision = report.mode === 'monitor' ? 'monitor' : report.outcome === 'not_sent' ? 'refuse' : 'allow';
  metrics.exchanges.inc({ provider, dialect, decision });
  if (report.reason !== null) metrics.refusals.inc({ reason: report.reason });
  for (const [entity, count] of Object.entries(counts)) metrics.redactions.inc({ entity }, count);
  metrics.droppedFields.inc(report.droppedFields);
  metrics.duration.observe({ provider }, durations.total / 1_000);
  for (const stage of STAGES) if (durations[stage] > 0) metrics.overhead.observe({ stage }, durations[stage] / 1_000);
  const { exchange, connection, host, mode, reason, would, agreement, outcome, status, stream, restored, bytes } =
    report;
  const identifiers = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const ms = Object.fromEntries(
    Object.entries(durations).map(([stage, value]) => [stage, Math.round(value * 100) / 100]),
  );
  log.info(
    {
      exchange,
      connection,
      provider,
      host: provider === 'unknown' ? 'unlisted' : host,
      dialect,
      decision,
      mode,
      reason,
      would,
      agreement,
      outcome,
      status,
      stream,
      identifiers,
      restored,
      bytes,
      ms,
    },
    'exchange',
  );
}

/** Counts a connection and writes its log line. A name that nobody listed is the caller's invention: it has no way here. */
export function reportConnection(metrics: Metrics, log: Logger, record: ConnectionRecord): void {
  metrics.connections.inc({ decision: record.decision });
  // A connection that was passed at first may be refused later: a later request, a changed name.
  if (record.reason !== null) metrics.refusals.inc({ reason: record.reason });
  if (record.decision === 'terminate' && record.fault === null) return;
  const { asked: _asked, address: _address, ...line } = record;
  log.info(line, 'connection');
}
