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
  const body = await readBody(request, signal, limitBytes);
  return body instanceof Uint8Array && !request.complete ? 'aborted' : body;
}

/**
 * Collects a readable side up to a bound, holding at most the bound and one chunk.
 * @returns `too_large` with the rest left unread; `aborted` when the other side went away before the end
 */
export function readBody(
  stream: Readable,
  signal: AbortSignal,
  limitBytes: number,
): Promise<Uint8Array | 'too_large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (outcome: Uint8Array | 'too_large' | 'aborted'): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      signal.removeEventListener('abort', onGone);
      resolve(outcome);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limitBytes) return void chunks.push(chunk);
      stream.pause();
      settle('too_large');
    };
    const onEnd = (): void =>
      settle(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const onGone = (): void => settle('aborted');
    if (signal.aborted || (stream.destroyed && !stream.readableEnded)) return onGone();
    if (stream.readableEnded) return onEnd();
    stream.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
    signal.addEventListener('abort', onGone);
  });
}
