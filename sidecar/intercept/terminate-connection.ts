import type { ConnectionDecision } from '../policy/connection-decision.ts';
import { ACCESS_DENIED, sayFarewell } from './farewell.ts';
import type { Flow } from './flow.ts';
import type { Room } from './room.ts';
import { terminateTls } from './terminate.ts';

type Terminate = ConnectionDecision & { readonly action: 'terminate' };

/** A handshake that is completed and dropped within this time without a byte is a client that does not trust us. */
const UNUSED_MS = 1_000;

function countRequest(flow: Flow): () => void {
  flow.active += 1;
  return () => {
    flow.active -= 1;
  };
}

/** Hands a clear HTTP connection to the HTTP/1 front. */
export function terminateClear(room: Room, flow: Flow, { host, port }: Terminate): void {
  const facts = { id: flow.id, host, port, protocol: 'h1', secure: false } as const;
  flow.socket.allowHalfOpen = false;
  room.http1.accept(flow.socket, { facts, raw: flow.socket, onRequest: () => countRequest(flow) });
  flow.socket.resume();
}

/** Shows the client a certificate for the name it asked for, and hands what is inside to the front of its protocol. */
export async function terminateSecure(room: Room, flow: Flow, { host, port }: Terminate): Promise<void> {
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
    if (outcome.fault === 'name_changed') flow.lateReason = 'protocol_not_allowed';
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
