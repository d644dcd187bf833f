import type { Dispatcher } from 'undici';
import type { Fields, UpstreamResponse } from '../exchange/ports.ts';
import { UpstreamError } from '../exchange/upstream-error.ts';

/** Chunks the consumer has not taken yet; beyond this many bytes the provider is paused. */
const AHEAD_BYTES = 256 * 1024;
/** An answer that the consumer has done with may end by itself for this long, so that its connection can be used again. */
const LINGER_MS = 1_000;

class Chunks implements AsyncIterableIterator<Uint8Array> {
  readonly #queue: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #discarding = false;
  #fault: UpstreamError | null = null;
  #wake: (() => void) | null = null;
  controller: Dispatcher.DispatchController | null = null;

  push(chunk: Uint8Array): void {
    if (this.#discarding) return;
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > AHEAD_BYTES) this.controller?.pause();
    this.#wake?.();
  }
  finish(fault: UpstreamError | null): void {
    this.#ended = true;
    this.#fault = fault;
    this.#wake?.();
  }
  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        if (this.#bytes <= AHEAD_BYTES && this.controller?.paused === true) this.controller.resume();
        return { done: false, value: chunk };
      }
      if (this.#fault !== null) throw this.#fault;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
      this.#wake = null;
    }
  }
  /** The consumer stopped: so must the provider, or it goes on billing for an answer nobody reads. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.#discarding = true;
    this.#queue.length = 0;
    this.#bytes = 0;
    if (this.controller?.paused === true) this.controller.resume();
    const timer = setTimeout(() => {
      if (!this.#ended) this.controller?.abort(new UpstreamError('ABORTED'));
    }, LINGER_MS);
    timer.unref();
    return Promise.resolve({ done: true, value: undefined });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * A dispatch handler that gives the response head to `resolve` and its body as a pausable sequence of chunks.
 * @param signal aborts the request at the provider
 */
export function responseStream(
  signal: AbortSignal,
  resolve: (response: UpstreamResponse) => void,
  reject: (fault: UpstreamError) => void,
): Dispatcher.DispatchHandler {
  const chunks = new Chunks();
  let abort = (): void => reject(new UpstreamError('ABORTED'));
  const onAbort = (): void => abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const settle = (): void => signal.removeEventListener('abort', onAbort);
  return {
    onRequestStart(controller) {
      chunks.controller = controller;
      abort = () => controller.abort(new UpstreamError('ABORTED'));
      if (signal.aborted) abort();
    },
    onResponseStart(controller, status) {
      if (status >= 200) resolve({ status, headers: fieldsOf(controller.rawHeaders), body: chunks });
    },
    onResponseData(_controller, chunk) {
      chunks.push(chunk);
    },
    onResponseEnd() {
      settle();
      chunks.finish(null);
    },
    onResponseError(_controller, fault) {
      settle();
      const known = fault instanceof UpstreamError ? fault : new UpstreamError(codeOf(fault));
      reject(known);
      chunks.finish(known);
    },
  };
}

function codeOf(fault: Error): string {
  const code: unknown = 'code' in fault ? fault.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? code : 'UNKNOWN';
}

function fieldsOf(raw: Dispatcher.DispatchController['rawHeaders']): Fields {
  if (!Array.isArray(raw)) return [];
  const fields: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([String(raw[i]).toLowerCase(), textOf(raw[i + 1])]);
  return fields;
}

function textOf(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
