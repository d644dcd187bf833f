import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { PLACE } from './test-cluster.ts';

/** Somebody on the internet who would take whatever comes. */
export interface Stranger {
  readonly address: string;
  /** What arrived, connections without a byte included. */
  readonly taken: readonly string[];
  readonly stop: () => void;
}

const STRANGER_PORTS = { tcp: [22, 53, 80, 443, 853, 3128, 8443], udp: [53, 443, 853, 5000] } as const;

/** Listens on an address of the world that no test's provider has. */
export async function startStranger(index = 2): Promise<Stranger> {
  const address = PLACE.worldAddresses[index] ?? '';
  const taken: string[] = [];
  const sockets = new Set<Socket>();
  const servers: (Server | DatagramSocket)[] = [];
  for (const port of STRANGER_PORTS.tcp) {
    const server = createServer((socket) => {
      taken.push(`tcp ${port}`);
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        taken.push(`tcp ${port}: ${bytes.toString('latin1')}`);
        socket.write('taken');
      });
    });
    server.listen(port, address);
    await once(server, 'listening');
    servers.push(server);
  }
  for (const port of STRANGER_PORTS.udp) {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, peer) => {
      taken.push(`udp ${port}: ${bytes.toString('latin1')}`);
      socket.send('taken', peer.port, peer.address);
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    servers.push(socket);
  }
  return {
    address,
    taken,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
    },
  };
}
