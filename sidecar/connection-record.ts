import type { ConnectionRecordFacts } from '#contract/record.ts';
import type { ConnectionRecord } from './intercept/options.ts';

/**
 * The audit record of a connection. A terminated one is recorded by its exchanges; one that ended before any exchange
 * could begin leaves nothing to tell of.
 */
export function recordOf(record: ConnectionRecord): ConnectionRecordFacts | null {
  if (record.decision === 'terminate') return null;
  return {
    connection: record.id,
    decision: record.decision,
    reason: record.reason,
    host: record.host,
    listed: record.host !== null,
    address: '',
    port: record.port ?? 0,
  };
}
