import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { LIMIT } from '#contract/limit.ts';
import { createListsServer, type ListsServer, readListsTag } from '../lists/lists-server.ts';
import type { ReleaseLists } from '../lists/release-lists.ts';
import { type BundleAnswer, BundleDesk, type DeskOptions } from './bundle-desk.ts';
import type { BundleMetrics, BundleOutcome } from './bundle-metrics.ts';
import { readQuestion, statusOf, tokenOf } from './bundle-question.ts';
import { formatTag } from './bundle-tag.ts';

/** The certificate that we answer with; it changes while we run. */
export interface ServingCertificate {
  /** PEM chain and key in use now. */
  current(): { readonly cert: string; readonly key: string };
  /** @returns the way to stop */
  onChange(listener: () => void): () => void;
}

/** What the bundle server needs. */
export interface BundleServerOptions extends DeskOptions {
  /** Tells that `keys()` gives others. @returns the way to stop */
  readonly onKeys?: (listener: () => void) => () => void;
  /** The deployer's lists; absent where there are none. */
  readonly lists?: Pick<ReleaseLists, 'find' | 'onChange'>;
  readonly certificate: ServingCertificate;
  readonly metrics: BundleMetrics;
  readonly log: Logger;
}

/** The server that sidecars fetch their policy from. */
export interface BundleServer {
  /** @returns the port; @throws when the address cannot be had */
  listen(endpoint: { readonly host: string; readonly port: number }): Promise<number>;
  /** Answers those who are held; from now on each answer ends its connection, so that callers go to a replica that stays. */
  retire(): void;
  /** The same, and finishes what is in work. */
  close(): Promise<void>;
}

const STATUS: Readonly<Record<Exclude<BundleOutcome, 'bundle' | 'left'>, number>> = {
  unchanged: 204,
  unreadable: 400,
  unproven: 401,
  unguarded: 403,
  unknown_pod: 503,
  not_ready: 503,
  behind: 503,
  busy: 503,
  fault: 503,
};

const BOUNDS = {
  requestTimeout: LIMIT.handshakeMs,
  headersTimeout: LIMIT.handshakeMs,
  // After a restart every sidecar comes at once; one that is turned away would only come again.
  handshakeTimeout: LIMIT.bundleWaitMs,
  keepAliveTimeout: LIMIT.bundleIdleMs,
  maxHeaderSize: 16_384,
  minVersion: 'TLSv1.2',
} as const;

/** Makes the server of `BUNDLE_PATH` and `LISTS_PATH` (contract/); there is nothing else to be had from it. */
export function createBundleServer(options: BundleServerOptions): BundleServer {
  const desk = new BundleDesk(options);
  const { certificate, metrics, lists } = options;
  const parts = { desk, lists: createListsServer((tag) => lists?.find(tag) ?? null) };
  metrics.countCallers(() => desk.held);
  let working = 0;
  let retired = false;
  const server = createServer({ ...BOUNDS, ...certificate.current() }, (request, response) => {
    working++;
    const busy = working > LIMIT.bundleCallers;
    handle(options, parts, { request, response, busy, isRetired: () => retired })
      .then((outcome) => outcome !== null && metrics.requests.inc({ outcome }))
      .catch(() => response.destroy())
      .finally(() => {
        working--;
      });
  });
  server.maxConnections = LIMIT.bundleCallers + LIMIT.tokenReviews;
  const stops = [
    certificate.onChange(() => replaceCertificate(server, options)),
    options.onKeys?.(() => desk.wake()),
    // Policy names the lists in force.
    lists?.onChange(() => desk.wake()),
  ];
  const retire = (): void => {
    retired = true;
    desk.release();
  };
  return {
    listen: (endpoint) => listen(server, endpoint),
    retire,
    close: async () => {
      retire();
      for (const stop of stops) stop?.();
      const closed = stopServer(server);
      desk.close();
      await closed;
    },
  };
}

/** A certificate that cannot be used leaves the one in use; the next one may be good. */
function replaceCertificate(server: Server, { certificate, log }: BundleServerOptions): void {
  try {
    server.setSecureContext({ ...certificate.current(), minVersion: BOUNDS.minVersion });
  } catch {
    log.error({ event: 'certificate_fault' }, 'a new serving certificate cannot be used: check its PEM text and key');
  }
}

interface Work {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly busy: boolean;
  readonly isRetired: () => boolean;
}

interface Parts {
  readonly desk: BundleDesk;
  readonly lists: ListsServer;
}

/** @returns null for what is no request for a bundle, but for lists */
async function handle(options: BundleServerOptions, { desk, lists }: Parts, work: Work): Promise<BundleOutcome | null> {
  const { request, response } = work;
  request.resume();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const tag = readListsTag(request);
  if (tag !== null) {
    const caller = { token: tokenOf(request), gone: gone.signal };
    response.shouldKeepAlive = false;
    const admitted = work.busy ? ({ outcome: 'busy' } as const) : await attempt(options, () => desk.admit(caller));
    const status = 'outcome' in admitted ? STATUS[admitted.outcome] : await lists.send(tag, response);
    if (status !== null) refuse(response, null, status);
    return null;
  }
  const question = readQuestion(request, gone.signal);
  if (question === null) return refuse(response, 'unreadable', statusOf(request));
  const answer = work.busy ? ({ outcome: 'busy' } as const) : await attempt(options, () => desk.answer(question));
  if (gone.signal.aborted || answer.outcome === 'left') return 'left';
  // Asked now, not when the request came: it may have been held since.
  if (work.isRetired()) response.shouldKeepAlive = false;
  if (answer.outcome === 'bundle') return send(response, answer.bundle);
  return refuse(response, answer.outcome, STATUS[answer.outcome]);
}

function refuse<Outcome extends BundleOutcome | null>(
  response: ServerResponse,
  outcome: Outcome,
  status: number,
): Outcome {
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(status === 204 ? {} : { 'content-length': 0 }),
    ...(status === 503 ? { 'retry-after': '1' } : {}),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
  response.end();
  return outcome;
}

/** Asks the desk, which asks the API server. */
async function attempt<Answer>(
  { log }: BundleServerOptions,
  ask: () => Promise<Answer>,
): Promise<Answer | { readonly outcome: 'fault' }> {
  try {
    return await ask();
  } catch (error) {
    // The message is of our own making or a transport's code; neither holds a token.
    log.warn(
      { event: 'bundle_fault', code: codeOf(error) },
      'a bundle could not be given: the API server does not answer',
    );
    return { outcome: 'fault' };
  }
}

async function send(
  response: ServerResponse,
  { jws, tag }: Extract<BundleAnswer, { outcome: 'bundle' }>['bundle'],
): Promise<'bundle'> {
  const body = await jws;
  response.writeHead(200, {
    'content-type': 'application/jose',
    'content-length': body.length,
    'cache-control': 'no-store',
    etag: formatTag(tag),
  });
  response.end(body);
  return 'bundle';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: LIMIT.bundleCallers }, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Requests in work finish; idle connections and what takes too long are cut. */
async function stopServer(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const timer = setTimeout(() => server.closeAllConnections(), LIMIT.drainMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearInterval(idle);
  clearTimeout(timer);
}
