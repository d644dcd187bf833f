import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { BUNDLE_PATH, BUNDLE_QUERY } from '#contract/bundle-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import { readBounded } from './bundle-file.ts';

/** Where bundles are fetched and how this pod proves itself. */
export interface BundleServer {
  /** `https://host:port` of the controller. */
  readonly url: string;
  /** PEM: the only roots that its certificate may come from; several while the release's authority changes. */
  readonly roots: string;
  /** The file with the pod's token; read anew for each request, because tokens rotate. */
  readonly tokenFile: string;
  /** How its name becomes an address; the system's way when it is absent. */
  readonly lookup?: LookupFunction;
}

/** What the caller has already. */
export interface KnownBundle {
  readonly etag: string | null;
  /** `EPOCH.REVISION` of the bundle in force. */
  readonly serial: string | null;
}

/** What came of one request. `fault`: half a sentence without anything that the peer said, and how long it asked us to wait. */
export type BundleAnswer =
  | { readonly kind: 'bundle'; readonly text: string; readonly etag: string | null }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'fault'; readonly why: string; readonly afterMs: number };

/** Asks the controller for bundles, one request at a time. */
export class BundleClient {
  readonly #server: BundleServer;
  readonly #agent: Agent;
  readonly #closed = new AbortController();

  constructor(server: BundleServer) {
    const { roots, lookup } = server;
    const connect = { timeout: LIMIT.upstreamConnectMs, ca: roots, ...(lookup === undefined ? {} : { lookup }) };
    this.#server = server;
    this.#agent = new Agent({ connect, connections: 1, pipelining: 1 });
  }

  /** Waits until there is another bundle than the known one, at most `LIMIT.bundleWaitMs`. Never rejects. */
  async ask(known: KnownBundle): Promise<BundleAnswer> {
    try {
      const token = await readPodToken(this.#server.tokenFile);
      return token === null ? fault('the token file of this pod holds no token') : await this.#request(token, known);
    } catch (error) {
      return fault(`the controller gave none (${codeOf(error)})`);
    }
  }

  close(): void {
    this.#closed.abort();
    this.#agent.destroy().catch(() => undefined);
  }

  async #request(token: string, { etag, serial }: KnownBundle): Promise<BundleAnswer> {
    const query = new URLSearchParams({ [BUNDLE_QUERY.wait]: String(LIMIT.bundleWaitMs / 1_000) });
    if (serial !== null) query.set(BUNDLE_QUERY.after, serial);
    const response = await this.#agent.request({
      origin: new URL(this.#server.url).origin,
      path: `${BUNDLE_PATH}?${query.toString()}`,
      method: 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/jose',
        ...(etag === null ? {} : { 'if-none-match': etag }),
      },
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(LIMIT.bundleRequestMs)]),
    });
    if (response.statusCode !== 200) return await readOther(response);
    const text = await readText(response);
    if (text === null) return fault(`the controller answered with more than ${LIMIT.bundleBytes} bytes`);
    return { kind: 'bundle', text, etag: etagOf(response.headers.etag) };
  }
}

/** Reads the token by which this pod proves itself. @returns null when the file holds none */
export async function readPodToken(file: string): Promise<string | null> {
  const text = await readBounded(file, LIMIT.tokenBytes).catch(() => null);
  const token = text?.trim() ?? '';
  // RFC 6750 §2.1; anything else would be an error of the HTTP library that shows the value.
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(token) ? token : null;
}

async function readOther({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<BundleAnswer> {
  await body.dump({ limit: LIMIT.bundleBytes });
  if (statusCode === 204 || statusCode === 304) return { kind: 'unchanged' };
  return fault(STATUS[statusCode] ?? `the controller answered with status ${statusCode}`, headers['retry-after']);
}

const STATUS: Readonly<Record<number, string>> = {
  401: "the controller does not take this pod's token (401)",
  403: 'the controller says that this pod is not guarded (403): make the pod anew',
  503: 'the controller is not ready (503)',
};

/** @returns null when there is too much of it */
async function readText({ body }: Dispatcher.ResponseData): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    // Leaving the loop destroys the body and with it the connection.
    if (bytes > LIMIT.bundleBytes) return null;
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** An entity tag in its own syntax (RFC 9110 §8.8.3), short enough to be sent back. */
function etagOf(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && /^(W\/)?"[\x21\x23-\x7e]{0,256}"$/.test(value) ? value : null;
}

function fault(why: string, retryAfter?: string | string[]): BundleAnswer {
  const wait = typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : 0;
  return { kind: 'fault', why, afterMs: Math.min(wait, LIMIT.bundleBackoffMs) };
}

/** A code of Node, OpenSSL or the HTTP library: from closed lists, and nothing that a peer wrote. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
