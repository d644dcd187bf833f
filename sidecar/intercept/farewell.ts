import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { LIMIT } from '#contract/limit.ts';

/** A fatal access_denied alert in a plaintext record (RFC 8446 §5.1, §6.2: 49), understood before any handshake message. */
export const ACCESS_DENIED: Uint8Array = Uint8Array.of(21, 3, 3, 0, 2, 2, 49);

/**
 * Sends a last word and closes, reading on so that unread bytes do not turn the close into a reset that overtakes it.
 */
export function sayFarewell(socket: Duplex, bytes: Uint8Array): void {
  const timer = setTimeout(() => socket.destroy(), LIMIT.farewellMs);
  socket.on('close', () => clearTimeout(timer));
  socket.on('end', () => socket.writableFinished && socket.destroy());
  socket.on('finish', () => socket.readableEnded && socket.destroy());
  socket.end(bytes);
  socket.resume();
}

/** Ends a connection as an unreachable peer would: with a reset. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  socket.resetAndDestroy();
}
