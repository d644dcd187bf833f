/**
 * One request to the API server, bodies as JSON. Every HTTP status is an answer; `body` is null where there is none that reads as JSON.
 * @throws when the API server does not answer in time
 */
export type ApiRequest = (request: {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Path and query, from the root. */
  readonly path: string;
  /** `application/json` unless said otherwise. */
  readonly contentType?: string;
  readonly body?: unknown;
}) => Promise<ApiAnswer>;

/** What the API server said. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A member of an answer, wherever the answer has one. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
