import { createHash } from 'node:crypto';
import { Agent, type Dispatcher } from 'undici';
import { LIMIT } from '#contract/limit.ts';
import { LISTS_HEAD_BYTES, LISTS_PATH, type ListsHead, parseListsHead } from '#contract/lists-protocol.ts';
import { type BundleServer, codeOf, readPodToken } from '../bundle/bundle-client.ts';

/** What the controller gave: the head, and the bytes of each table. */
export interface FetchedLists {
  readonly head: ListsHead;
  readonly tables: readonly Uint8Array[];
}

/** Why there are none: half a sentence without anything that the peer said. */
export interface FetchFault {
  readonly why: string;
}

/** A whole answer must be here by then; tens of megabytes through a busy network take their time. */
const FETCH_MS = 60_000;
const NEWLINE = 10;

/**
 * Asks the controller for the lists with a tag, on a connection of its own: the next attempt may reach another replica.
 * @returns them, if they are the ones that the tag stands for; never rejects
 */
export async function fetchLists(
  { url, roots, lookup, tokenFile }: BundleServer,
  tag: string,
  stopped: AbortSignal,
): Promise<FetchedLists | FetchFault> {
  const token = await readPodToken(tokenFile);
  if (token === null) return { why: 'the token file of this pod holds no token' };
  const connect = { timeout: LIMIT.upstreamConnectMs, ca: roots, ...(lookup === undefined ? {} : { lookup }) };
  const agent = new Agent({ connect, connections: 1, pipelining: 1 });
  try {
    const response = await agent.request({
      origin: new URL(url).origin,
      path: `${LISTS_PATH}/${tag}`,
      method: 'GET',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.any([stopped, AbortSignal.timeout(FETCH_MS)]),
    });
    return await readAnswer(response, tag);
  } catch (error) {
    return { why: `the controller gave none (${codeOf(error)})` };
  } finally {
    agent.destroy().catch(() => undefined);
  }
}

const STATUS: Readonly<Record<number, string>> = {
  401: "the controller does not take this pod's token (401)",
  403: 'the controller says that this pod is not guarded (403): make the pod anew',
  404: 'this replica of the controller has others (404)',
  503: 'the controller is busy or not ready (503)',
};

async function readAnswer(
  { statusCode, body }: Dispatcher.ResponseData,
  tag: string,
): Promise<FetchedLists | FetchFault> {
  if (statusCode !== 200) {
    await body.dump({ limit: LISTS_HEAD_BYTES });
    return { why: STATUS[statusCode] ?? `the controller answered with status ${statusCode}` };
  }
  const hash = createHash('sha256');
  const reader = new AnswerReader();
  for await (const chunk of body) {
    const piece = chunk as Buffer;
    hash.update(piece);
    // Leaving the loop destroys the body and with it the connection.
    if (!reader.take(piece)) return { why: 'the controller answered with something that is no lists' };
  }
  const fetched = reader.finish();
  return fetched !== null && hash.digest('base64url') === tag
    ? fetched
    : { why: 'what the controller gave is not what the signed policy names' };
}

/** Puts an answer together as it comes, each table in memory of its own: then it lies as its numbers need it, and is held once. */
export class AnswerReader {
  #line: Buffer = Buffer.alloc(0);
  #head: ListsHead | null = null;
  #tables: readonly Uint8Array[] = [];
  /** Bytes of the tables that came. */
  #filled = 0;

  /** @returns false when it is no answer, or longer than it says */
  take(piece: Buffer): boolean {
    if (this.#head !== null) return this.#fill(piece);
    const end = piece.indexOf(NEWLINE);
    this.#line = Buffer.concat([this.#line, end < 0 ? piece : piece.subarray(0, end)]);
    if (this.#line.length >= LISTS_HEAD_BYTES) return false;
    if (end < 0) return true;
    this.#head = parseListsHead(this.#line.toString('utf8'));
    if (this.#head === null) return false;
    this.#tables = this.#head.tables.map(({ bytes }) => new Uint8Array(bytes));
    return this.#fill(piece.subarray(end + 1));
  }

  /** @returns null when something is missing */
  finish(): FetchedLists | null {
    const all = this.#tables.reduce((sum, { length }) => sum + length, 0);
    return this.#head === null || this.#filled !== all ? null : { head: this.#head, tables: this.#tables };
  }

  #fill(piece: Buffer): boolean {
    let [rest, begin] = [piece, 0];
    for (const table of this.#tables) {
      const at = this.#filled - begin;
      begin += table.length;
      if (at < 0) break;
      if (at >= table.length) continue;
      const part = rest.subarray(0, table.length - at);
      table.set(part, at);
      this.#filled += part.length;
      rest = rest.subarray(part.length);
    }
    return rest.length === 0;
  }
}
