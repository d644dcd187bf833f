import http from 'node:http';
import https from 'node:https';
import { LIMIT } from '#contract/limit.ts';
import type { ApiRequest } from '../api-request.ts';
import type { RawObject } from '../ports.ts';
import type { ApiCredentials } from './credentials.ts';
import { LineSplitter } from './json-lines.ts';

/** One request to the API server. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Such as `/api/v1/namespaces`, each part encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** `application/json`, or the kind of a PATCH such as `application/merge-patch+json`. */
  readonly type?: string;
}

/** The API server, authenticated. */
export interface KubeApi {
  /** @returns the object of a 2xx answer. @throws ApiError for any other, and when there is none in `LIMIT.apiRequestMs` */
  readonly call: (call: ApiCall) => Promise<RawObject>;
  /**
   * The events of a watch, one JSON text each, until the server ends it.
   * @throws ApiError when it cannot be opened, is cut, or says nothing for `LIMIT.watchSilenceMs`
   */
  readonly watch: (path: string, query: Readonly<Record<string, string>>, signal: AbortSignal) => AsyncIterable<Buffer>;
  /** The same without judging the answer: every status is one, see `ApiRequest`. */
  readonly ask: ApiRequest;
  readonly close: () => void;
}

/** Why the API server did not do what it was asked. Messages name our request, never an object's content. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, what: string) {
    super(`${what}: ${status === 0 ? code : `status ${status}`}`);
    this.status = status;
    this.code = code;
  }
}

/** Whether an error says that the API server answered with this status. */
export function isStatus(fault: unknown, status: number): boolean {
  return fault instanceof ApiError && fault.status === status;
}

/** Speaks HTTP/1.1 with the API server over connections that are kept. */
export function connectApi(credentials: ApiCredentials): KubeApi {
  const secure = credentials.server.protocol === 'https:';
  const agent = new (secure ? https : http).Agent({
    keepAlive: true,
    maxFreeSockets: 8,
    timeout: LIMIT.watchSilenceMs,
  });
  const open = async (call: ApiCall, signal: AbortSignal): Promise<http.IncomingMessage> => {
    const what = `${call.method} ${call.path}`;
    const { ca, cert, key, servername, authorization } = credentials.current();
    const body = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
    const options: https.RequestOptions = {
      method: call.method,
      agent,
      signal,
      headers: {
        accept: 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === null ? {} : { 'content-type': call.type ?? 'application/json', 'content-length': body.length }),
      },
      ...(secure ? { ca, cert, key, minVersion: 'TLSv1.2' as const } : {}),
      ...(servername === undefined ? {} : { servername }),
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(addressOf(credentials.server, call), options, resolve);
      request.setSocketKeepAlive(true, 15_000);
      request.on('error', (fault) => reject(faultOf(fault, what)));
      request.end(body ?? undefined);
    });
  };
  return {
    call: (call) => objectOf(open, call),
    ask: ({ contentType, ...call }) =>
      answerOf(open, { ...call, ...(contentType === undefined ? {} : { type: contentType }) }),
    watch: (path, query, signal) => eventsOf(open, { method: 'GET', path, query }, signal),
    close: () => agent.destroy(),
  };
}

type Open = (call: ApiCall, signal: AbortSignal) => Promise<http.IncomingMessage>;

async function objectOf(open: Open, call: ApiCall): Promise<RawObject> {
  const what = `${call.method} ${call.path}`;
  const { status, body } = await answerOf(open, call);
  if (status < 200 || status > 299) throw new ApiError(status, 'STATUS', what);
  if (!isObject(body)) throw new ApiError(0, 'NO_OBJECT', what);
  return body;
}

/** Every status is an answer; a body that is no JSON reads as null. */
async function answerOf(open: Open, call: ApiCall): Promise<{ readonly status: number; readonly body: unknown }> {
  const what = `${call.method} ${call.path}`;
  const response = await open(call, AbortSignal.timeout(LIMIT.apiRequestMs));
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > LIMIT.apiAnswerBytes) throw new ApiError(0, 'ANSWER_TOO_LARGE', what);
      parts.push(part);
    }
  } catch (fault) {
    throw faultOf(fault, what);
  }
  return { status: response.statusCode ?? 0, body: parseJson(Buffer.concat(parts)) };
}

async function* eventsOf(open: Open, call: ApiCall, signal: AbortSignal): AsyncGenerator<Buffer> {
  const what = `watch of ${call.path}`;
  // An open watch that says nothing may be one whose other end is gone: a bookmark should have come.
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), LIMIT.watchSilenceMs);
  try {
    const response = await open(call, AbortSignal.any([signal, silence.signal]));
    if (response.statusCode !== 200) {
      response.destroy();
      throw new ApiError(response.statusCode ?? 0, 'STATUS', what);
    }
    const splitter = new LineSplitter(LIMIT.apiEventBytes);
    for await (const part of response as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), LIMIT.watchSilenceMs);
      yield* splitter.push(part);
    }
  } catch (fault) {
    throw silence.signal.aborted ? new ApiError(0, 'WATCH_SILENT', what) : faultOf(fault, what);
  } finally {
    clearTimeout(timer);
  }
}

function addressOf(server: URL, { path, query = {} }: ApiCall): URL {
  const address = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address;
}

/** @throws ApiError when the bytes are not a JSON object */
export function parseObject(bytes: Buffer, what: string): RawObject {
  const value = parseJson(bytes);
  if (!isObject(value)) throw new ApiError(0, 'NOT_JSON', what);
  return value;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function faultOf(fault: unknown, what: string): ApiError {
  if (fault instanceof ApiError) return fault;
  if (fault instanceof RangeError) return new ApiError(0, 'EVENT_TOO_LARGE', what);
  const code = fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : 'NO_ANSWER';
  return new ApiError(0, fault instanceof Error && fault.name === 'TimeoutError' ? 'TIMEOUT' : code, what);
}
