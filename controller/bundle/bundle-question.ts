import type { IncomingMessage } from 'node:http';
import { BUNDLE_PATH, BUNDLE_QUERY } from '#contract/bundle-protocol.ts';
import { parseSerial } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import type { BundleQuestion } from './bundle-desk.ts';

const BEARER = /^Bearer ([\x21-\x7e]{1,8192})$/i;

/** The pod's token. @returns an empty one where none is given */
export function tokenOf({ headers }: IncomingMessage): string {
  return BEARER.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** Reads a request. @returns null for what is no request for a bundle */
export function readQuestion(request: IncomingMessage, gone: AbortSignal): BundleQuestion | null {
  const url = URL.parse(request.url ?? '', 'https://bundle.invalid');
  if (url === null || request.method !== 'GET' || url.pathname !== BUNDLE_PATH) return null;
  const after = url.searchParams.get(BUNDLE_QUERY.after);
  const serial = after === null ? null : parseSerial(after);
  const wait = url.searchParams.get(BUNDLE_QUERY.wait) ?? '0';
  if ((after !== null && serial === null) || !/^\d{1,6}(\.\d{1,3})?$/.test(wait)) return null;
  return {
    token: tokenOf(request),
    after: serial,
    tag: request.headers['if-none-match'],
    waitMs: Math.min(Number(wait) * 1_000, LIMIT.bundleWaitMs),
    gone,
  };
}

/** What to answer to something that is no request for a bundle. */
export function statusOf({ method, url }: IncomingMessage): number {
  if (url?.split('?')[0] !== BUNDLE_PATH) return 404;
  return method === 'GET' ? 400 : 405;
}
