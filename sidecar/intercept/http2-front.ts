import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';
import type { Fields } from '../exchange/ports.ts';
import { readBody } from './http1-body.ts';
import { asBuffer } from './http1-reply.ts';
import { answerFields, checkHttp2, pairFields } from './request-check.ts';
import { answerFault, type FrontPorts, type RoomReply, runHandler, sendAnswer, type Terminated } from './terminated.ts';

/** Header fields of one request, beyond which the stream is refused. */
const HEADER_PAIRS = 500;

/** Serves HTTP/2 on connections that are given to it. */
export interface Http2Front {
  accept(socket: Socket, connection: Terminated): void;
  /** Sends GOAWAY; sessions end with their last stream. */
  drain(): void;
}

/** @param ports what requests are handed to */
export function createHttp2Front(ports: FrontPorts): Http2Front {
  const sessions = new Set<ServerHttp2Session>();
  return {
    accept(socket, connection) {
      const session = openSession(socket);
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
      session.on('error', () => session.destroy());
      session.on(
        'stream',
        (stream, _headers, _flags, flat) => void serveStream(ports, connection, stream, pairFields(flat)),
      );
      // An inactive session is closed, but a stream may think for as long as it likes.
      session.setTimeout(LIMIT.keepAliveMs, () => session.close());
    },
    drain() {
      for (const session of sessions) session.close();
    },
  };
}

function openSession(socket: Socket): ServerHttp2Session {
  const session = performServerHandshake(socket, {
    settings: {
      maxConcurrentStreams: LIMIT.h2Streams,
      initialWindowSize: LIMIT.h2StreamWindowBytes,
      maxHeaderListSize: LIMIT.headerBytes,
      enablePush: false,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: HEADER_PAIRS,
    maxSessionMemory: LIMIT.h2SessionMegabytes,
    // Users who leave many streamed answers early are no attack (nghttp2's own limit: 1000, then 33 a second).
    streamResetBurst: 10 * LIMIT.h2Streams,
    streamResetRate: LIMIT.h2Streams,
    strictFieldWhitespaceValidation: true,
  });
  session.once('connect', () => session.setLocalWindowSize(LIMIT.h2SessionWindowBytes));
  return session;
}

async function serveStream(
  ports: FrontPorts,
  connection: Terminated,
  stream: ServerHttp2Stream,
  fields: Fields,
): Promise<void> {
  const onOver = connection.onRequest();
  stream.on('close', onOver);
  const gone = new AbortController();
  stream.on('error', () => gone.abort());
  // A reset ends our side by itself, so `close` alone would look like a finished answer.
  stream.on('aborted', () => gone.abort());
  stream.on('close', () => stream.writableFinished || gone.abort());
  const reply = createReply(stream);
  const checked = checkHttp2(fields, connection.facts);
  if ('fault' in checked) {
    const target = fields.find(([key]) => key === ':path')?.[1] ?? null;
    return await sendAnswer(reply, answerFault(ports, connection, { fault: checked.fault, target, fields }));
  }
  const length = checked.ok.headers.find(([name]) => name === 'content-length')?.[1];
  const readAll = async (limit: number): Promise<Uint8Array | 'too_large' | 'aborted'> =>
    Number(length ?? 0) > limit
      ? 'too_large'
      : await readBody(stream, gone.signal, { limitBytes: limit, declaredBytes: Number(length ?? 0) });
  await runHandler(
    ports.handler,
    { connection: connection.facts, ...checked.ok, readBody: readAll, signal: gone.signal },
    reply,
  );
}

/**
 * Writes Buffers only and ends without data: Node's HTTP/2 server has put other memory on the wire for strings queued in one turn
 * and a last `end('')`.
 */
function createReply(stream: ServerHttp2Stream): RoomReply {
  const isOver = (): boolean => stream.destroyed || stream.closed;
  return {
    head(status, headers, length) {
      if (isOver() || stream.headersSent) return;
      const fields: Record<string, string | string[]> = {};
      for (const [name, value] of answerFields(headers)) append(fields, name.toLowerCase(), value);
      if (length !== undefined) fields['content-length'] = String(length);
      stream.respond({ ...fields, ':status': status }, { endStream: length === 0 });
    },
    async write(chunk) {
      if (isOver() || stream.writableEnded || stream.write(asBuffer(chunk))) return;
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve).once('close', resolve);
      });
    },
    async end() {
      if (isOver()) return;
      if (!stream.writableEnded) stream.end();
      await new Promise<void>((resolve) => {
        if (stream.writableFinished || isOver()) return resolve();
        stream.once('finish', resolve).once('close', resolve);
      });
      // The answer is complete without the rest of the request (RFC 9113 §8.1); Node sees to it when nothing was read. Not in
      // this turn: the reset would overtake the answer.
      if (stream.readableFlowing !== null && !stream.readableEnded)
        setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
    },
    cut: () => {
      // What was written before (an error event) must arrive first: RST_STREAM would overtake it. Not `close`: once its
      // frames are out, Node ends the stream cleanly before it sends the code, and the answer would look whole.
      if (!isOver()) setTimeout(() => stream.destroy(new Error('cut')), LIMIT.cutMs);
    },
    isSettled: () => isOver() || stream.writableEnded,
  };
}

function append(fields: Record<string, string | string[]>, name: string, value: string): void {
  const known = fields[name];
  if (known === undefined) fields[name] = value;
  else fields[name] = Array.isArray(known) ? [...known, value] : [known, value];
}
