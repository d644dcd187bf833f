import type { AddressInfo, Server } from 'node:net';

/** A host and a port; port 0 lets the system choose. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

const NO_IPV6: readonly string[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];

/**
 * Calls `listen` with a place, and where the node has no IPv6 with every IPv4 address instead of every address.
 * @throws when the address cannot be had
 */
export async function listenAnywhere<T>(place: Place, listen: (place: Place) => Promise<T>): Promise<T> {
  try {
    return await listen(place);
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? fault.code : null;
    if (place.host !== '::' || typeof code !== 'string' || !NO_IPV6.includes(code)) throw fault;
    return listen({ ...place, host: '0.0.0.0' });
  }
}

/** @returns the port. @throws when the address cannot be had */
export function listenOn(server: Server, place: Place): Promise<number> {
  return listenAnywhere(
    place,
    ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
  );
}
