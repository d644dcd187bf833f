import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Logger } from 'pino';
import { ENROL_PATH, JWKS_PATH, type PublicJwks } from '#contract/chain-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Metrics } from '../metrics.ts';
import type { Answer, Receiver } from './receive.ts';

/** What the door of the collector needs. */
export interface IngestOptions {
  /** PEM certificate chain and key; null for plain HTTP on loopback. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly receiver: Receiver;
  readonly jwks: () => PublicJwks;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const BATCH = /^\/v1\/chains\/([A-Za-z0-9_-]{8,64})\/segments\/(\d{8}-[0-9a-f]{8}\.seg)$/;
const BEARER = /^Bearer ([\x21-\x7e]{1,4096})$/;
const MAX_BODY = LIMIT.shipBytes + LIMIT.frameBytes;

/** Makes the server that pods send to: enrol, batch, public keys, and nothing else. There is no way to read or delete. */
export function createIngestServer(options: IngestOptions): Server {
  const bounds = {
    requestTimeout: LIMIT.shipTimeoutMs,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 16_384,
  };
  let working = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // When the collector ends, a pod's connection must not stay open and hold it up.
    response.shouldKeepAlive &&= server.listening;
    if (working >= LIMIT.collectorBatches)
      return answer(response, { status: 503, body: { error: 'busy' } }, { 'retry-after': '1' });
    working++;
    handle(options, request)
      .then((result) => answer(response, result))
      .catch(() => {
        options.metrics.faults.inc();
        options.log.error({ event: 'ingest_fault' }, 'a request failed');
        answer(response, { status: 503, body: { error: 'internal_error' } });
      })
      .finally(() => {
        working--;
      });
  };
  const server: Server =
    options.tls === null
      ? createPlainServer(bounds, listener)
      : createTlsServer({ ...bounds, ...options.tls, minVersion: 'TLSv1.2' }, listener);
  return server;
}

interface Result {
  readonly status: number;
  readonly body: unknown;
}

async function handle(options: IngestOptions, request: IncomingMessage): Promise<Result> {
  const path = request.url ?? '';
  if (request.method === 'GET' && path === JWKS_PATH) return { status: 200, body: options.jwks() };
  const batch = BATCH.exec(path);
  if (request.method !== 'POST' || (path !== ENROL_PATH && batch === null)) {
    request.resume();
    return { status: 404, body: { error: 'unknown_path' } };
  }
  const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
  const body = await readBody(request);
  if (body === null) return { status: 413, body: { error: 'too_large' } };
  if (bearer === undefined) return { status: 401, body: { error: 'unknown_key' } };
  if (batch === null) {
    const enrolled = await options.receiver.enrol(bearer, body.toString('latin1'));
    options.metrics.enrolments.inc({ status: enrolled.status });
    return enrolled;
  }
  const stored = await options.receiver.batch(bearer, { chain: batch[1] ?? '', segment: batch[2] ?? '' }, body);
  count(options, stored, body.length);
  return stored;
}

function count({ metrics, log }: IngestOptions, stored: Answer, bytes: number): void {
  metrics.batches.inc({ status: stored.status });
  if (stored.status === 200) metrics.bytes.inc(bytes);
  if (stored.finding === null) return;
  metrics.findings.inc({ finding: stored.finding });
  log.warn(
    { event: 'finding', finding: stored.finding },
    'a chain does not go on where it ended: run lazaret audit verify',
  );
}

async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes <= MAX_BODY) chunks.push(piece);
  }
  return bytes <= MAX_BODY ? Buffer.concat(chunks) : null;
}

function answer(response: ServerResponse, result: Result, headers: Readonly<Record<string, string>> = {}): void {
  const body = Buffer.from(JSON.stringify(result.body));
  response.writeHead(result.status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(body);
}
