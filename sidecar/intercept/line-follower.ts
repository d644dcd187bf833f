import { beginsRequest, isRequestLine } from './http-head.ts';
import type { FollowStep } from './request-follower.ts';

/** How much of a line's beginning and end is kept to judge it by; what lies between decides nothing. */
const LINE_START = 64;
const LINE_END = 512;

/**
 * Follows a client that began a line and did not end it, to a server that spoke first: bytes pass as they come, and the line is judged
 * when it ends. A server acts on no request before its first line is complete, and such a line does not pass.
 */
export class LineFollower {
  #line = '';
  #passing = false;
  #refused: Buffer = Buffer.alloc(0);

  /** @param chunk the next bytes from the client, cut anywhere; the first ones included */
  push(chunk: Buffer): FollowStep {
    if (this.#passing || !this.#take(chunk.toString('latin1')))
      return { forward: [chunk], stop: null, rest: Buffer.alloc(0) };
    this.#refused = chunk;
    return { forward: [], stop: 'refused', rest: Buffer.alloc(0) };
  }

  /** Gives up following: what was refused, for the server. */
  release(): Buffer {
    return this.#refused;
  }

  /** @returns whether a request's first line is complete with this text */
  #take(text: string): boolean {
    // Servers skip empty lines before a request.
    const line = this.#line === '' ? text.replace(/^[\r\n]+/, '') : this.#line + text;
    const end = line.indexOf('\n');
    if (end !== -1) {
      this.#passing = true;
      return isRequestLine(line.slice(0, end));
    }
    this.#passing = !beginsRequest(line);
    this.#line = line.length <= LINE_START + LINE_END ? line : shorten(line);
    return false;
  }
}

/** White space counts once: a line of it must not push the version out of what is kept. */
function shorten(line: string): string {
  return line.slice(0, LINE_START) + line.slice(LINE_START).replace(/\s+/g, ' ').slice(-LINE_END);
}
