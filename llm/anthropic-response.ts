import {
  addOffsets,
  byType,
  elements,
  type Find,
  type FindTable,
  type Found,
  lockedText,
  members,
  restored,
  restoredJson,
  stringElse,
  untouched,
} from './found.ts';
import { type JsonTree, memberOf, memberString, numberOf } from './json-tree.ts';
import type { ResponseMeta, Usage } from './response.ts';
import { plainId } from './vocabulary.ts';

const citationFields = members({
  cited_text: restored,
  document_title: restored,
  title: restored,
  source: restored,
  url: restored,
});
/** One citation: its texts, and the offsets that count characters of a document. */
export const citation: Find = (found, node) => {
  citationFields(found, node);
  addOffsets(found, node, ['start_char_index', 'end_char_index']);
};

const documentBlock = members({ title: restored, source: members({ data: documentData }) });

function documentData(found: Found, node: number): void {
  // A fetched PDF is base64, in which no surrogate stands; restoring it as text leaves it as it is.
  restored(found, node);
}

const result: Find = members({
  content: stringElse(restored, (found, node) => {
    (found.tree.text[found.tree.tape[node * 3] ?? 0] === '[' ? elements(resultNode) : resultNode)(found, node);
  }),
  text: restored,
  stdout: restored,
  stderr: restored,
  lines: elements(restored),
  title: restored,
  url: restored,
  error_message: restored,
});

function resultNode(found: Found, node: number): void {
  (memberString(found.tree, node, 'type') === 'document' ? documentBlock : result)(found, node);
}

const toolUse = members({ input: restoredJson });

/** Content blocks of an answer by type: how each is restored. A type that is not here makes the answer unreadable. */
export const RESPONSE_BLOCKS: FindTable = {
  text: members({ text: restored, citations: elements(citation) }),
  thinking: members({ thinking: lockedText }),
  redacted_thinking: untouched,
  tool_use: toolUse,
  server_tool_use: toolUse,
  mcp_tool_use: toolUse,
  mcp_tool_result: result,
  mcp_tool_listing: untouched,
  web_search_tool_result: result,
  web_fetch_tool_result: result,
  code_execution_tool_result: result,
  bash_code_execution_tool_result: result,
  text_editor_code_execution_tool_result: result,
  tool_search_tool_result: untouched,
  advisor_tool_result: result,
  container_upload: untouched,
  // Signed with its content, like thinking: it comes back byte for byte.
  compaction: members({ content: lockedText }),
  fallback: untouched,
};

/** One content block. */
export const responseBlock: Find = byType(RESPONSE_BLOCKS);

/** Where a message says why it ended. */
export const stopFields: FindTable = { stop_sequence: restored, stop_details: members({ explanation: restored }) };

/** `{"type":"error","error":{...}}`: the message is for the caller's eyes and can quote the prompt. */
export const anthropicError: Find = members({ error: members({ message: restored }) });

const typedMessage: Find = byType({
  message: members({ content: elements(responseBlock), ...stopFields }),
  error: anthropicError,
});

/** A plain answer: a message or an error. Errors that a proxy before the API makes may lack the type. */
export const anthropicMessage: Find = (found, node) => {
  const isBare = memberOf(found.tree, node, 'type') === null && memberOf(found.tree, node, 'error') !== null;
  (isBare ? anthropicError : typedMessage)(found, node);
};

/** @returns what `message` (or a `message_delta`) tells about the answer */
export function anthropicMeta(tree: JsonTree, node: number): ResponseMeta {
  const id = plainId(memberString(tree, node, 'id'));
  const model = plainId(memberString(tree, node, 'model'));
  const stopReason = plainId(memberString(tree, node, 'stop_reason'));
  const usage = memberOf(tree, node, 'usage');
  return {
    ...(id === null ? {} : { id }),
    ...(model === null ? {} : { model }),
    ...(stopReason === null ? {} : { stopReason }),
    ...(usage === null ? {} : { usage: usageOf(tree, usage, ['input_tokens', 'output_tokens']) }),
  };
}

/** @returns the counts of a `usage` object under the names the dialect gives them */
export function usageOf(tree: JsonTree, node: number, names: readonly [input: string, output: string]): Usage {
  const [input, output] = names.map((name) => {
    const value = memberOf(tree, node, name);
    return value === null ? null : numberOf(tree, value);
  });
  return { ...(typeof input === 'number' ? { input } : {}), ...(typeof output === 'number' ? { output } : {}) };
}
