import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import type { ConnectionDecision } from '../policy/connection-decision.ts';
import { decideConnection } from '../policy/decide-connection.ts';
import type { EarlyDial } from './early-dial.ts';
import { reset } from './farewell.ts';
import type { Flow } from './flow.ts';
import type { HttpHead } from './http-head.ts';
import { refuseLate, type Room, sightingOf } from './room.ts';
import { sightRequest } from './sight.ts';
import { type Following, joinFromClient, splice, tie } from './splice.ts';

/** Joins a connection with the address that its client dialled. */
export async function passOpaque(room: Room, flow: Flow, early: EarlyDial | null): Promise<void> {
  const { destination } = flow;
  if (destination === null || !('address' in destination)) return refuseLate(flow, 'internal_error');
  if (early !== null) {
    const upstream = await early.take();
    if (upstream === null) return;
    return connectSides(room, flow, upstream, joinFromClient);
  }
  await dialAndSplice(room, flow, async () => await room.options.dial({ host: null, ...destination }));
}

/** Joins a connection with our own resolution of the name it showed. */
export async function spliceNamed(
  room: Room,
  flow: Flow,
  { host, port }: ConnectionDecision & { readonly action: 'splice' },
): Promise<void> {
  await dialAndSplice(room, flow, async () => {
    // Our own resolution, not the address the client dialled: a forged name must not lead to an address of its choice.
    const until = room.options.now() + LIMIT.upstreamConnectMs;
    for (const address of await room.options.resolve(host)) {
      if (flow.socket.destroyed || room.options.now() > until) break;
      const socket = await room.options.dial({ host, address, port }).catch(() => null);
      if (socket !== null) return socket;
    }
    throw new Error('no address of the destination answers');
  });
}

async function dialAndSplice(room: Room, flow: Flow, dial: () => Promise<Socket>): Promise<void> {
  const upstream = await dial().catch(() => null);
  if (upstream === null) {
    flow.fault = 'upstream_unreachable';
    return reset(flow.socket);
  }
  if (flow.socket.destroyed) return void upstream.destroy();
  connectSides(room, flow, upstream, splice);
}

function connectSides(room: Room, flow: Flow, upstream: Socket, join: typeof splice): void {
  flow.upstream = upstream;
  upstream.setNoDelay(true).setKeepAlive(true, LIMIT.tcpKeepAliveMs);
  tie(flow.socket, upstream);
  if (flow.lastWords !== null) upstream.write(flow.lastWords);
  const follow = flow.decision !== null && 'follow' in flow.decision && flow.decision.follow;
  join(flow.socket, upstream, follow ? followingOf(room, flow) : null);
}

/** Later requests of a clear connection pass only where the first one would have gone. */
function followingOf(room: Room, flow: Flow): Following {
  const first = flow.decision;
  const judge = (head: HttpHead): boolean => {
    const now = decideConnection(room.options.policy(), { ...sightingOf(room, flow), sight: sightRequest(head) });
    if (now.would !== undefined) flow.lateWould = now.would;
    return now.action === first?.action && (!('host' in now) || !('host' in first) || now.host === first.host);
  };
  const onRefused = (): boolean => {
    const goOn = room.options.policy()?.monitor === true;
    if (goOn) flow.lateWould = 'destination_not_allowed';
    else flow.lateReason = 'destination_not_allowed';
    flow.fault = goOn ? null : 'later_request_refused';
    return goOn;
  };
  const kind = flow.sight?.kind;
  return { protocol: kind === 'http2' ? 'h2' : kind === 'line' ? 'line' : 'h1', judge, onRefused };
}
