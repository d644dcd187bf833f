import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import type { ConnectionFacts, Reply } from '../exchange/ports.ts';
import { reset, sayFarewell } from './farewell.ts';
import { readHttp1Body } from './http1-body.ts';
import { writeClosingResponse } from './refusal-answer.ts';
import { answerFields, checkHttp1, pairFields } from './request-check.ts';
import { answerRefusal, type FrontPorts, runHandler, sendAnswer, type Terminated } from './terminated.ts';

/** Serves HTTP/1.1 on connections that are given to it; listens nowhere. */
export interface Http1Front {
  accept(socket: Socket, connection: Terminated): void;
  /** Ends idle connections now and the others after their answer. */
  drain(): void;
  close(): void;
}

const CLOSE = ['connection', 'close'] as const;

interface Served {
  readonly connection: Terminated;
  response: ServerResponse | null;
}

/** @param ports what requests are handed to */
export function createHttp1Front(ports: FrontPorts): Http1Front {
  const served = new WeakMap<Duplex, Served>();
  const server = createStrictServer();
  let draining = false;
  const serve = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    const entry = served.get(request.socket);
    if (entry === undefined) return void request.socket.destroy();
    entry.response = response;
    if (draining) response.setHeader('connection', 'close');
    void serveRequest(ports, entry.connection, { request, response, expects });
  };
  const refuseHere = (socket: Duplex): void => refuseConnection(ports, served.get(socket), socket);
  server.on('request', (request, response) => serve(request, response, false));
  server.on('checkContinue', (request, response) => serve(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage) => refuseHere(request.socket));
  server.on('connect', (request: IncomingMessage) => refuseHere(request.socket));
  server.on('upgrade', (request: IncomingMessage) => refuseHere(request.socket));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else refuseHere(socket);
  });
  return {
    accept(socket, connection) {
      served.set(socket, { connection, response: null });
      server.emit('connection', socket);
    },
    drain() {
      draining = true;
      server.closeIdleConnections();
    },
    close: () => void server.close(),
  };
}

function createStrictServer(): Server {
  const server = createServer({
    maxHeaderSize: LIMIT.headerBytes,
    keepAliveTimeout: LIMIT.keepAliveMs,
    headersTimeout: LIMIT.headersMs,
    requestTimeout: 0,
    noDelay: true,
    insecureHTTPParser: false,
  });
  // Beyond a count Node drops fields in silence, so a second Host could hide there; the size is bounded anyway.
  server.maxHeadersCount = 0;
  // The server never listens, and Node starts the check of `headersTimeout` with that event.
  server.emit('listening');
  return server;
}

interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for 100 Continue before its body. */
  readonly expects: boolean;
}

async function serveRequest(ports: FrontPorts, connection: Terminated, arrived: Arrived): Promise<void> {
  const { request, response } = arrived;
  connection.onRequest();
  const gone = new AbortController();
  response.on('close', () => response.writableFinished || gone.abort());
  response.on('error', () => gone.abort());
  request.on('error', () => gone.abort());
  const reply = createReply(response, connection.raw);
  const fields = pairFields(request.rawHeaders);
  const { method = '', url = '', httpVersion: version } = request;
  const checked = checkHttp1({ method, url, version, fields }, connection.facts);
  if (!('ok' in checked) || !ports.hasPolicy()) {
    const ambiguous = 'fault' in checked;
    // After a request whose end is uncertain, nothing more on this connection can be trusted.
    if (ambiguous) response.setHeader('connection', 'close');
    const refused = { host: connection.facts.host, method, target: url, protocol: 'h1' } as const;
    const refusal = ambiguous
      ? ({ reason: 'protocol_not_allowed', where: checked.fault } as const)
      : ({ reason: 'policy_missing' } as const);
    return await sendAnswer(reply, answerRefusal(ports, refused, fields, refusal));
  }
  const readBody = (limit: number) => readHttp1Body(arrived, gone.signal, limit);
  await runHandler(
    ports.handler,
    { connection: connection.facts, ...checked.ok, readBody, signal: gone.signal },
    reply,
  );
}

/** For what Node's parser refused or will not follow: one answer if none has begun, then the end of the connection. */
function refuseConnection(ports: FrontPorts, entry: Served | undefined, socket: Duplex): void {
  if (entry === undefined || (entry.response?.headersSent && !entry.response.writableFinished))
    return void socket.destroy();
  entry.connection.onRequest();
  const facts: ConnectionFacts = entry.connection.facts;
  const request = { host: facts.host, method: null, target: null, protocol: 'h1' } as const;
  const answer = ports.refuse(request, { reason: 'protocol_not_allowed', where: 'framing' });
  socket.on('error', () => socket.destroy());
  sayFarewell(socket as Socket, writeClosingResponse(answer));
}

function createReply(response: ServerResponse, raw: Socket): Reply {
  const settled = (): Promise<void> =>
    new Promise((resolve) => {
      if (response.destroyed || response.writableFinished) return resolve();
      response.once('finish', resolve).once('close', resolve);
    });
  return {
    head(status, headers, length) {
      if (response.destroyed || response.headersSent) return;
      const framed =
        length === undefined ? answerFields(headers) : [...answerFields(headers), ['content-length', String(length)]];
      const close = response.getHeader('connection') === 'close';
      response.removeHeader('connection');
      response.shouldKeepAlive &&= !close;
      response.writeHead(status, (close ? [...framed, CLOSE] : framed).flat());
      response.flushHeaders();
    },
    async write(chunk) {
      if (response.destroyed || response.write(asBuffer(chunk))) return;
      await new Promise<void>((resolve) => {
        response.once('drain', resolve).once('close', resolve);
      });
    },
    async end() {
      if (!response.writableEnded) response.end();
      await settled();
    },
    cut: () => reset(raw),
  };
}

/** A view, not a copy: only Buffers are ever handed to a stream. */
export function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
