import type { Socket } from 'node:net';
import { looksLikeTls } from './client-hello.ts';
import { beginsHttp2, isUnfinishedLine, type Sighted, sightBytes } from './sight.ts';

export interface PeekLimits {
  /** Milliseconds until first bytes that are not complete are given up. */
  readonly classifyMs: number;
  /** Whether the time runs from the first byte on: a client may wait for the server to speak first. */
  readonly fromFirstByte: boolean;
  /** Whether the server has already been heard. It has seen nothing of the client, so it spoke first. */
  readonly spoke: () => boolean;
}

const SILENT: Sighted = { sight: { kind: 'silent' }, headBytes: 0 };
const OTHER: Sighted = { sight: { kind: 'other' }, headBytes: 0 };
const LINE: Sighted = { sight: { kind: 'line' }, headBytes: 0 };

/**
 * Reads the first bytes of a connection until it is clear what they are, and puts them back: afterwards the socket is paused and
 * every byte is still to be read.
 * @returns `gone` when the connection closed; `silent` when nothing complete came in time
 */
export function peek(socket: Socket, limits: PeekLimits): Promise<Sighted | 'gone'> {
  return new Promise((resolve) => {
    let held: Buffer = Buffer.alloc(0);
    let timer: NodeJS.Timeout | undefined;
    const settle = (outcome: Sighted | 'gone'): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('close', onClose);
      socket.pause();
      // In the same turn as pause(): the stream must not become empty, or it would end before its next reader is there.
      if (held.length > 0 && !socket.readableEnded && outcome !== 'gone') socket.unshift(held);
      resolve(outcome);
    };
    const start = (): void => {
      // By now even the first line of HTTP/2 would have been complete.
      timer ??= setTimeout(() => settle(isLine() ? LINE : SILENT), limits.classifyMs);
    };
    const isLine = (): boolean => limits.spoke() && isUnfinishedLine(held);
    const onData = (chunk: Buffer): void => {
      start();
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const sighted = sightBytes(held);
      if (sighted !== null) settle(sighted);
      else if (!beginsHttp2(held) && isLine()) settle(LINE);
    };
    // A client that only reads, or whose few bytes no server takes for a request, is no riddle; one that stopped within a
    // beginning is.
    const onEnd = (): void =>
      settle({ ...(limits.fromFirstByte && isNoBeginning(held) ? OTHER : SILENT), lastWords: held });
    const onClose = (): void => settle('gone');
    socket.on('data', onData).on('end', onEnd).on('close', onClose);
    if (socket.destroyed) return settle('gone');
    if (socket.readableEnded) return onEnd();
    if (!limits.fromFirstByte) start();
    socket.resume();
  });
}

/** Whether bytes that nothing follows hold not even the line that a request or a handshake begins with. */
function isNoBeginning(bytes: Buffer): boolean {
  return bytes.length === 0 || !(looksLikeTls(bytes) || bytes.includes(10) || bytes.includes(13));
}

/** Takes a CONNECT head off a peeked connection, so that what follows can be peeked in its turn. */
export function discard(socket: Socket, bytes: number): void {
  const rest = takeBuffered(socket);
  if (rest.length > bytes) socket.unshift(rest.subarray(bytes));
}

function takeBuffered(socket: Socket): Buffer {
  const parts: Buffer[] = [];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
    parts.push(chunk);
  return Buffer.concat(parts);
}
