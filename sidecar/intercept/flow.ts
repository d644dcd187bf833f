import type { Socket } from 'node:net';
import type { Host } from '#contract/brand.ts';
import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import { hostMatches } from '#contract/host.ts';
import { Phi } from '#contract/phi.ts';
import { lookupHost } from '#contract/register.ts';
import type { Reason } from '#contract/reason.ts';
import { classifyAddress } from '../policy/address.ts';
import type { ConnectionDecision, Destination, Sight } from '../policy/connection-decision.ts';
import type { ConnectionFault, ConnectionRecord } from './options.ts';

/** One accepted connection from its first byte to its last. */
export interface Flow {
  readonly id: number;
  readonly socket: Socket;
  readonly startedAt: number;
  destination: Destination | null;
  sight: Sight | null;
  decision: ConnectionDecision | null;
  /** What the client said before it ended its side: no longer to be read from it. */
  lastWords: Buffer | null;
  /** The spliced other side. */
  upstream: Socket | null;
  fault: ConnectionFault | null;
  /** A refusal after the decision: a later request, a fault of ours. */
  lateReason: Reason | null;
  lateWould: Reason | null;
  /** Requests that are being answered. */
  active: number;
}

/** @param startedAt milliseconds since the epoch */
export function openFlow(id: number, socket: Socket, startedAt: number): Flow {
  return {
    id,
    socket,
    startedAt,
    destination: null,
    sight: null,
    decision: null,
    lastWords: null,
    upstream: null,
    fault: null,
    lateReason: null,
    lateWould: null,
    active: 0,
  };
}

/** What the connection leaves behind. @returns null for one that closed before anything was decided */
export function recordFlow(flow: Flow, policy: ConnectionPolicy | null, now: number): ConnectionRecord | null {
  const { decision, destination, sight } = flow;
  if (decision === null || decision.action === 'tunnel') return null;
  const host = nameOf(flow);
  const reason = flow.lateReason ?? (decision.action === 'refuse' ? decision.reason : null);
  return {
    id: flow.id,
    decision: decision.action,
    check: decision.check,
    reason,
    would: flow.lateWould ?? decision.would ?? null,
    ...classifyHost(host, policy),
    asked: host === null ? null : new Phi(host),
    address: destination !== null && 'address' in destination ? destination.address : null,
    side: sideOf(destination, policy),
    port: destination?.port ?? null,
    sight: sight?.kind ?? 'none',
    fault: flow.fault,
    bytesIn: flow.socket.bytesRead,
    bytesOut: flow.socket.bytesWritten,
    durationMs: now - flow.startedAt,
  };
}

function nameOf({ decision, sight, destination }: Flow): Host | null {
  if (decision !== null && 'host' in decision) return decision.host;
  if (sight !== null && 'host' in sight && sight.host !== null) return sight.host;
  return destination !== null && 'host' in destination ? destination.host : null;
}

function classifyHost(
  host: Host | null,
  policy: ConnectionPolicy | null,
): Pick<ConnectionRecord, 'host' | 'hostClass'> {
  if (host === null) return { host: null, hostClass: 'none' };
  const find = (patterns: readonly string[] = []): string | undefined =>
    patterns.find((pattern) => hostMatches(pattern, host));
  const agreed = find(policy?.agreementHosts);
  if (agreed !== undefined) return { host: agreed, hostClass: 'agreement' };
  const row = lookupHost(host);
  if (row !== null) return { host: row.pattern, hostClass: row.kind };
  const listed = find(policy?.destinations);
  return listed === undefined ? { host: null, hostClass: 'unlisted' } : { host: listed, hostClass: 'listed' };
}

function sideOf(destination: Destination | null, policy: ConnectionPolicy | null): ConnectionRecord['side'] {
  if (destination === null || 'host' in destination) return 'named';
  return classifyAddress(destination.address, policy?.clusterCidrs ?? []);
}
