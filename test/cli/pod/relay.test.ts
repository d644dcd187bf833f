import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { relayConnections } from '#cli/pod/relay.ts';

const open: Server[] = [];

async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, '127.0.0.1');
  open.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A relay in front of an upstream port; the listener stands for the one in the pod's outer network. */
async function relayTo(port: number | null): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const upstream = { host: 'x.example', address: '127.0.0.1', port: port ?? 0 };
  open.push(relayConnections(listener, new Map(port === null ? [] : [['127.0.0.1', upstream]])), listener);
  return (listener.address() as AddressInfo).port;
}

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

const dial = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
};

describe('relay', () => {
  it('carries a request, its half-close and the answer behind it', async () => {
    const port = await listen((socket) => {
      let said = '';
      socket.on('data', (bytes) => (said += bytes.toString()));
      socket.on('end', () => socket.end(`you said ${said}`));
    });
    const socket = await dial(await relayTo(port));
    socket.end('hello');
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    expect(Buffer.concat(parts).toString()).toBe('you said hello');
  });

  it('carries a reset of the upstream', async () => {
    const port = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const socket = await dial(await relayTo(port));
    socket.write('hello');
    await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('carries a reset of the client', async () => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const port = await listen((socket) => {
      socket.write('welcome');
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    const socket = await dial(await relayTo(port));
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await promise).toBe('ECONNRESET');
  });

  it('resets where no upstream stands behind the address, or nobody listens there', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    for (const relay of [await relayTo(null), await relayTo(port)]) {
      const socket = connect({ port: relay, host: '127.0.0.1' });
      await expect(once(socket, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
    }
  });
});
