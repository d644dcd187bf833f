import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import type { Reason } from '#contract/reason.ts';
import type { ConnectionDecision, ConnectionSighting } from '../policy/connection-decision.ts';
import { approachConnection, decideConnection } from '../policy/decide-connection.ts';
import type { DistrustLog } from './distrust.ts';
import { type EarlyDial, dialEarly } from './early-dial.ts';
import { ACCESS_DENIED, reset, sayFarewell } from './farewell.ts';
import type { Flow } from './flow.ts';
import type { Http1Front } from './http1-front.ts';
import type { HttpHead } from './http-head.ts';
import type { Http2Front } from './http2-front.ts';
import type { LeafCache } from './leaf.ts';
import type { InterceptOptions, RefusalAnswer, RefusedRequest } from './options.ts';
import { discard, peek } from './peek.ts';
import { writeClosingResponse } from './refusal-answer.ts';
import { sightRequest } from './sight.ts';
import { type Following, joinFromClient, splice, tie } from './splice.ts';
import { terminateTls } from './terminate.ts';

/** What every connection of the room shares. */
export interface Room {
  readonly options: InterceptOptions;
  readonly classifyMs: number;
  readonly leafs: LeafCache;
  readonly http1: Http1Front;
  readonly http2: Http2Front;
  readonly distrust: DistrustLog;
  readonly refuse: (request: RefusedRequest, refusal: { readonly reason: Reason }) => RefusalAnswer;
}

const CONNECTED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');
/** A tunnel within a tunnel within a tunnel is somebody hiding something. */
const TUNNELS = 2;
/** A handshake that is completed and dropped within this time without a byte is a client that does not trust us. */
const UNUSED_MS = 1_000;

/**
 * Serves an accepted connection whose destination is known: looks at its first bytes where that is needed, decides, acts.
 * Never rejects; whatever fails ends in a reset.
 */
export async function serveConnection(room: Room, flow: Flow, depth = 0): Promise<void> {
  const approach = approachConnection(room.options.policy(), flow.destination);
  if (approach.look === 'no')
    return await act(room, flow, { decision: approach.decision, early: null, headBytes: 0, depth });
  const fromFirstByte = approach.look === 'dial-first';
  const early = fromFirstByte ? dialEarly(room.options.dial, flow) : null;
  const sighted = await peek(flow.socket, { classifyMs: room.classifyMs, fromFirstByte });
  if (sighted === 'gone') {
    early?.abandon();
    return;
  }
  flow.sight = sighted.sight;
  const decision = decideConnection(room.options.policy(), sightingOf(room, flow));
  await act(room, flow, { decision, early, headBytes: sighted.headBytes, depth });
}

/** The facts of a flow as policy reads them. */
export function sightingOf(room: Room, flow: Flow): ConnectionSighting {
  const monitor = room.options.policy()?.monitor === true;
  return {
    destination: flow.destination,
    sight: flow.sight ?? { kind: 'silent' },
    // Monitor mode stops nothing: a client that keeps turning away from our certificate is let past it.
    canIssue: (host) => room.leafs.permits(host) && !(monitor && room.distrust.isFinding(host)),
  };
}

interface Step {
  readonly decision: ConnectionDecision;
  readonly early: EarlyDial | null;
  readonly headBytes: number;
  readonly depth: number;
}

async function act(room: Room, flow: Flow, step: Step): Promise<void> {
  const { decision, early } = step;
  flow.decision = decision;
  if (decision.action === 'opaque') return await passOpaque(room, flow, early);
  // A server that has spoken cannot be taken back, and no model API speaks first.
  const spoke = early?.abandon() === 'spoke';
  if (spoke && decision.action !== 'refuse') return refuseLate(flow, 'protocol_not_allowed');
  switch (decision.action) {
    case 'refuse':
      return refuse(room, flow, spoke ? { ...decision, form: 'reset' } : decision);
    case 'splice':
      return await spliceNamed(room, flow, decision);
    case 'tunnel':
      return await enterTunnel(room, flow, { ...step, decision });
    case 'terminate':
      return decision.secure ? await terminateSecure(room, flow, decision) : terminateClear(room, flow, decision);
  }
}

