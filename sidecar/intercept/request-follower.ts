import { type HttpHead, parseHttpHead } from './http-head.ts';

/** What became of some bytes of a followed connection. */
export interface FollowStep {
  /** May go on to the server, in order. */
  readonly forward: readonly Buffer[];
  /**
   * `refused`: the next bytes are no request that may pass, close. `upgrade`: the request just forwarded asked for another
   * protocol; give `rest` to `push` again when the server declined, or to the server when it agreed.
   */
  readonly stop: 'refused' | 'upgrade' | null;
  readonly rest: Buffer;
}

type State =
  | { readonly at: 'head' }
  | { readonly at: 'body'; left: number }
  | { readonly at: 'chunk-size' }
  | { readonly at: 'chunk-data'; left: number }
  | { readonly at: 'chunk-end' }
  | { readonly at: 'trailer' };

const EMPTY: Buffer = Buffer.alloc(0);
/** A chunk-size line or a trailer field (RFC 9112 §7.1). */
const LINE_BYTES = 8 * 1024;

/**
 * Follows the requests of a clear HTTP/1 connection by their framing, without changing a byte, so that every request head is judged
 * before it is forwarded. Body bytes pass as they come; a head is held until it is complete.
 */
export class RequestFollower {
  private readonly judge: (head: HttpHead) => boolean;
  private state: State = { at: 'head' };
  private held: Buffer = EMPTY;
  private heads = 0;
  private upgrading = false;
  private asked: string | null = null;

  /** @param judge whether a request may pass */
  constructor(judge: (head: HttpHead) => boolean) {
    this.judge = judge;
  }

  /** @param chunk the next bytes from the client, cut anywhere */
  push(chunk: Buffer): FollowStep {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const forward: Buffer[] = [];
    for (;;) {
      if (this.state.at === 'head' && this.upgrading) {
        this.upgrading = false;
        const rest = this.held;
        this.held = EMPTY;
        return { forward, stop: 'upgrade', rest };
      }
      const taken = this.step();
      if (taken === 'refused') return { forward, stop: 'refused', rest: EMPTY };
      if (taken === 0) return { forward, stop: null, rest: EMPTY };
      forward.push(this.held.subarray(0, taken));
      this.held = this.held.subarray(taken);
    }
  }

  /** Gives up following: everything that is still held, for the server. */
  release(): Buffer {
    const rest = this.held;
    this.held = EMPTY;
    return rest;
  }

  /** The protocols that the last upgrade asked for, in lower case. */
  get upgrade(): string | null {
    return this.asked;
  }

  /** @returns how many held bytes may pass; 0 to wait for more */
  private step(): number | 'refused' {
    const { state } = this;
    if (state.at === 'head') return this.takeHead();
    return state.at === 'body' || state.at === 'chunk-data' ? this.takeBody(state) : this.takeLine(state.at);
  }

  private takeHead(): number | 'refused' {
    if (this.held.length === 0) return 0;
    const outcome = parseHttpHead(this.held);
    if (outcome.state === 'incomplete') return 0;
    if (outcome.state !== 'complete' || !this.judge(outcome.head)) return 'refused';
    const { head } = outcome;
    this.heads += 1;
    this.upgrading = head.upgrade !== null;
    this.asked = head.upgrade;
    // The answer to a later upgrade cannot be told from those to requests before it; clients upgrade fresh connections.
    if (this.upgrading && this.heads > 1) return 'refused';
    if (head.framing.kind === 'chunked') this.state = { at: 'chunk-size' };
    else if (head.framing.bytes > 0) this.state = { at: 'body', left: head.framing.bytes };
    return head.bytes;
  }

  private takeBody(state: { readonly at: 'body' | 'chunk-data'; left: number }): number {
    const taken = Math.min(state.left, this.held.length);
    state.left -= taken;
    if (state.left === 0) this.state = state.at === 'body' ? { at: 'head' } : { at: 'chunk-end' };
    return taken;
  }

  private takeLine(at: 'chunk-size' | 'chunk-end' | 'trailer'): number | 'refused' {
    const end = this.held.indexOf(10);
    if (end === -1) return this.held.length > LINE_BYTES ? 'refused' : 0;
    if (end > LINE_BYTES || this.held[end - 1] !== 13) return 'refused';
    const line = this.held.toString('latin1', 0, end - 1);
    if (line.includes('\r')) return 'refused';
    const next = at === 'chunk-size' ? sizeState(line) : lineState(at, line);
    if (next === null) return 'refused';
    this.state = next;
    return end + 1;
  }
}

/** The end of chunk data is an empty line; trailer fields end with one. */
function lineState(at: 'chunk-end' | 'trailer', line: string): State | null {
  if (at === 'chunk-end') return line === '' ? { at: 'chunk-size' } : null;
  if (line === '') return { at: 'head' };
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:/.test(line) ? { at: 'trailer' } : null;
}

function sizeState(line: string): State | null {
  const size = /^([0-9a-f]{1,8})[ \t]*(?:;[\t\x20-\x7e]*)?$/i.exec(line)?.[1];
  if (size === undefined) return null;
  const bytes = Number.parseInt(size, 16);
  return bytes === 0 ? { at: 'trailer' } : { at: 'chunk-data', left: bytes };
}
