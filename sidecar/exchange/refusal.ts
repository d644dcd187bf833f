import type { ExchangeId } from '#contract/brand.ts';
import { REASONS, type Refusal } from '#contract/reason.ts';
import { familyFor } from '#llm/dialect.ts';
import { refusalBody, refusalEvent } from '#llm/refusal.ts';
import { DetectorError } from '#phi/detector-error.ts';
import { AuditUnavailable } from './evidence.ts';
import type { Fields, InboundRequest, Reply } from './ports.ts';
import { UpstreamError } from './upstream-error.ts';

/** Seconds after which an SDK may try again when the fault was ours. */
const RETRY_AFTER = '2';

/** A refusal as an HTTP answer. */
export interface RefusalAnswer {
  readonly status: number;
  readonly headers: Fields;
  readonly body: Uint8Array;
}

/** What the shape of a refusal depends on. */
export interface RefusedRequest {
  readonly host: string;
  readonly target: string;
  readonly contentType: string;
}

/**
 * Gives a refusal the shape of the provider that was asked, so that its SDK reports it as its own. It never holds a
 * value of the request.
 */
export function refusalAnswer(request: RefusedRequest, refusal: Refusal, exchange: ExchangeId): RefusalAnswer {
  const { status, retry } = REASONS[refusal.reason];
  const common: Fields = [
    ['x-lazaret-reason', refusal.reason],
    ['x-lazaret-exchange', exchange],
    ['x-should-retry', String(retry)],
    ...(retry ? [['retry-after', RETRY_AFTER] as const] : []),
    ['cache-control', 'no-store'],
  ];
  // gRPC reads its status from trailers only (gRPC over HTTP/2, "Trailers-Only"); 7 is PERMISSION_DENIED.
  if (/^application\/grpc(?:$|[+;\s])/i.test(request.contentType)) {
    const message = encodeURIComponent(`${refusal.reason}: ${refusal.sentence ?? REASONS[refusal.reason].sentence}`);
    return {
      status: 200,
      headers: [['content-type', 'application/grpc'], ['grpc-status', '7'], ['grpc-message', message], ...common],
      body: new Uint8Array(0),
    };
  }
  const { sentence } = refusal;
  const by = sentence === undefined ? { exchange } : { exchange, sentence };
  return {
    status,
    headers: [['content-type', 'application/json'], ...common],
    body: refusalBody(familyFor(request.host, request.target), refusal, by),
  };
}

/** Sends a refusal as the whole answer. */
export async function sendRefusal(
  request: InboundRequest,
  reply: Reply,
  refusal: Refusal,
  exchange: ExchangeId,
): Promise<void> {
  const contentType = request.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const { status, headers, body } = refusalAnswer(
    { host: request.connection.host, target: request.target, contentType },
    refusal,
    exchange,
  );
  reply.head(status, headers, body.length);
  if (body.length > 0) await reply.write(body);
  await reply.end();
}

/** Ends a begun event stream with an error event in the provider's shape, then a cut: a truncated answer must not look whole. */
export async function cutStream(
  request: InboundRequest,
  reply: Reply,
  refusal: Refusal,
  exchange: ExchangeId,
): Promise<void> {
  await reply.write(refusalEvent(familyFor(request.connection.host, request.target), refusal, { exchange }));
  reply.cut();
}

/** The reason for a fault, by its class only: what a thrown error says is never shown. */
export function reasonOf(fault: unknown): Refusal {
  if (fault instanceof DetectorError) return { reason: 'detector_failed' };
  if (fault instanceof AuditUnavailable) return { reason: 'audit_unavailable' };
  if (fault instanceof UpstreamError) return { reason: 'upstream_unreachable' };
  return { reason: 'internal_error' };
}
