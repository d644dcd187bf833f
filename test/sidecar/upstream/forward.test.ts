import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '#contract/brand.ts';
import type { UpstreamRequest } from '#sidecar/exchange/ports.ts';
import { createDial } from '#sidecar/upstream/dial.ts';
import { createForwarder, type Forwarder } from '#sidecar/upstream/forward.ts';
import { cutAt } from '#test/fake/answer.ts';
import { type Provider, startProvider } from '#test/fake/provider.ts';

const HOST = 'api.anthropic.com';
let provider: Provider;
let forwarder: Forwarder;

beforeAll(async () => {
  provider = await startProvider({
    hosts: [HOST],
    script: ({ target }) => {
      if (target === '/reset') return { steps: [...cutAt('{"a":'), { do: 'reset' }] };
      if (target === '/slow')
        return { headers: [['content-type', 'text/event-stream']], steps: [...cutAt('data: 1\n\n'), { do: 'stall' }] };
      return {
        headers: [
          ['content-type', 'application/json'],
          ['x-seen', 'yes'],
        ],
        steps: cutAt('{"ok":true}'),
      };
    },
  });
  forwarder = createForwarder({ resolve: () => Promise.resolve(['127.0.0.1']), extraRoots: provider.authority.root });
});
afterAll(async () => {
  await forwarder.close();
  await provider.stop();
});

function requestFor(target: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    host: HOST as Host,
    port: provider.port,
    secure: true,
    method: 'POST',
    target,
    headers: [
      ['content-type', 'application/json'],
      ['x-api-key', 'sk-ant-api03-test'],
    ],
    body: Buffer.from('{"x":1}'),
    signal: new AbortController().signal,
    ...more,
  };
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('forwarding', () => {
  it('gives a large body back once it is sent, and the provider has every byte of it', async () => {
    const body = Buffer.alloc(1_000_001, 'abcdefg');
    const copy = Buffer.from(body);
    await forwarder.forward(requestFor('/v1/messages', { body, releaseBody: true }));
    expect(body.length).toBe(0);
    expect(provider.received.at(-1)?.body.equals(copy)).toBe(true);
  });

  it('leaves a large body alone that somebody still reads', async () => {
    const body = Buffer.alloc(1_000_001, 'abcdefg');
    await forwarder.forward(requestFor('/v1/messages', { body }));
    expect(body.length).toBe(1_000_001);
    expect(provider.received.at(-1)?.body.equals(body)).toBe(true);
  });

  it('sends the body with its length over verified TLS and gives the answer back', async () => {
    const response = await forwarder.forward(requestFor('/v1/messages'));
    expect(response.status).toBe(200);
    expect(response.headers).toContainEqual(['x-seen', 'yes']);
    expect(await read(response.body)).toBe('{"ok":true}');
    const received = provider.received.at(-1);
    expect(received?.body.toString()).toBe('{"x":1}');
    expect(new Map(received?.headers).get('content-length')).toBe('7');
    expect(new Map(received?.headers).get('host')).toContain(HOST);
  });

  it('uses one connection for requests that follow one another', async () => {
    const before = provider.connections();
    for (let i = 0; i < 5; i++) await read((await forwarder.forward(requestFor('/v1/messages'))).body);
    expect(provider.connections() - before).toBeLessThanOrEqual(1);
  });

  it('a certificate of an unknown authority sends nothing and is an upstream fault by its code', async () => {
    const strict = createForwarder({ resolve: () => Promise.resolve(['127.0.0.1']) });
    const before = provider.received.length;
    await expect(strict.forward(requestFor('/v1/messages'))).rejects.toMatchObject({
      name: 'UpstreamError',
      code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) as string,
    });
    expect(provider.received.length).toBe(before);
    await strict.close();
  });

  it('a name that does not resolve, or a closed port, is an upstream fault', async () => {
    const lost = createForwarder({
      resolve: () => Promise.reject(new Error('no address')),
      extraRoots: provider.authority.root,
    });
    await expect(lost.forward(requestFor('/v1/messages'))).rejects.toMatchObject({ name: 'UpstreamError' });
    await lost.close();
    await expect(forwarder.forward(requestFor('/v1/messages', { port: 1 }))).rejects.toMatchObject({
      name: 'UpstreamError',
    });
  });

  it('an answer that is reset within its body ends in a fault, not in a shorter answer', async () => {
    const response = await forwarder.forward(requestFor('/reset'));
    await expect(read(response.body)).rejects.toMatchObject({ name: 'UpstreamError' });
  });

  it('an aborted request ends the answer at once', async () => {
    const abort = new AbortController();
    const response = await forwarder.forward(requestFor('/slow', { signal: abort.signal }));
    const reading = read(response.body);
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('a request that was aborted before it began is not sent', async () => {
    const before = provider.received.length;
    await expect(forwarder.forward(requestFor('/v1/messages', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'ABORTED',
    });
    expect(provider.received.length).toBe(before);
  });
});

describe('forwarding through an operator’s proxy', () => {
  let proxy: Server;
  const asked: string[] = [];
  beforeAll(async () => {
    proxy = createServer();
    proxy.on('connect', (request, client) => {
      asked.push(request.url ?? '');
      const upstream = connect(provider.port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      client.on('error', () => upstream.destroy());
      upstream.on('error', () => client.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  it('asks the proxy for the name by CONNECT and verifies the provider’s certificate through it', async () => {
    const url = new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const through = createForwarder({
      resolve: () => Promise.reject(new Error('not asked')),
      proxyDial: createDial(url),
      extraRoots: provider.authority.root,
    });
    const response = await through.forward(requestFor('/v1/messages'));
    expect(await read(response.body)).toBe('{"ok":true}');
    expect(asked).toEqual([`${HOST}:${provider.port}`]);
    await through.close();
  });
});
