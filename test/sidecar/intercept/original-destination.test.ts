import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readOriginalDestination } from '#sidecar/intercept/original-destination.ts';

async function dialDirectly(host: string): Promise<{ accepted: Socket; close: () => void }> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const client = connect({ host, port: (server.address() as AddressInfo).port });
  const [accepted] = (await once(server, 'connection')) as [Socket];
  return {
    accepted,
    close: () => {
      client.destroy();
      accepted.destroy();
      server.close();
    },
  };
}

test.each(['127.0.0.1', '::1'])(
  'a connection dialled straight to the listener on %s has no original destination',
  async (host) => {
    const { accepted, close } = await dialDirectly(host);
    expect(readOriginalDestination(accepted)).toBeNull();
    close();
  },
);

test('a destroyed connection has no original destination and nothing is thrown', async () => {
  const { accepted, close } = await dialDirectly('127.0.0.1');
  accepted.destroy();
  expect(readOriginalDestination(accepted)).toBeNull();
  close();
});
