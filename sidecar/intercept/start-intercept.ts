import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import { approachConnection, decideConnection } from '../policy/decide-connection.ts';
import { serveConnection } from './connection.ts';
import { createDistrustLog } from './distrust.ts';
import { reset } from './farewell.ts';
import { type Flow, openFlow, recordFlow } from './flow.ts';
import { createHttp1Front } from './http1-front.ts';
import { createHttp2Front } from './http2-front.ts';
import { LeafCache } from './leaf.ts';
import type { InterceptOptions } from './options.ts';
import { answerJson } from './refusal-answer.ts';
import { type Room, sightingOf } from './room.ts';

/** The running room. */
export interface Intercept {
  /** The bound ports, in the order of `listen`. */
  readonly ports: readonly number[];
  /** Connections open now. */
  live(): number;
  /** Applies a changed policy to spliced and opaque connections: those that it would not pass now are reset. */
  reconsider(): void;
  /** Issues leaf certificates ahead, so that the first connection to a host does not wait for its own. */
  prepare(hosts: readonly Host[]): Promise<void>;
  /** Stops accepting, lets exchanges end for at most `LIMIT.drainMs`, then ends what is left. */
  close(): Promise<void>;
}

/** Live connections, each with the promise of its end. */
type Flows = Map<Flow, Promise<void>>;

/**
 * Listens, and serves every connection by what its destination and first bytes are.
 * @throws RangeError for an address that is not loopback; the listen error of one that cannot be bound, except IPv6 where this
 *   machine has none: what is redirected there meets a closed port
 */
export async function startIntercept(options: InterceptOptions): Promise<Intercept> {
  const flows: Flows = new Map();
  const room = createRoom(options);
  const limit = options.bounds?.connections ?? LIMIT.connections;
  let count = 0;
  const accept = (socket: Socket): void => {
    const flow = openFlow((count += 1), socket, options.now());
    const ended = closeOf(socket).then(() => {
      flows.delete(flow);
      const record = recordFlow(flow, options.policy(), options.now());
      if (record !== null) options.onConnection(record);
    });
    flows.set(flow, ended);
    admit(room, flow, flows.size > limit);
  };
  const servers = await listenAll(options.listen, accept);
  return {
    ports: servers.map((server) => (server.address() as AddressInfo).port),
    live: () => flows.size,
    prepare: async (hosts) => {
      await Promise.allSettled(
        hosts.filter((host) => room.leafs.permits(host)).map((host) => room.leafs.context(host)),
      );
    },
    reconsider: () => {
      for (const flow of flows.keys()) reconsiderFlow(room, flow);
    },
    close: () => closeAll(room, servers, flows),
  };
}

function createRoom(options: InterceptOptions): Room {
  const refuse = options.refuse ?? answerJson;
  const ports = { handler: options.handler, refuse };
  return {
    options,
    classifyMs: options.bounds?.classifyMs ?? LIMIT.classifyMs,
    leafs: new LeafCache(options.ca, options.now),
    http1: createHttp1Front(ports),
    http2: createHttp2Front(ports),
    distrust: createDistrustLog((sign) => options.onDistrust?.(sign)),
    refuse,
  };
}

async function listenAll(
  addresses: InterceptOptions['listen'],
  accept: (socket: Socket) => void,
): Promise<readonly Server[]> {
  const far = addresses.find(({ host }) => !/^(?:127\.|::1$)/.test(host));
  if (far !== undefined)
    throw new RangeError(`listen on 127.0.0.1 and ::1 only: ${far.host} would be an open proxy for others`);
  const servers = await Promise.all(
    addresses.map(async (address) => {
      try {
        return await listen(address, accept);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (address.host.includes(':') && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return null;
        throw error;
      }
    }),
  );
  return servers.filter((server) => server !== null);
}

/** Half-open, because a splice must pass half-closes on; paused, because nothing reads before the destination is known. */
function listen(
  { host, port }: { readonly host: string; readonly port: number },
  accept: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(
      {
        allowHalfOpen: true,
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: LIMIT.tcpKeepAliveMs,
      },
      accept,
    );
    server.once('error', reject).listen(port, host, () => resolve(server.off('error', reject)));
  });
}

function admit(room: Room, flow: Flow, full: boolean): void {
  const { options } = room;
  const destination = options.proxyMode === true ? null : options.originalDestination(flow.socket);
  flow.destination = destination;
  if (options.proxyMode !== true && destination === null) {
    flow.decision = {
      action: 'refuse',
      reason: 'destination_not_allowed',
      form: 'reset',
      check: 'connection was redirected',
    };
    return reset(flow.socket);
  }
  if (full) {
    flow.decision = { action: 'refuse', reason: 'busy', form: 'reset', check: 'connections are bounded' };
    flow.fault = 'too_many_connections';
    return reset(flow.socket);
  }
  serveConnection(room, flow).catch(() => {
    flow.lateReason = 'internal_error';
    reset(flow.socket);
    flow.upstream?.destroy();
  });
}

function reconsiderFlow(room: Room, flow: Flow): void {
  const { decision } = flow;
  if (flow.upstream === null || decision === null || (decision.action !== 'splice' && decision.action !== 'opaque'))
    return;
  const policy = room.options.policy();
  const approach = approachConnection(policy, flow.destination);
  const now = approach.look === 'no' ? approach.decision : decideConnection(policy, sightingOf(room, flow));
  if (now.action === decision.action) return;
  flow.fault = 'policy_changed';
  reset(flow.upstream);
  reset(flow.socket);
}

async function closeAll(room: Room, servers: readonly Server[], flows: Flows): Promise<void> {
  const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  room.http1.drain();
  room.http2.drain();
  // Connections without a running request wait for nothing; the GOAWAY of this turn still reaches them.
  await new Promise((resolve) => setImmediate(resolve));
  for (const flow of flows.keys()) if (flow.upstream === null && flow.active === 0) endFlow(flow);
  const ended = Promise.all([...flows].filter(([{ active }]) => active > 0).map(([, end]) => end));
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise((resolve) => {
    timer = setTimeout(resolve, LIMIT.drainMs);
  });
  await Promise.race([ended, expired]);
  clearTimeout(timer);
  for (const flow of flows.keys()) endFlow(flow);
  await Promise.all(flows.values());
  room.http1.close();
  await closed;
}

function endFlow(flow: Flow): void {
  if (flow.decision?.action !== 'terminate') flow.fault ??= 'shutdown';
  flow.socket.destroy();
  flow.upstream?.destroy();
}

/** Resolves in the turn after a connection closed: what the TLS layer has to say about a close comes after it. */
function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  return new Promise((resolve) => {
    socket.once('close', () => setImmediate(resolve));
  });
}
