import { readFile } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { hash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import type { z } from 'zod';
import type { ChainId } from '#contract/brand.ts';
import {
  batchAnswerSchema,
  batchPath,
  ENROL_PATH,
  enrolAnswerSchema,
  forgottenSchema,
  readStatement,
  type Receipt,
  receiptSchema,
} from '#contract/chain-protocol.ts';
import { parseJson, type PublicKey, SIGNED_TYPE, verifyingKey, verifySigned } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import type { SigningKey } from './signing-key.ts';

/** Where the collector is and how this pod proves itself. */
export interface CollectorOptions {
  /** `https://host:port`; plain HTTP only where a test asks for it. */
  readonly url: string;
  /** PEM roots the collector's certificate is verified against; the system's when it is absent. */
  readonly ca?: string;
  /** File with the enrolment token; read anew at each enrolment, because tokens rotate. */
  readonly tokenFile: string;
  /** How its name becomes an address; the system's way when it is absent. */
  readonly lookup?: LookupFunction;
}

/** How the collector answered a batch. `forgotten`: it holds nothing of this segment. `retry`: later, the same again. `held`: it will not take this one as it is. */
export type ShipAnswer =
  | { readonly kind: 'receipt'; readonly receipt: Receipt }
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'unknown_key' }
  | { readonly kind: 'held'; readonly status: number }
  | { readonly kind: 'retry'; readonly status: number; readonly afterMs: number };

/** A batch of frames of one segment; no bytes ask for the collector's position. */
export interface ShipBatch {
  readonly segment: string;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Talks to the collector: enrols the pod's key, sends batches, verifies receipts. */
export class CollectorClient {
  readonly #options: CollectorOptions;
  readonly #identity: { readonly chain: ChainId; readonly workload: string; readonly signing: SigningKey };
  readonly #agent: Agent;
  readonly #origin: string;
  #keys = new Map<string, KeyObject>();

  constructor(
    options: CollectorOptions,
    identity: { readonly chain: ChainId; readonly workload: string; readonly signing: SigningKey },
  ) {
    this.#options = options;
    this.#identity = identity;
    this.#origin = new URL(options.url).origin;
    const { ca, lookup } = options;
    const own = { ...(ca === undefined ? {} : { ca }), ...(lookup === undefined ? {} : { lookup }) };
    const connect = { timeout: LIMIT.upstreamConnectMs, ...own };
    this.#agent = new Agent({ connect, connections: 1, pipelining: 1 });
  }

  /** Enrols the key and learns the collector's own keys. @returns false when it was not taken. @throws when there was no answer */
  async enrol(): Promise<boolean> {
    const { chain, workload, signing } = this.#identity;
    const claim = { v: 1, chain, workload, key: signing.public, iat: seconds() };
    const token = (await readFile(this.#options.tokenFile, 'utf8')).trim();
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/jose' };
    const answer = await this.#post(
      ENROL_PATH,
      headers,
      Buffer.from(signing.sign(SIGNED_TYPE.enrol, JSON.stringify(claim))),
    );
    const body = answer.status === 200 ? parseAnswer(answer.text, enrolAnswerSchema) : null;
    if (body === null) return false;
    this.#keys = keysOf(body.jwks.keys);
    return this.#keys.size > 0;
  }

  /** Sends a batch. @throws when there was no answer in time */
  async send(batch: ShipBatch): Promise<ShipAnswer> {
    const { chain, signing } = this.#identity;
    const { segment, offset, bytes } = batch;
    const claim = {
      v: 1,
      chain,
      segment,
      offset,
      bytes: bytes.length,
      sha256: hash('sha256', bytes, 'base64url'),
      iat: seconds(),
    };
    const headers = {
      authorization: `Bearer ${signing.sign(SIGNED_TYPE.batch, JSON.stringify(claim))}`,
      'content-type': 'application/octet-stream',
    };
    const { status, text, afterMs } = await this.#post(batchPath(chain, segment), headers, bytes);
    if (status === 401) return { kind: 'unknown_key' };
    if (status === 200 || status === 409) {
      const receipt = this.#receipt(text, segment);
      if (receipt !== null) return { kind: 'receipt', receipt };
      const forgotten = status === 409 && parseAnswer(text, forgottenSchema) !== null;
      // Success without a receipt that we can verify is no success.
      return forgotten ? { kind: 'forgotten' } : { kind: 'retry', status, afterMs: 0 };
    }
    return status === 429 || status >= 500 || status < 400
      ? { kind: 'retry', status, afterMs }
      : { kind: 'held', status };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #receipt(text: string, segment: string): Receipt | null {
    const body = parseAnswer(text, batchAnswerSchema);
    const read = body === null ? null : readStatement(body.receipt, SIGNED_TYPE.receipt, receiptSchema);
    const key = read === null ? undefined : this.#keys.get(read.signed.kid);
    if (read === null || key === undefined || !verifySigned(read.signed, key)) return null;
    return read.claim.chain === this.#identity.chain && read.claim.segment === segment ? read.claim : null;
  }

  async #post(
    path: string,
    headers: Record<string, string>,
    body: Uint8Array,
  ): Promise<{ status: number; text: string; afterMs: number }> {
    const response = await this.#agent.request({
      origin: this.#origin,
      path,
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(LIMIT.shipTimeoutMs),
    });
    return {
      status: response.statusCode,
      text: await readBounded(response),
      afterMs: retryAfterMs(response.headers['retry-after']),
    };
  }
}

function keysOf(keys: readonly (PublicKey & { readonly kid: string })[]): Map<string, KeyObject> {
  const known = new Map<string, KeyObject>();
  for (const jwk of keys) {
    const key = verifyingKey(jwk);
    if (key !== null) known.set(jwk.kid, key);
  }
  return known;
}

async function readBounded(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > LIMIT.shipAnswerBytes) throw new Error('the collector answered at too great a length');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>): T | null {
  const parsed = schema.safeParse(parseJson(text));
  return parsed.success ? parsed.data : null;
}

function retryAfterMs(value: string | string[] | undefined): number {
  const wait = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) * 1_000 : 0;
  return Math.min(wait, LIMIT.shipBackoffMs);
}

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}
