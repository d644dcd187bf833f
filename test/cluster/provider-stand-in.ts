import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Provider, ProviderOptions } from '#test/fake/provider.ts';
import { startProvider } from '#test/fake/provider.ts';
import { readHosts, setHosts } from './cluster-dns.ts';
import { PLACE } from './test-cluster.ts';

/** A stand-in provider that pods reach under its real names. */
export interface ProviderStandIn extends Provider {
  /** Where the names lead; its port is 443. */
  readonly address: string;
  /** Ends every connection that guards keep, so that the next request makes a new one. */
  readonly hangUp: () => void;
}

/**
 * Serves stand-in providers to the cluster: the names lead to an address of this machine that counts as public, and
 * what comes there is answered in this process, so that a test sees what was received and can script the answers. Pods
 * must trust `authority.root`.
 * @param index 0 to 3, for several at once
 */
export async function startProviderStandIn(options: ProviderOptions, index = 0): Promise<ProviderStandIn> {
  const address = PLACE.worldAddresses[index];
  if (address === undefined) throw new Error(`there are ${PLACE.worldAddresses.length} addresses for stand-ins`);
  const provider = await startProvider(options);
  const sockets = new Set<Socket>();
  const relay = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ host: '127.0.0.1', port: provider.port, allowHalfOpen: true });
    for (const socket of [outer, inner]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    carry(outer, inner);
    carry(inner, outer);
  });
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  relay.listen(443, address);
  await once(relay, 'listening');
  const names = Object.fromEntries(options.hosts.map((host) => [host, address]));
  await setHosts(PLACE, { ...(await readHosts(PLACE)), ...names });
  return {
    ...provider,
    address,
    hangUp,
    stop: async () => {
      const others = Object.entries(await readHosts(PLACE)).filter(([name]) => !options.hosts.includes(name));
      await setHosts(PLACE, Object.fromEntries(others));
      hangUp();
      relay.close();
      await provider.stop();
    },
  };
}

/** Half-closes and resets pass, so that a fault of the provider looks the same to the pod. */
function carry(from: Socket, to: Socket): void {
  from.setNoDelay(true);
  from.pipe(to);
  from.on('error', () => to.resetAndDestroy());
}
