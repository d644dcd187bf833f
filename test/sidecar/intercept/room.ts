import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  connect as connectTls,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Host } from '#contract/brand.ts';
import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import type { ExchangeHandler } from '#sidecar/exchange/ports.ts';
import { LeafCache } from '#sidecar/intercept/leaf.ts';
import type { ConnectionRecord, DistrustSign, InterceptOptions } from '#sidecar/intercept/options.ts';
import { type Intercept, startIntercept } from '#sidecar/intercept/start-intercept.ts';
import { makePodAuthority, type PodAuthority } from '#sidecar/init/pod-authority.ts';

export const LLM = 'api.openai.com' as Host;
export const OTHER_LLM = 'api.anthropic.com' as Host;
export const LISTED = 'example.org' as Host;
export const PUBLIC = { address: '203.0.113.7', port: 443 } as const;
export const PRIVATE = { address: '10.1.2.3', port: 5432 } as const;

export const POLICY: ConnectionPolicy = {
  destinations: [LISTED, '*.listed.example'],
  agreementHosts: [LLM, 'models.internal.example'],
  clusterCidrs: ['192.0.2.0/24'],
  resolvers: ['10.96.0.10'],
  monitor: false,
};

const PERMITTED = [LLM, OTHER_LLM, 'internal.example'];

const authorities = new Map<string, Promise<PodAuthority>>();

/** The pod's CA for the permitted names, made once per test file. */
function podAuthority(permitted: readonly string[] = PERMITTED): Promise<PodAuthority> {
  const key = permitted.join();
  const made = authorities.get(key) ?? makePodAuthority(permitted, Date.now());
  authorities.set(key, made);
  return made;
}

export interface RoomSettings {
  destination: { readonly address: string; readonly port: number } | null;
  policy: ConnectionPolicy | null;
  handler: ExchangeHandler;
  /** `address:port` to a loopback port. */
  readonly routes: Map<string, number>;
  /** Names to addresses. */
  readonly names: Map<string, readonly string[]>;
}

export interface TestRoom {
  readonly intercept: Intercept;
  readonly port: number;
  readonly settings: RoomSettings;
  readonly root: string;
  readonly records: ConnectionRecord[];
  readonly signs: DistrustSign[];
  readonly dialled: { readonly host: string | null; readonly address: string; readonly port: number }[];
  /** Resolves with the next record (or one not yet taken). */
  nextRecord(): Promise<ConnectionRecord>;
  connect(): Socket;
  connectTls(servername: string, options?: ConnectionOptions): TLSSocket;
  close(): Promise<void>;
}

/** Answers with what the request was, as JSON. */
export const ECHO: ExchangeHandler = async (request, reply) => {
  const body = await request.readBody(64 * 1024 * 1024);
  const text = body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : body;
  const said = JSON.stringify({
    method: request.method,
    target: request.target,
    headers: request.headers,
    connection: request.connection,
    body: text,
  });
  const bytes = Buffer.from(said);
  reply.head(200, [['content-type', 'application/json']], bytes.length);
  await reply.write(bytes);
  await reply.end();
};

export async function openRoom(options: Partial<InterceptOptions> = {}, permitted = PERMITTED): Promise<TestRoom> {
  const authority = await podAuthority(permitted);
  const settings: RoomSettings = {
    destination: PUBLIC,
    policy: POLICY,
    handler: ECHO,
    routes: new Map(),
    names: new Map(),
  };
  const records: ConnectionRecord[] = [];
  const waiting: ((record: ConnectionRecord) => void)[] = [];
  let taken = 0;
  const signs: DistrustSign[] = [];
  const dialled: { host: string | null; address: string; port: number }[] = [];
  const intercept = await startIntercept({
    listen: [{ host: '127.0.0.1', port: 0 }],
    originalDestination: () => settings.destination,
    policy: () => settings.policy,
    resolve: async (host) => settings.names.get(host) ?? Promise.reject(new Error('no such name')),
    dial: async (target) => {
      dialled.push(target);
      const port = settings.routes.get(`${target.address}:${target.port}`);
      if (port === undefined) throw new Error('unreachable');
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      await once(socket, 'connect');
      return socket;
    },
    handler: (request, reply) => settings.handler(request, reply),
    ca: {
      intermediate: { certPem: authority.intermediateCertificate, key: authority.intermediateKey },
      leafKey: authority.leafKey,
      permitted,
    },
    onConnection: (record) => {
      records.push(record);
      const wake = waiting.shift();
      if (wake !== undefined) {
        taken += 1;
        wake(record);
      }
    },
    onDistrust: (sign) => signs.push(sign),
    now: () => Date.now(),
    ...options,
  });
  const [port = 0] = intercept.ports;
  return {
    intercept,
    port,
    settings,
    root: authority.rootCertificate,
    records,
    signs,
    dialled,
    nextRecord: () => {
      const known = records[taken];
      if (known === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken += 1;
      return Promise.resolve(known);
    },
    connect: () => connect({ host: '127.0.0.1', port, allowHalfOpen: true }).on('error', () => {}),
    connectTls: (servername, extra = {}) =>
      connectTls({ host: '127.0.0.1', port, servername, ca: authority.rootCertificate, ...extra }).on(
        'error',
        () => {},
      ),
    close: () => intercept.close(),
  };
}

/** Everything a socket receives until it ends or closes. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  return Buffer.concat(chunks);
}

/** Reads until a text has been received. */
export async function readUntil(socket: Socket, text: string): Promise<string> {
  let seen = '';
  return await new Promise((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString('latin1');
      if (!seen.includes(text)) return;
      socket.off('data', onData).off('close', onClose);
      resolve(seen);
    };
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(seen)}`));
    socket.on('data', onData).on('close', onClose);
  });
}

export interface TestServer {
  readonly port: number;
  readonly server: Server;
  close(): Promise<void>;
}

/** A plain TCP server on loopback. */
export async function openServer(onConnection: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  return await opened(server, sockets);
}

/** A TLS origin with a certificate of an authority that is not the pod's. */
export async function openTlsOrigin(
  host: Host,
  onConnection: (socket: TLSSocket) => void,
): Promise<TestServer & { readonly root: string }> {
  const authority = await makePodAuthority([host], Date.now());
  const context: SecureContext = await new LeafCache(
    {
      intermediate: { certPem: authority.intermediateCertificate, key: authority.intermediateKey },
      leafKey: authority.leafKey,
      permitted: [host],
    },
    () => Date.now(),
  ).context(host);
  const sockets = new Set<Socket>();
  const server = createTlsServer(
    { SNICallback: (_name, done) => done(null, context), ALPNProtocols: ['http/1.1'] },
    (socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
      onConnection(socket);
    },
  );
  return { ...(await opened(server, sockets)), root: authority.rootCertificate };
}

async function opened(server: Server, sockets: ReadonlySet<Socket>): Promise<TestServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
