import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { createSecureContext, rootCertificates } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Forward, UpstreamRequest, UpstreamResponse } from '../exchange/ports.ts';
import type { Dial } from './dial.ts';
import type { Resolve } from './resolve.ts';
import { responseStream } from './response-stream.ts';

/** What forwarding rests on. */
export interface ForwardOptions {
  readonly resolve: Resolve;
  /** Set when an operator's proxy stands in between: it resolves names itself. */
  readonly proxyDial?: Dial;
  /** Further roots (PEM) beside the public ones, for upstream TLS. */
  readonly extraRoots?: string;
}

/** Sends requests upstream over pooled, verified TLS; one pool per host and port. */
export interface Forwarder {
  readonly forward: Forward;
  close(): Promise<void>;
}

/**
 * Makes the forwarder. HTTP/1.1 only (undici's HTTP/2 has open faults with aborts and GOAWAY), no pipelining, no
 * time-outs on long answers, and no retry: a request that may have left is never sent twice by us.
 */
export function createForwarder(options: ForwardOptions): Forwarder {
  const pools = new Map<string, Pool>();
  const connect = createConnector(options);
  const poolFor = (request: UpstreamRequest): Pool => {
    const origin = `${request.secure ? 'https' : 'http'}://${request.host}:${request.port}`;
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const pool = new Pool(origin, {
      connect,
      allowH2: false,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 30_000,
      keepAliveMaxTimeout: 60_000,
      maxHeaderSize: LIMIT.headerBytes,
    });
    pools.set(origin, pool);
    return pool;
  };
  return {
    forward: async (request) => await dispatch(poolFor(request), request),
    close: async () => {
      await Promise.all([...pools.values()].map(async (pool) => await pool.destroy()));
    },
  };
}

function createConnector(options: ForwardOptions): buildConnector.connector {
  // Made once: parsing the public roots for every connection would cost more than the handshake.
  const secureContext = createSecureContext({
    ca: options.extraRoots === undefined ? [...rootCertificates] : [...rootCertificates, options.extraRoots],
    minVersion: 'TLSv1.2',
  });
  const lookup: LookupFunction = (name, { all }, done) => {
    options.resolve(name as Host).then(
      (found) => {
        const answers = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        const first = answers[0];
        if (all === true) done(null, answers);
        else done(first === undefined ? new Error('no address') : null, first?.address ?? '', first?.family);
      },
      () => done(new Error('no address'), ''),
    );
  };
  const tcp = buildConnector({
    secureContext,
    lookup,
    autoSelectFamily: true,
    timeout: LIMIT.upstreamConnectMs,
    allowH2: false,
  });
  const { proxyDial } = options;
  if (proxyDial === undefined) return tcp;
  return (target, done) => {
    const port = Number(target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : target.port);
    proxyDial({ host: target.hostname, address: target.hostname, port }).then(
      (httpSocket) => {
        if (target.protocol === 'https:') tcp({ ...target, httpSocket }, done);
        else done(null, httpSocket);
      },
      (fault: Error) => done(fault, null),
    );
  };
}

async function dispatch(pool: Dispatcher, request: UpstreamRequest): Promise<UpstreamResponse> {
  return await new Promise((resolve, reject) => {
    const handler = responseStream(request.signal, resolve, reject);
    pool.dispatch(
      {
        method: request.method,
        path: request.target,
        ...sendable(request),
        idempotent: false,
      },
      handler,
    );
  });
}

/** What of a large body is handed to TLS at a time: it keeps the ciphertext of all that it was given until the socket has taken it. */
const SLICE_BYTES = 256 * 1024;

function sendable({
  headers,
  body,
  releaseBody = false,
}: UpstreamRequest): Pick<Dispatcher.DispatchOptions, 'headers' | 'body'> {
  const fields = headers.flatMap(([name, value]) => [name, value]);
  if (body.length <= SLICE_BYTES) return { headers: fields, body };
  return {
    headers: [...fields, 'content-length', String(body.length)],
    body: Readable.from(slices(body, releaseBody)),
  };
}

/** A provider may think for minutes: a body that nobody reads again does not wait with it. Its pieces are copies then. */
function* slices(body: Uint8Array, release: boolean): Generator<Uint8Array> {
  for (let at = 0; at < body.length - SLICE_BYTES; at += SLICE_BYTES)
    yield release ? new Uint8Array(body.subarray(at, at + SLICE_BYTES)) : body.subarray(at, at + SLICE_BYTES);
  const last = new Uint8Array(body.subarray(Math.floor((body.length - 1) / SLICE_BYTES) * SLICE_BYTES));
  if (release && body.buffer instanceof ArrayBuffer) body.buffer.transfer(0);
  yield last;
}
