// Stand-in providers: real host names, real TLS, real framing. Keeps exactly what it received. As a program:
//   node test/fake/provider.ts --host NAME... [--record FILE] [--ca FILE] [--echo] [--chunk N] [--no-h2]
// prints one JSON line {"port","ca","upstreams"} and runs until SIGTERM.
import { appendFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Http2ServerRequest } from 'node:http2';
import { createSecureServer } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { SecureContext, TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import { LLMock } from '@copilotkit/aimock';
import type { ReceivedRequest, Script } from './answer.ts';
import { playSteps } from './answer.ts';
import { echo } from './dialect-answer.ts';
import type { TestAuthority } from './test-authority.ts';
import { makeTestAuthority } from './test-authority.ts';

type Incoming = IncomingMessage | Http2ServerRequest;
// The HTTP/2 response has the same methods; only the overloads of their declarations differ.
type Outgoing = ServerResponse;

/** How a stand-in provider behaves. */
export interface ProviderOptions {
  /** The names it has certificates for; any other name gets an unrecognized_name alert. */
  readonly hosts: readonly string[];
  /** A JSON-lines file that takes every request as it came. */
  readonly record?: string;
  /** Answers instead of the mock where it does not return null. */
  readonly script?: Script;
  /** Characters in one event of the mock's streams. */
  readonly chunk?: number;
  /** Offer HTTP/2 beside HTTP/1.1; default true. */
  readonly h2?: boolean;
  readonly authority?: TestAuthority;
}

/** A running stand-in provider on loopback. */
export interface Provider {
  readonly port: number;
  readonly authority: TestAuthority;
  /** Everything received, in order of completion. */
  readonly received: readonly ReceivedRequest[];
  /** TCP connections accepted so far. */
  readonly connections: () => number;
  /** `HOST=ADDRESS:PORT` for each name. */
  readonly upstreams: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Starts a stand-in provider. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const authority = options.authority ?? (await makeTestAuthority());
  const mock = await startMock(options.chunk ?? 7);
  const received: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createSecureServer({
    allowHTTP1: true,
    ALPNProtocols: options.h2 === false ? ['http/1.1'] : ['h2', 'http/1.1'],
    SNICallback: (name, callback) => {
      if (!options.hosts.includes(name)) return callback(new Error('no such name'));
      void answerSni(authority, name, callback);
    },
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  const raw = new WeakMap<object, Socket>();
  server.on('secureConnection', (secure: TLSSocket) => {
    secure.on('error', () => undefined);
    const peer = [...sockets].find((socket) => socket.remotePort === secure.remotePort);
    if (peer !== undefined) raw.set(secure, peer);
  });
  server.on('request', (incoming: Incoming, response) => {
    const outgoing = response as unknown as Outgoing;
    const secure = incoming.socket as TLSSocket;
    // A client that went away in the middle is what some tests are about.
    serve(incoming, outgoing, secure).catch(() => outgoing.destroy());
  });
  const serve = async (incoming: Incoming, outgoing: Outgoing, secure: TLSSocket): Promise<void> => {
    const request = await receive(incoming, secure);
    received.push(request);
    if (options.record !== undefined) appendFileSync(options.record, `${JSON.stringify(toRecord(request))}\n`);
    const answer = options.script?.(request) ?? null;
    const reset = (): void => resetConnection(incoming, raw.get(secure));
    if (answer === null) return forward(request, outgoing, mock.url);
    if ('raw' in answer) {
      if (await playSteps(answer.raw, { write: (bytes) => writeTo(secure, bytes), reset })) secure.end();
      return;
    }
    outgoing.writeHead(answer.status ?? 200, Object.fromEntries(answer.headers ?? []));
    const sink = { write: (bytes: Uint8Array) => writeTo(outgoing, bytes), reset };
    if (await playSteps(answer.steps, sink)) outgoing.end();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await Promise.all([closed, mock.stop()]);
  };
  let ended: Promise<void> | null = null;
  return {
    port,
    authority,
    received,
    connections: () => connections,
    upstreams: options.hosts.map((host) => `${host}=127.0.0.1:${port}`),
    stop: () => (ended ??= end()),
  };
}

type SniCallback = (error: Error | null, context?: SecureContext) => void;

async function answerSni(authority: TestAuthority, name: string, callback: SniCallback): Promise<void> {
  try {
    callback(null, await authority.contextFor(name));
  } catch {
    callback(new Error('no certificate'));
  }
}

/** What a request looks like in the record: a body that is UTF-8 as text, any other as base64. */
export function toRecord(request: ReceivedRequest): object {
  const { body, ...head } = request;
  const text = body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(body)
    ? { ...head, body: text }
    : { ...head, body64: body.toString('base64') };
}

/** The mock knows the wire formats; what it says is what it was told, so that a restored answer can be checked. */
async function startMock(chunkSize: number): Promise<LLMock> {
  const mock = new LLMock({ port: 0, chunkSize, logLevel: 'silent' });
  mock.on({}, (request) => {
    const last = request.messages.findLast(({ role }) => role === 'user')?.content;
    const text = typeof last === 'string' ? last : (last ?? []).map((part) => part.text ?? '').join('\n');
    return { content: `I have read this:\n${text}` };
  });
  await mock.start();
  return mock;
}

async function receive(incoming: Incoming, secure: TLSSocket): Promise<ReceivedRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const flat = incoming.rawHeaders;
  const headers = flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as const] : []));
  return {
    host: String(secure.servername),
    protocol: incoming.httpVersionMajor === 2 ? 'h2' : 'h1',
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    headers,
    body: Buffer.concat(parts),
  };
}

