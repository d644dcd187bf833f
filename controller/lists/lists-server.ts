import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LISTS_PATH, LISTS_TAG } from '#contract/lists-protocol.ts';
import type { LoadedLists } from './list-folder.ts';

/** Sidecars that are given lists at a time; the others come again. A fleet that starts must not have megabytes for each in memory. */
const SENDS = 16;
/** One that takes longer than this is cut, for it holds a place. */
const SEND_MS = 30_000;
const SLICE = 64 * 1024;

/** Sends lists to callers who proved that they may have them. */
export interface ListsServer {
  /**
   * @param tag what was asked for
   * @returns the status that is left to be answered; null when the lists were sent, or cut off
   */
  send(tag: string, response: ServerResponse): Promise<404 | 503 | null>;
}

/** @param find the lists with a tag, null where this replica has others */
export function createListsServer(find: (tag: string) => LoadedLists | null): ListsServer {
  let sending = 0;
  return {
    async send(tag, response) {
      const lists = find(tag);
      if (lists === null) return 404;
      if (sending >= SENDS) return 503;
      sending++;
      try {
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': lists.bytes,
          'cache-control': 'no-store',
        });
        await pipeline(Readable.from(slicesOf(lists.body)), response, { signal: AbortSignal.timeout(SEND_MS) });
      } catch {
        response.destroy();
      } finally {
        sending--;
      }
      return null;
    },
  };
}

/** @returns the tag that a request for lists names; null for any other request */
export function readListsTag({ method, url }: IncomingMessage): string | null {
  const [path = '', ...query] = (url ?? '').split('?');
  const tag = path.startsWith(`${LISTS_PATH}/`) ? path.slice(LISTS_PATH.length + 1) : '';
  return method === 'GET' && query.length === 0 && LISTS_TAG.test(tag) ? tag : null;
}

/** In pieces, so that no more than a caller takes is encrypted ahead of it. */
function* slicesOf(body: readonly Uint8Array[]): Iterable<Uint8Array> {
  for (const part of body) for (let at = 0; at < part.length; at += SLICE) yield part.subarray(at, at + SLICE);
}
