import { LIMIT } from '#contract/limit.ts';
import type { Refusal } from '#contract/reason.ts';
import type { BodyBudget, Share } from './body-budget.ts';
import { singleField } from './header-fields.ts';
import type { InboundRequest } from './ports.ts';

/** A request body in memory, with its share of the budget; or why there is none. */
export type ReadRequest =
  | {
      readonly kind: 'body';
      readonly body: Uint8Array;
      readonly share: Share;
      /** A large body's place among large bodies; whoever has it must release it when the body is recorded. */
      readonly entry: Share;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'aborted' };

/** What a body without a declared length may take before it has to have one. */
const UNDECLARED_BYTES = 8 * 1024 * 1024;

/**
 * Reads a JSON body whole. Only what can be examined is read: an identity coding (T25), JSON as the content type, and a
 * size within bounds. Nothing is decoded on a guess.
 */
export async function readRequest(request: InboundRequest, bodies: BodyBudget): Promise<ReadRequest> {
  const refusal = refuseForm(request);
  if (refusal !== null) return { kind: 'refused', refusal };
  const declared = singleField(request.headers, 'content-length');
  const bytes = typeof declared !== 'string' || !/^\d{1,15}$/.test(declared) ? UNDECLARED_BYTES : Number(declared);
  if (bytes > LIMIT.bodyBytes) return { kind: 'refused', refusal: { reason: 'body_too_large' } };
  const share = await bodies.take(bytes);
  if (share === null) return { kind: 'refused', refusal: { reason: 'busy' } };
  const entry = await bodies.enter(typeof declared === 'string' ? bytes : 0);
  const body = await readWithin(request, bytes, [entry, share]);
  if (body instanceof Uint8Array) return { kind: 'body', body, share, entry };
  entry.release();
  share.release();
  return body === 'aborted' ? { kind: 'aborted' } : { kind: 'refused', refusal: { reason: 'body_too_large' } };
}

async function readWithin(
  request: InboundRequest,
  bytes: number,
  shares: readonly Share[],
): Promise<Uint8Array | 'too_large' | 'aborted'> {
  try {
    return await request.readBody(bytes);
  } catch (fault) {
    for (const share of shares) share.release();
    throw fault;
  }
}

function refuseForm({ headers }: InboundRequest): Refusal | null {
  const coding = singleField(headers, 'content-encoding');
  if (coding !== null && (typeof coding !== 'string' || coding.trim().toLowerCase() !== 'identity'))
    return { reason: 'body_unreadable', where: 'content-encoding: send the body uncompressed' };
  const type = textOf(singleField(headers, 'content-type'));
  const media = type.split(';')[0]?.trim().toLowerCase();
  if (media !== 'application/json')
    return { reason: 'body_unreadable', where: 'content-type: must be application/json' };
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8'
    ? null
    : { reason: 'body_unreadable', where: 'content-type: charset must be utf-8' };
}

/** A field that is absent or came twice is no type. */
function textOf(value: ReturnType<typeof singleField>): string {
  return typeof value === 'string' ? value : '';
}
