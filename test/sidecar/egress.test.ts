import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { parseConfig, type SidecarConfig } from '#sidecar/config.ts';
import { createEgress } from '#sidecar/egress.ts';

const NAME = 'example.org' as Host;
const servers: (Server | ReturnType<typeof createTcpServer>)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: (typeof servers)[number]): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function configWith(proxy: number): SidecarConfig {
  const file = '/nowhere';
  const parsed = parseConfig({
    LAZARET_BUNDLE: file,
    LAZARET_BUNDLE_KEY: file,
    LAZARET_CA_DIR: file,
    LAZARET_RECIPIENTS: file,
    LAZARET_SPOOL: file,
    LAZARET_COLLECTOR: 'https://127.0.0.1:1',
    LAZARET_ENROL_TOKEN: file,
    LAZARET_RESOLVERS: '127.0.0.1:1',
    LAZARET_POD_NAMESPACE: 'phi',
    LAZARET_POD_NAME: 'app',
    LAZARET_POD_UID: 'uid',
    LAZARET_CHAIN: '0123456789abcdef',
    LAZARET_EGRESS_PROXY: `http://127.0.0.1:${proxy}`,
  });
  if (!parsed.ok) throw new Error(parsed.faults.join());
  return parsed.config;
}

it('an address is dialled directly and a name through the operator’s proxy, which resolves it', async () => {
  const asked: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 200 OK\r\n\r\nthrough the proxy');
  });
  const database = createTcpServer((socket) => socket.end('directly'));
  const [proxyPort, databasePort] = [await portOf(proxy), await portOf(database)];
  const { dial, resolve, forwarder } = await createEgress(configWith(proxyPort));
  const read = async (target: Parameters<typeof dial>[0]): Promise<string> => {
    const socket = await dial(target);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  expect(await read({ host: null, address: '127.0.0.1', port: databasePort })).toBe('directly');
  expect(asked).toEqual([]);
  const [address = ''] = await resolve(NAME);
  expect(await read({ host: NAME, address, port: 443 })).toBe('through the proxy');
  expect(asked).toEqual(['example.org:443']);
  await forwarder.close();
});
