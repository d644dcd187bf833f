import type { ConnectionDecision } from '../policy/connection-decision.ts';
import { approachConnection, decideConnection } from '../policy/decide-connection.ts';
import { type EarlyDial, dialEarly } from './early-dial.ts';
import { ACCESS_DENIED, reset, sayFarewell } from './farewell.ts';
import type { Flow } from './flow.ts';
import { passOpaque, spliceNamed } from './pass-connection.ts';
import { discard, peek } from './peek.ts';
import { writeClosingResponse } from './refusal-answer.ts';
import { refuseLate, type Room, sightingOf } from './room.ts';
import { terminateClear, terminateSecure } from './terminate-connection.ts';

const CONNECTED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n');
/** A tunnel within a tunnel within a tunnel is somebody hiding something. */
const TUNNELS = 2;
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
  const spoke = (): boolean => early?.spoke() === true;
  const sighted = await peek(flow.socket, { classifyMs: room.classifyMs, fromFirstByte, spoke });
  if (sighted === 'gone') {
    early?.abandon();
    return;
  }
  flow.sight = sighted.sight;
  flow.lastWords = sighted.lastWords ?? null;
  const decision = decideConnection(room.options.policy(), sightingOf(room, flow));
  await act(room, flow, { decision, early, headBytes: sighted.headBytes, depth });
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
  const asked = sight?.kind === 'http' ? { host: sight.host, target: sight.path } : { host: null, target: null };
  const answer = room.refuse({ connection: null, ...asked, contentType: null }, { reason });
  sayFarewell(flow.socket, writeClosingResponse(answer));
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