function refuse(room: Room, flow: Flow, { reason, form }: ConnectionDecision & { readonly action: 'refuse' }): void {
  if (form === 'reset') return reset(flow.socket);
  if (form === 'alert') return sayFarewell(flow.socket, ACCESS_DENIED);
  const { sight } = flow;
  const request =
    sight?.kind === 'http'
      ? { host: sight.host, method: sight.method, target: sight.path }
      : { host: null, method: null, target: null };
  sayFarewell(flow.socket, writeClosingResponse(room.refuse({ ...request, protocol: 'h1' }, { reason })));
}

function refuseLate(flow: Flow, reason: Reason): void {
  flow.lateReason = reason;
  reset(flow.socket);
}

async function passOpaque(room: Room, flow: Flow, early: EarlyDial | null): Promise<void> {
  const { destination } = flow;
  if (destination === null || !('address' in destination)) return refuseLate(flow, 'internal_error');
  if (early !== null) {
    const upstream = await early.take();
    if (upstream === null) return;
    return connectSides(room, flow, upstream, joinFromClient);
  }
  await dialAndSplice(room, flow, async () => await room.options.dial({ host: null, ...destination }));
}

async function spliceNamed(
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
  const follow = flow.decision !== null && 'follow' in flow.decision && flow.decision.follow;
  join(flow.socket, upstream, follow ? followingOf(room, flow) : null);
}

/** Later requests of a clear connection pass only where the first one would have gone. */
function followingOf(room: Room, flow: Flow): Following {
  const first = flow.decision;
  const judge = (head: HttpHead): boolean => {
    const now = decideConnection(room.options.policy(), { ...sightingOf(room, flow), sight: sightRequest(head) });
    return now.action === first?.action && (!('host' in now) || !('host' in first) || now.host === first.host);
  };
  const onRefused = (): boolean => {
    const goOn = room.options.policy()?.monitor === true;
    if (goOn) flow.lateWould = 'destination_not_allowed';
    else flow.lateReason = 'destination_not_allowed';
    flow.fault = goOn ? null : 'later_request_refused';
    return goOn;
  };
  return { judge, onRefused };
}

async function enterTunnel(
  room: Room,
  flow: Flow,
  step: Step & { readonly decision: { readonly action: 'tunnel' } },
): Promise<void> {
  if (step.depth >= TUNNELS) return refuseLate(flow, 'protocol_not_allowed');
  discard(flow.socket, step.headBytes);
  flow.destination = step.decision.target;
  flow.sight = null;
  await new Promise<void>((resolve) => {
    flow.socket.write(CONNECTED, () => resolve());
  });
  await serveConnection(room, flow, step.depth + 1);
}

function countRequest(flow: Flow): () => void {
  flow.active += 1;
  return () => {
    flow.active -= 1;
  };
}

function terminateClear(
  room: Room,
  flow: Flow,
  { host, port }: ConnectionDecision & { readonly action: 'terminate' },
): void {
  const facts = { id: flow.id, host, port, protocol: 'h1', secure: false } as const;
  flow.socket.allowHalfOpen = false;
  room.http1.accept(flow.socket, { facts, raw: flow.socket, onRequest: () => countRequest(flow) });
  flow.socket.resume();
}

async function terminateSecure(
  room: Room,
  flow: Flow,
  { host, port }: ConnectionDecision & { readonly action: 'terminate' },
): Promise<void> {
  const context = await room.leafs.context(host).catch(() => null);
  if (context === null) {
    flow.lateReason = 'internal_error';
    sayFarewell(flow.socket, ACCESS_DENIED);
    return;
  }
  if (flow.socket.destroyed) return;
  // A client that leaves in the middle of the handshake must not stay half open until the time is over.
  flow.socket.allowHalfOpen = false;
  const outcome = await terminateTls(flow.socket, host, context);
  if (outcome.state === 'failed') {
    flow.fault = outcome.fault;
    if (outcome.sign !== null) room.distrust.note(host, outcome.sign);
    return void flow.socket.destroy();
  }
  const { socket, alpn } = outcome;
  const establishedAt = room.options.now();
  let used = false;
  const onRequest = (): (() => void) => {
    if (!used) room.distrust.forget(host);
    used = true;
    return countRequest(flow);
  };
  socket.on('close', () => {
    if (!used && socket.bytesRead === 0 && room.options.now() - establishedAt < UNUSED_MS)
      room.distrust.note(host, 'unused');
  });
  const protocol = alpn === 'h2' ? 'h2' : 'h1';
  const front = alpn === 'h2' ? room.http2 : room.http1;
  front.accept(socket, { facts: { id: flow.id, host, port, protocol, secure: true }, raw: flow.socket, onRequest });
}
