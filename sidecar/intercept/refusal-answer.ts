import type { Refusal } from '#contract/reason.ts';
import { REASONS } from '#contract/reason.ts';
import type { Fields } from '../exchange/ports.ts';
import type { RefusalAnswer, RefusedRequest } from './options.ts';

/**
 * The room's own refusal: status and sentence of the reason's catalogue row as JSON, and what SDKs look at.
 * The body never repeats anything of the request.
 */
export function answerJson({ contentType }: RefusedRequest, refusal: Refusal): RefusalAnswer {
  if (/^application\/grpc(?:$|[+;\s])/i.test(contentType ?? '')) return answerGrpc(refusal);
  const { status, retry, sentence: message } = REASONS[refusal.reason];
  const body = Buffer.from(
    `${JSON.stringify({ error: { type: 'lazaret_refusal', code: refusal.reason, message } })}\n`,
  );
  return { status, headers: [['content-type', 'application/json'], ...refusalFields(refusal.reason, retry)], body };
}

/**
 * A refusal for gRPC callers: trailers only, `grpc-status: 7` (PERMISSION_DENIED; gRPC over HTTP/2, "Responses").
 */
function answerGrpc(refusal: Refusal): RefusalAnswer {
  const { retry, sentence } = REASONS[refusal.reason];
  const message = encodeURIComponent(sentence).replaceAll('%20', ' ');
  const headers: Fields = [
    ['content-type', 'application/grpc'],
    ['grpc-status', '7'],
    ['grpc-message', message],
    ...refusalFields(refusal.reason, retry),
  ];
  return { status: 200, headers, body: new Uint8Array(0) };
}

/** A whole HTTP/1.1 response for a connection that ends with it. */
export function writeClosingResponse({ status, headers, body }: RefusalAnswer): Buffer {
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    'connection: close',
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function refusalFields(reason: string, retry: boolean): Fields {
  return [
    ['x-lazaret-reason', reason],
    ['x-should-retry', String(retry)],
  ];
}
