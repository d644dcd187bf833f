import { anthropicMessage, anthropicMeta } from './anthropic-response.ts';
import type { DialectId } from './dialect.ts';
import { type Find, type Found, restoreEdits, startFound } from './found.ts';
import { scanJson } from './json-scan.ts';
import { type JsonTree, kindOf, ROOT } from './json-tree.ts';
import { openaiCompletion, openaiMeta } from './openai-response.ts';
import type { ResponseMeta, ResponseOptions, ResponseParse } from './response.ts';
import { decodeUtf8, encodeUtf8, splice } from './splice.ts';

const READERS: Readonly<Record<DialectId, { readonly find: Find; readonly meta: (tree: JsonTree) => ResponseMeta }>> = {
  'anthropic-messages': { find: anthropicMessage, meta: (tree) => anthropicMeta(tree, ROOT) },
  'openai-chat': { find: openaiCompletion, meta: openaiMeta },
};

const UNREADABLE: ResponseParse = { kind: 'refused', reason: 'response_unreadable' };

/**
 * Reads a plain answer, of success or of error. Fields that no table knows stay as they are: a provider that never saw
 * an original cannot send one. An unknown kind of answer, block or tool call is refused.
 * @param dialect of the request that is answered
 * @param body the whole body, content coding taken off
 */
export function parseResponse(dialect: DialectId, body: Uint8Array, options: ResponseOptions = {}): ResponseParse {
  const text = decodeUtf8(body);
  if (text === null) return UNREADABLE;
  const scan = scanJson(text);
  if (scan.kind === 'fault' || kindOf(scan.tree, ROOT) !== 'object') return UNREADABLE;
  const found = startFound(scan.tree);
  READERS[dialect].find(found, ROOT);
  if (found.isUnknown) return UNREADABLE;
  return {
    kind: 'parsed',
    response: {
      sites: found.places,
      locked: found.locked,
      meta: READERS[dialect].meta(scan.tree),
      rewrite: (texts) => rewriteFound(found, body, texts, options),
    },
  };
}

function rewriteFound(found: Found, body: Uint8Array, texts: readonly string[], options: ResponseOptions): Uint8Array {
  if (texts.length !== found.places.length) throw new RangeError('rewrite needs one text for each site');
  const edits = restoreEdits(found, texts, options);
  return edits.length === 0 ? body : encodeUtf8(splice(found.tree.text, edits));
}
