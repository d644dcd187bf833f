import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { POD_NETWORK } from './network.ts';
import { serveDatagrams, serveStreams } from './resolver.ts';

/**
 * Opens what the pod meets outside: the resolver, which is served here, and the listener of the relay, which is not.
 * @param addressOf the made address of a name
 * @returns the relay's listener, for the process in the caller's network
 */
export async function openListeners(addressOf: (name: string) => string): Promise<Server> {
  const datagrams = createSocket('udp4');
  serveDatagrams(datagrams, addressOf);
  datagrams.bind(53, POD_NETWORK.outer);
  const streams = createServer();
  serveStreams(streams, addressOf);
  streams.listen(53, POD_NETWORK.outer);
  const relay = createServer();
  // Without an address: both families where the kernel has both.
  relay.listen(POD_NETWORK.relayPort);
  await Promise.all([once(datagrams, 'listening'), once(streams, 'listening'), once(relay, 'listening')]);
  return relay;
}
