import type { ConnectionRecordFacts } from '#contract/record.ts';
import type { ConnectionRecord } from './intercept/options.ts';

/**
 * The audit record of a connection: under monitor with the reason that enforce would have had. A terminated connection is
 * recorded by its exchanges, unless it was refused before it could carry one.
 */
export function recordOf(record: ConnectionRecord): ConnectionRecordFacts | null {
  const { id, decision, reason, would, host, asked, address, port } = record;
  if (decision === 'terminate' && reason === null) return null;
  return {
    connection: id,
    decision: decision === 'terminate' ? 'refuse' : decision,
    reason: reason ?? would,
    host: host ?? asked?.reveal() ?? null,
    listed: host !== null,
    address: address ?? '',
    port: port ?? 0,
  };
}
