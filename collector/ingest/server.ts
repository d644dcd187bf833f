import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Logger } from 'pino';
import { ENROL_PATH, EXPECTED_PATH, JWKS_PATH, MANIFEST_PATH, type PublicJwks } from '#contract/chain-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import type { Metrics } from '../metrics.ts';
import type { ProveController } from './prove-pod.ts';
import type { Answer, Receiver } from './receive.ts';
import type { Registry } from './registry.ts';
import { ReviewUnavailable } from './token-review.ts';

/** What the door of the collector needs. */
export interface IngestOptions {
  /** PEM certificate chain and key; null for plain HTTP on loopback. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly receiver: Receiver;
  /** Null where no controller is known: those paths do not exist then. */
  readonly registry: Registry | null;
  readonly jwks: () => PublicJwks;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Result {
  readonly status: number;
  readonly body: unknown;
}

/** One thing that can be asked of the collector. */
interface Operation {
  readonly name: 'enrol' | 'batch' | 'registry';
  readonly bodyBytes: number;
  /** Operations that ask the API server, which may be slow, must not hold up the evidence of pods that are enrolled. */
  readonly lane: 'evidence' | 'proof';
  /** Who may ask, where it is known before the body is read. */
  readonly admit?: ProveController;
  run(bearer: string, body: Buffer): Promise<Answer>;
}

const BATCH = /^\/v1\/chains\/([A-Za-z0-9_-]{8,64})\/segments\/(\d{8}-[0-9a-f]{8}\.seg)$/;
const BEARER = /^Bearer ([\x21-\x7e]{1,4096})$/;
const MAX_BODY = LIMIT.shipBytes + LIMIT.frameBytes;
const BUSY: Result = { status: 503, body: { error: 'busy' } };

/**
 * Makes the server that pods send to (enrol, batch, public keys) and the controller tells which chains must exist, and nothing
 * else. There is no way to read or delete evidence.
 */
export function createIngestServer(options: IngestOptions): Server {
  const bounds = {
    requestTimeout: LIMIT.shipTimeoutMs,
    headersTimeout: 10_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 16_384,
  };
  const working = { evidence: 0, proof: 0 };
  const room = { evidence: LIMIT.collectorBatches, proof: LIMIT.collectorEnrolments } as const;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    // When the collector ends, a pod's connection must not stay open and hold it up.
    response.shouldKeepAlive &&= server.listening;
    const operation = operationOf(options, request);
    const lane = operation?.lane ?? 'evidence';
    if (working[lane] >= room[lane]) return answer(response, BUSY);
    working[lane]++;
    void handle(options, request, operation)
      .catch((error: unknown) => faultOf(options, error))
      .then((result) => answer(response, result))
      .finally(() => {
        working[lane]--;
      });
  };
  const server: Server =
    options.tls === null
      ? createPlainServer(bounds, listener)
      : createTlsServer({ ...bounds, ...options.tls, minVersion: 'TLSv1.2' }, listener);
  return server;
}

function operationOf({ receiver, registry }: IngestOptions, { method, url = '' }: IncomingMessage): Operation | null {
  const [, chain, segment] = (method === 'POST' ? BATCH.exec(url) : null) ?? [];
  if (chain !== undefined && segment !== undefined) {
    const run = (bearer: string, body: Buffer) => receiver.batch(bearer, { chain, segment }, body);
    return { name: 'batch', bodyBytes: MAX_BODY, lane: 'evidence', run };
  }
  if (method === 'POST' && url === ENROL_PATH) {
    const run = (bearer: string, body: Buffer) => receiver.enrol(bearer, body.toString('latin1'));
    return { name: 'enrol', bodyBytes: LIMIT.enrolBytes, lane: 'proof', run };
  }
  return registry === null ? null : registryOperation(registry, `${method} ${url}`);
}

function registryOperation(registry: Registry, asked: string): Operation | null {
  const own = (bodyBytes: number, run: Operation['run']): Operation => ({
    name: 'registry',
    bodyBytes,
    lane: 'proof',
    admit: registry.admit,
    run,
  });
  switch (asked) {
    case `PUT ${EXPECTED_PATH}`:
      return own(LIMIT.expectedBytes, (_, body) => registry.put(body.toString()));
    case `GET ${EXPECTED_PATH}`:
      return own(0, () => registry.expected());
    case `GET ${MANIFEST_PATH}`:
      return own(0, () => registry.manifest());
    default:
      return null;
  }
}

async function handle(options: IngestOptions, request: IncomingMessage, operation: Operation | null): Promise<Result> {
  if (request.method === 'GET' && request.url === JWKS_PATH) return { status: 200, body: options.jwks() };
  if (operation === null) {
    request.resume();
    return { status: 404, body: { error: 'unknown_path' } };
  }
  const bearer = BEARER.exec(request.headers.authorization ?? '')?.[1];
  if (operation.admit !== undefined && !(bearer !== undefined && (await operation.admit(bearer)))) {
    request.resume();
    return { status: 403, body: { error: 'controller_only' } };
  }
  const body = await readBody(request, operation.bodyBytes);
  if (body === null) return { status: 413, body: { error: 'too_large' } };
  if (bearer === undefined) return { status: 401, body: { error: 'unknown_key' } };
  const result = await operation.run(bearer, body);
  if (operation.name === 'enrol') options.metrics.enrolments.inc({ status: result.status });
  if (operation.name === 'batch') count(options, result, body.length);
  return result;
}

/** What went wrong on our side is never a refusal: the pod keeps its records and comes again. */
function faultOf({ metrics, log }: IngestOptions, error: unknown): Result {
  if (error instanceof ReviewUnavailable) {
    metrics.reviewFaults.inc();
    log.warn({ event: 'review_unavailable' }, 'the API server did not say whose a token is: enrolments wait for it');
    return { status: 503, body: { error: 'identity_unavailable' } };
  }
  metrics.faults.inc();
  log.error({ event: 'ingest_fault' }, 'a request failed');
  return { status: 503, body: { error: 'internal_error' } };
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

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes <= limit) chunks.push(piece);
  }
  return bytes <= limit ? Buffer.concat(chunks) : null;
}

function answer(response: ServerResponse, result: Result): void {
  const body = Buffer.from(JSON.stringify(result.body));
  response.writeHead(result.status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(result.status === 503 ? { 'retry-after': '1' } : {}),
  });
  response.end(body);
}
