import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import { sayFarewell } from './farewell.ts';
import { readHttp1Body } from './http1-body.ts';
import { createHttp1Reply } from './http1-reply.ts';
import { writeClosingResponse } from './refusal-answer.ts';
import { checkHttp1, pairFields } from './request-check.ts';
import { answerFault, type FrontPorts, runHandler, sendAnswer, type Terminated } from './terminated.ts';

/** Serves HTTP/1.1 on connections that are given to it; listens nowhere. */
export interface Http1Front {
  accept(socket: Socket, connection: Terminated): void;
  /** Ends idle connections now and the others after their answer. */
  drain(): void;
  close(): void;
}

interface Served {
  readonly connection: Terminated;
  /** Answers not finished yet; more than one when a client pipelines. */
  readonly open: Map<ServerResponse, AbortController>;
  /** A refusal that ends the connection is on its way. */
  refusing: boolean;
}

/** @param ports what requests are handed to */
export function createHttp1Front(ports: FrontPorts): Http1Front {
  const served = new WeakMap<Duplex, Served>();
  const server = createStrictServer();
  let draining = false;
  const serve = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
    const entry = served.get(request.socket);
    if (entry === undefined) return void request.socket.destroy();
    // Pipelined behind a request that was refused for its form: where this one begins is the parser's guess.
    if (entry.refusing) return void request.resume();
    void serveRequest(ports, entry, { request, response, expects, isDraining: () => draining });
  };
  const refuseHere = (socket: Duplex, where: string): void =>
    refuseConnection({ ports, entry: served.get(socket), where }, socket);
  server.on('request', (request, response) => serve(request, response, false));
  server.on('checkContinue', (request, response) => serve(request, response, true));
  server.on('checkExpectation', (request: IncomingMessage) => refuseHere(request.socket, 'expect'));
  server.on('connect', (request: IncomingMessage) => refuseHere(request.socket, 'connect'));
  server.on('upgrade', (request: IncomingMessage) => refuseHere(request.socket, 'upgrade'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A head that does not come in time, or at all: an answer could be taken for that of a later request.
    if (error.code === 'ECONNRESET' || error.code === 'ERR_HTTP_REQUEST_TIMEOUT' || !socket.writable) socket.destroy();
    else refuseHere(socket, error.code === 'HPE_HEADER_OVERFLOW' ? 'header size' : 'framing');
  });
  return {
    accept(socket, connection) {
      served.set(socket, { connection, open: new Map(), refusing: false });
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
    // Checked here, so that the answer is ours.
    requireHostHeader: false,
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
  readonly isDraining: () => boolean;
}

async function serveRequest(ports: FrontPorts, entry: Served, arrived: Arrived): Promise<void> {
  const { connection, open } = entry;
  const { request, response } = arrived;
  const onOver = connection.onRequest();
  const gone = new AbortController();
  open.set(response, gone);
  response.on('close', () => {
    open.delete(response);
    onOver();
    if (!response.writableFinished) gone.abort();
  });
  response.on('error', () => gone.abort());
  request.on('error', () => gone.abort());
  const fields = pairFields(request.rawHeaders);
  const { method = '', url = '', httpVersion: version } = request;
  const checked = checkHttp1({ method, url, version, fields }, connection.facts);
  const body = { asked: false };
  // After a request whose end is uncertain, or one whose body was announced and not called for, the next bytes mean nothing.
  const closes = (): boolean => 'fault' in checked || arrived.isDraining() || (arrived.expects && !body.asked);
  const reply = createHttp1Reply({ response, raw: connection.raw, closes, gone: gone.signal });
  if ('fault' in checked) {
    entry.refusing = true;
    return await sendAnswer(reply, answerFault(ports, connection, { fault: checked.fault, target: url, fields }));
  }
  const readBody = (limit: number): ReturnType<typeof readHttp1Body> => {
    body.asked = true;
    return readHttp1Body(arrived, gone.signal, limit);
  };
  await runHandler(
    ports.handler,
    { connection: connection.facts, ...checked.ok, readBody, signal: gone.signal },
    reply,
  );
}

interface Broken {
  readonly ports: FrontPorts;
  readonly entry: Served | undefined;
  /** What is wrong, from a closed list. */
  readonly where: string;
}

/** For what Node's parser refused or will not follow: one answer if none has begun, then the end of the connection. */
function refuseConnection({ ports, entry, where }: Broken, socket: Duplex): void {
  if (entry === undefined) return void socket.destroy();
  if (entry.refusing) return;
  entry.refusing = true;
  const open = [...entry.open];
  for (const [, gone] of open) gone.abort();
  const answer = answerFault(ports, entry.connection, { fault: where, target: null, fields: [] });
  // Written now, an answer would stand within or before those that the client still waits for.
  if (open.length > 1 || open.some(([response]) => response.headersSent)) return void socket.destroy();
  entry.connection.onRequest()();
  socket.on('error', () => socket.destroy());
  sayFarewell(socket, writeClosingResponse(answer));
}
