import { LIMIT } from '#contract/limit.ts';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { reset } from './farewell.ts';
import { answerFields } from './request-check.ts';
import type { RoomReply } from './terminated.ts';

/** One HTTP/1 answer and what must become of its connection. */
export interface Http1Answer {
  readonly response: ServerResponse;
  /** The TCP connection below: TLS cannot be reset. */
  readonly raw: Socket;
  /** Whether the connection must end with this answer, asked when its head is sent. */
  readonly closes: () => boolean;
  readonly gone: AbortSignal;
}

const CLOSE = ['connection', 'close'] as const;

/** Answers by Node's ServerResponse: it frames by length, by chunks, or for HTTP/1.0 by the end of the connection. */
export function createHttp1Reply({ response, raw, closes, gone }: Http1Answer): RoomReply {
  const isOver = (): boolean => response.destroyed || gone.aborted;
  let cut = false;
  return {
    head(status, headers, length) {
      if (isOver() || response.headersSent) return;
      const fields = [...answerFields(headers)];
      if (length !== undefined) fields.push(['content-length', String(length)]);
      if (closes()) {
        response.shouldKeepAlive = false;
        fields.push(CLOSE);
      }
      response.writeHead(status, fields.flat());
      // A stream's head goes out at once; that of a whole body travels with it.
      if (length === undefined) response.flushHeaders();
    },
    async write(chunk) {
      if (isOver() || response.writableEnded || response.write(asBuffer(chunk))) return;
      await new Promise<void>((resolve) => {
        response.once('drain', resolve).once('close', resolve);
      });
    },
    async end() {
      if (isOver()) return;
      if (!response.writableEnded) response.end();
      if (response.writableFinished) return;
      await new Promise<void>((resolve) => {
        response.once('finish', resolve).once('close', resolve);
      });
    },
    cut() {
      cut = true;
      // What was written before (an error event) must arrive first: a reset would overtake it.
      if (!response.headersSent) return reset(raw);
      setTimeout(() => reset(raw), LIMIT.cutMs);
    },
    isSettled: () => cut || response.writableEnded || isOver(),
  };
}

/** A view, not a copy: only Buffers are ever handed to a stream. */
export function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
