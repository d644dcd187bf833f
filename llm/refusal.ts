import { REASONS, type Refusal } from '#contract/reason.ts';
import type { ExchangeId } from '#contract/brand.ts';
import type { Family } from './dialect.ts';
import { encodeUtf8 } from './splice.ts';

/** A refusal and the exchange it ends. */
export interface RefusedBy {
  readonly exchange: ExchangeId;
  /** Replaces the reason's sentence where the program can say more; must hold no value of the request. */
  readonly sentence?: string;
}

/** @returns what a developer reads: the sentence and the place, then reason and exchange for whoever is asked */
function refusalMessage(refusal: Refusal, by: RefusedBy): string {
  const where = refusal.where === undefined ? '' : ` (${refusal.where.replace(/\.$/, '')})`;
  return `[lazaret] ${by.sentence ?? REASONS[refusal.reason].sentence}${where} [reason: ${refusal.reason}, exchange: ${by.exchange}]`;
}

/**
 * The body of a refusal in the shape that the client's library turns into its own error class.
 * @param family of the host, see `familyFor`
 */
export function refusalBody(family: Family, refusal: Refusal, by: RefusedBy): Uint8Array {
  return encodeUtf8(JSON.stringify(refusalValue(family, refusal, by)));
}

/** A refusal as the last event of a stream that has begun; the caller cuts after it. */
export function refusalEvent(family: Family, refusal: Refusal, by: RefusedBy): Uint8Array {
  const name = family === 'anthropic' ? 'event: error\n' : '';
  return encodeUtf8(`${name}data: ${JSON.stringify(refusalValue(family, refusal, by))}\n\n`);
}

function refusalValue(family: Family, refusal: Refusal, by: RefusedBy): unknown {
  const message = refusalMessage(refusal, by);
  if (family === 'anthropic') {
    return { type: 'error', error: { type: anthropicType(refusal), message }, request_id: by.exchange };
  }
  if (family === 'openai') {
    const type = REASONS[refusal.reason].status === 503 ? 'server_error' : 'invalid_request_error';
    return { error: { message, type, param: refusal.where ?? null, code: refusal.reason } };
  }
  return { error: { message, reason: refusal.reason, exchange: by.exchange } };
}

function anthropicType(refusal: Refusal): string {
  switch (REASONS[refusal.reason].status) {
    case 400:
      return 'invalid_request_error';
    case 403:
      return 'permission_error';
    case 413:
      return 'request_too_large';
    case 503:
      return refusal.reason === 'busy' ? 'overloaded_error' : 'api_error';
    default:
      return 'api_error';
  }
}
