import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Upstream } from './options.ts';

/**
 * Serves a listener that lives in the pod's outer network from the caller's own network: each connection is carried to
 * the upstream of the address it was made to. An address without one, or an upstream that cannot be reached, is a reset.
 * @param listener accepts with the original destination as its local address
 * @param byAddress the upstream of each address
 */
export function relayConnections(listener: Server, byAddress: ReadonlyMap<string, Upstream>): Server {
  // A server of our own around the same listener: the one that came over the channel would close half-closed sockets.
  return createServer({ allowHalfOpen: true }, (inner) => {
    const upstream = byAddress.get(plainAddress(inner.localAddress ?? ''));
    inner.on('error', () => undefined);
    if (upstream === undefined) {
      inner.resetAndDestroy();
      return;
    }
    const outer = connect({ host: upstream.address, port: upstream.port, allowHalfOpen: true, noDelay: true });
    inner.setNoDelay(true);
    carry(inner, outer);
    carry(outer, inner);
  }).listen(listener);
}

/** Half-closes, resets and back-pressure pass, so that a fault of the provider looks the same inside the pod. */
function carry(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.resetAndDestroy());
  from.on('close', (broken) => {
    if (broken) to.resetAndDestroy();
  });
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