function forward(request: ReceivedRequest, outgoing: Outgoing, mockUrl: string): Promise<void> {
  const kept = request.headers.filter(
    ([name]) => !/^(:|host$|connection$|transfer-encoding$|content-length$)/i.test(name),
  );
  return new Promise((resolve, reject) => {
    const inner = httpRequest(
      new URL(request.target, mockUrl),
      {
        method: request.method,
        headers: { ...Object.fromEntries(kept), 'content-length': request.body.length },
        agent: false,
      },
      (answer) => {
        const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 500, headers);
        pipeline(answer, outgoing).then(resolve, reject);
      },
    );
    inner.once('error', reject);
    inner.end(request.body);
  });
}

function resetConnection(incoming: Incoming, socket: Socket | undefined): void {
  // 2: INTERNAL_ERROR (RFC 9113 §7).
  if ('stream' in incoming) incoming.stream.close(2);
  else socket?.resetAndDestroy();
}

function writeTo(sink: Outgoing | TLSSocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => (error === undefined || error === null ? resolve() : reject(error));
    // One type for three kinds of writable: their overloads differ only in what this call does not use.
    (sink as TLSSocket).write(bytes, done);
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', multiple: true, default: ['api.anthropic.com', 'api.openai.com', 'example.org'] },
      record: { type: 'string' },
      ca: { type: 'string' },
      chunk: { type: 'string' },
      echo: { type: 'boolean', default: false },
      'no-h2': { type: 'boolean', default: false },
    },
  });
  const provider = await startProvider({
    hosts: values.host,
    ...(values.record === undefined ? {} : { record: values.record }),
    ...(values.chunk === undefined ? {} : { chunk: Number(values.chunk) }),
    ...(values.echo
      ? { script: (request: ReceivedRequest) => (request.method === 'POST' ? echo(request) : null) }
      : {}),
    h2: !values['no-h2'],
  });
  if (values.ca !== undefined) await writeFile(values.ca, provider.authority.root);
  process.stdout.write(
    `${JSON.stringify({ port: provider.port, ca: values.ca ?? null, upstreams: provider.upstreams })}\n`,
  );
  process.once('SIGTERM', () => void provider.stop().then(() => process.exit(0)));
  // The one who started it is gone.
  process.once('disconnect', () => process.exit(0));
}

if (import.meta.main) await main();
