import type { ExchangeId, Host } from '#contract/brand.ts';
import type { Refusal } from '#contract/reason.ts';

/** Header fields in order, names as received, duplicates kept. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** What is known of the connection an exchange came over. Nothing here was chosen by the request. */
export interface ConnectionFacts {
  /** Ordinal of the connection in this process. */
  readonly id: number;
  /** The name the connection was terminated for (SNI), or the authority of clear HTTP. */
  readonly host: Host;
  readonly port: number;
  readonly protocol: 'h1' | 'h2';
  readonly secure: boolean;
}

/** One HTTP request as the intercept room hands it over: checked for framing, authority equal to the connection's host. */
export interface InboundRequest {
  readonly connection: ConnectionFacts;
  readonly method: string;
  /** Origin form: path and query, as received. */
  readonly target: string;
  /** Without hop-by-hop fields and without `host` / pseudo fields. */
  readonly headers: Fields;
  /** Reads the whole body. @returns `too_large` when it exceeds the bound, `aborted` when the client went away. */
  readBody(limitBytes: number): Promise<Uint8Array | 'too_large' | 'aborted'>;
  /** Aborted when the client goes away before the reply ended. */
  readonly signal: AbortSignal;
}

/** The way back to the client. After `head` only `write`, `end` and `cut` are of use. */
export interface Reply {
  /** Sends status and header fields; framing is the room's own business. `length` when the whole body is known. */
  head(status: number, headers: Fields, length?: number): void;
  /** @returns when the client can take more (back-pressure); rejects never: a gone client shows in the request's signal. */
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Ends so that the client sees what was written and then a truncation, never a clean end (RFC 9112 §8, RFC 9113 §8.1.1). */
  cut(): void;
}

/** What the intercept room calls for each request of a terminated connection. Never rejects. */
export type ExchangeHandler = (request: InboundRequest, reply: Reply) => Promise<void>;

/** A request as it goes to the provider. */
export interface UpstreamRequest {
  readonly host: Host;
  readonly port: number;
  readonly secure: boolean;
  readonly method: string;
  readonly target: string;
  readonly headers: Fields;
  readonly body: Uint8Array;
  /** Nobody reads the body afterwards: the memory of a large one is given back as soon as the connection took it. */
  readonly releaseBody?: boolean;
  readonly signal: AbortSignal;
}

/** The provider's answer; `body` may be read once, and stops being read when the consumer stops. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Fields;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends over verified TLS. Rejects with `UpstreamError` when no complete response head came. */
export type Forward = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** A refusal and the exchange it belongs to. */
export interface RefusedExchange extends Refusal {
  readonly exchange: ExchangeId;
}
