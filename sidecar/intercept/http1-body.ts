import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/**
 * Reads the whole body of an HTTP/1 request; a client that waits for 100 Continue gets it only now.
 */
export async function readHttp1Body(
  {
    request,
    response,
    expects,
  }: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly expects: boolean },
  signal: AbortSignal,
  limitBytes: number,
): Promise<Uint8Array | 'too_large' | 'aborted'> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return 'too_large';
  // Only now: until the request was decided nothing of its body should travel (RFC 9110 §10.1.1).
  if (expects && !response.headersSent && !signal.aborted) response.writeContinue();
  const body = await readBody(request, signal, {
    limitBytes,
    declaredBytes: Number(request.headers['content-length'] ?? 0),
  });
  return body instanceof Uint8Array && !request.complete ? 'aborted' : body;
}

/** Bounds of a body. */
export interface BodyBounds {
  readonly limitBytes: number;
  /** What Content-Length says; 0 when nothing does. */
  readonly declaredBytes: number;
}

/** From this size on a body of declared length is read into one piece of memory, instead of being put together at the end. */
const ONE_PIECE_BYTES = 256 * 1024;

/**
 * Collects a readable side up to a bound, holding at most the bound and one chunk.
 * @returns `too_large` with the rest left unread; `aborted` when the other side went away before the end
 */
export function readBody(
  stream: Readable,
  signal: AbortSignal,
  { limitBytes, declaredBytes }: BodyBounds,
): Promise<Uint8Array | 'too_large' | 'aborted'> {
  return new Promise((resolve) => {
    const body =
      declaredBytes >= ONE_PIECE_BYTES && declaredBytes <= limitBytes ? new Piece(declaredBytes) : new Pieces();
    let size = 0;
    const settle = (outcome: Uint8Array | 'too_large' | 'aborted'): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      signal.removeEventListener('abort', onGone);
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limitBytes && body.take(chunk)) return;
      stream.pause();
      settle('too_large');
    };
    const onEnd = (): void => settle(body.whole() ?? 'aborted');
    const onGone = (): void => settle('aborted');
    if (signal.aborted || (stream.destroyed && !stream.readableEnded)) return onGone();
    if (stream.readableEnded) return onEnd();
    stream.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    signal.addEventListener('abort', onGone);
  });
}

/** A body of unknown or small length. */
class Pieces {
  readonly #chunks: Buffer[] = [];

  take(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  whole(): Uint8Array {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }
}

/** A body of a length that was declared. */
class Piece {
  readonly #bytes: Buffer;
  #size = 0;

  constructor(bytes: number) {
    // Memory of its own, which the kernel gives only as it is written; what was not written is never shown.
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** @returns false when more comes than was declared */
  take(chunk: Buffer): boolean {
    if (this.#size + chunk.length > this.#bytes.length) return false;
    this.#bytes.set(chunk, this.#size);
    this.#size += chunk.length;
    return true;
  }

  /** @returns null when less came than was declared */
  whole(): Uint8Array | null {
    return this.#size === this.#bytes.length ? this.#bytes : null;
  }
}
