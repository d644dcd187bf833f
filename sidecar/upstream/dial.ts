import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';

/** Where a TCP connection goes. */
export interface Target {
  /** The name that was decided on; what an operator's proxy is asked for. */
  readonly host: string;
  /** The address to dial when there is no proxy. */
  readonly address: string;
  readonly port: number;
}

/** Opens a TCP connection, directly or through the operator's proxy. Rejects when it cannot within the bound. */
export type Dial = (target: Target) => Promise<Socket>;

/**
 * @param proxy the operator's HTTP proxy (`egress.proxy`), asked by CONNECT (RFC 9110 §9.3.6)
 */
export function createDial(proxy?: URL): Dial {
  return async (target) => await (proxy === undefined ? dialDirect(target) : dialThrough(proxy, target));
}

async function dialDirect({ address, port }: Target): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const give = (fault: Error) => {
      socket.destroy();
      reject(fault);
    };
    const timer = setTimeout(() => give(new Error('connect timeout')), LIMIT.upstreamConnectMs);
    socket.once('error', give).once('connect', () => {
      clearTimeout(timer);
      socket.off('error', give);
      resolve(socket);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

async function dialThrough(proxy: URL, { host, port }: Target): Promise<Socket> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return await new Promise((resolve, reject) => {
    const asking = request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port === '' ? 80 : Number(proxy.port),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority },
      timeout: LIMIT.upstreamConnectMs,
      agent: false,
    });
    asking.once('timeout', () => asking.destroy(new Error('proxy timeout')));
    asking.once('error', reject);
    asking.once('response', (response) => {
      response.resume();
      reject(new Error('proxy refused'));
    });
    asking.once('connect', (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return reject(new Error('proxy refused'));
      }
      if (head.length > 0) socket.unshift(head);
      // What the direct dial opens with: half-closes pass, and silence is no fault.
      if ('allowHalfOpen' in socket) socket.allowHalfOpen = true;
      if ('setTimeout' in socket) socket.setTimeout(0);
      resolve(socket);
    });
    asking.end();
  });
}
