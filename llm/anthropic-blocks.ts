import type { Draft } from './draft.ts';
import { schema } from './schema.ts';
import {
  type FieldTable,
  feature,
  id,
  json,
  list,
  locked,
  media,
  name,
  object,
  opaque,
  orNull,
  scalar,
  stored,
  stringOr,
  tag,
  tagged,
  text,
  type Visit,
  word,
} from './visit.ts';

/** `cache_control` and `caller`, which stand on many blocks. */
export const cacheControl: Visit = orNull(object({ type: word, ttl: word, scope: word }));
const caller: Visit = orNull(object({ type: word, tool_id: id }));

const citation: Visit = object({
  type: word,
  cited_text: text,
  document_title: orNull(text),
  title: orNull(text),
  source: text,
  url: text,
  file_id: orNull(id),
  encrypted_index: opaque,
  document_index: scalar,
  search_result_index: scalar,
  start_char_index: scalar,
  end_char_index: scalar,
  start_page_number: scalar,
  end_page_number: scalar,
  start_block_index: scalar,
  end_block_index: scalar,
});
const citationConfig: Visit = orNull(object({ enabled: scalar }));

const textBlock: Visit = object({ type: tag, text, citations: orNull(list(citation)), cache_control: cacheControl });
const innerBlocks: Visit = list((draft, node) => {
  block(draft, node);
});
const content: Visit = stringOr(text, innerBlocks);

const imageSource: Visit = tagged('type', {
  base64: object({ type: tag, media_type: word, data: opaque }),
  url: object({ type: tag, url: locked }),
  file: stored,
});
const documentText: Visit = (draft, node) => {
  const sites = draft.sites.length;
  text(draft, node);
  if (draft.sites.length > sites) draft.documents[draft.documents.length - 1] = sites;
};
const documentSource: Visit = tagged('type', {
  text: object({ type: tag, media_type: word, data: documentText }),
  content: object({ type: tag, content }),
  base64: media('document', object({ type: tag, media_type: word, data: opaque })),
  url: media('document', object({ type: tag, url: locked })),
  file: stored,
});
const documentFields: Visit = object({
  type: tag,
  source: documentSource,
  title: orNull(text),
  context: orNull(text),
  citations: citationConfig,
  cache_control: cacheControl,
});

const documentBlock: Visit = (draft, node) => {
  draft.documents.push(null);
  documentFields(draft, node);
};

/** What stands inside the results of the provider's own tools; the types differ, the names of fields do not. */
const resultFields: FieldTable = {
  type: tag,
  tool_use_id: id,
  caller,
  cache_control: cacheControl,
  is_error: scalar,
  error_code: word,
  error_message: orNull(text),
  stop_reason: orNull(word),
  content: stringOr(text, (draft, node) => {
    result(draft, node);
  }),
  text,
  stdout: text,
  stderr: text,
  lines: orNull(list(text)),
  title: orNull(text),
  url: text,
  page_age: orNull(text),
  retrieved_at: orNull(text),
  encrypted_content: orNull(opaque),
  encrypted_stdout: orNull(opaque),
  return_code: scalar,
  file_type: word,
  num_lines: scalar,
  start_line: scalar,
  total_lines: scalar,
  new_lines: scalar,
  new_start: scalar,
  old_lines: scalar,
  old_start: scalar,
  is_file_update: scalar,
  file_id: stored,
  tool_name: name,
  tool_references: list((draft, node) => {
    result(draft, node);
  }),
};
const resultObject: Visit = object(resultFields);

/** Types below the results of the provider's own tools. */
const RESULT_TYPES = [
  'web_search_result',
  'web_search_tool_result_error',
  'web_fetch_result',
  'web_fetch_tool_result_error',
  'code_execution_result',
  'encrypted_code_execution_result',
  'code_execution_output',
  'code_execution_tool_result_error',
  'bash_code_execution_result',
  'bash_code_execution_output',
  'bash_code_execution_tool_result_error',
  'text_editor_code_execution_view_result',
  'text_editor_code_execution_create_result',
  'text_editor_code_execution_str_replace_result',
  'text_editor_code_execution_tool_result_error',
  'tool_search_tool_search_result',
  'tool_search_tool_result_error',
  'tool_reference',
  'advisor_result',
  'advisor_redacted_result',
  'advisor_tool_result_error',
] as const;

const resultNode: Visit = tagged('type', {
  ...Object.fromEntries(RESULT_TYPES.map((type) => [type, resultObject])),
  document: documentBlock,
  text: textBlock,
});
const resultList: Visit = list(resultNode);

function result(draft: Draft, node: number): void {
  (draft.tree.text[draft.tree.tape[node * 3] ?? 0] === '[' ? resultList : resultNode)(draft, node);
}

const toolUse: Visit = object({
  type: tag,
  id,
  name,
  toolset_name: orNull(name),
  server_name: name,
  input: json,
  caller,
  cache_control: cacheControl,
});
const mcpTool: Visit = object({ name, description: orNull(text), input_schema: schema });
const toolChange: Visit = object({
  type: tag,
  // A tool definition in mid-conversation is examined like any value: the feature is not covered by default.
  tool: json,
  cache_control: cacheControl,
});

/** Content blocks of a request by type: how each is examined. A type that is not here is refused. */
export const BLOCKS: FieldTable = {
  text: textBlock,
  image: media(
    'image',
    object({
      type: tag,
      source: imageSource,
      cache_control: cacheControl,
      transformations: orNull(object({ oversized_image: word })),
    }),
  ),
  document: documentBlock,
  search_result: object({
    type: tag,
    source: text,
    title: text,
    content: innerBlocks,
    citations: citationConfig,
    cache_control: cacheControl,
  }),
  thinking: object({ type: tag, thinking: locked, signature: opaque }),
  redacted_thinking: object({ type: tag, data: opaque }),
  tool_use: toolUse,
  server_tool_use: toolUse,
  mcp_tool_use: feature('block:mcp_tool_use', toolUse),
  tool_result: object({
    type: tag,
    tool_use_id: id,
    toolset_name: orNull(name),
    content,
    is_error: scalar,
    cache_control: cacheControl,
  }),
  mcp_tool_result: object({ type: tag, tool_use_id: id, content, is_error: scalar, cache_control: cacheControl }),
  mcp_tool_listing: object({ type: tag, mcp_server_name: name, tools: list(mcpTool) }),
  web_search_tool_result: resultObject,
  web_fetch_tool_result: resultObject,
  code_execution_tool_result: resultObject,
  bash_code_execution_tool_result: resultObject,
  text_editor_code_execution_tool_result: resultObject,
  tool_search_tool_result: resultObject,
  advisor_tool_result: resultObject,
  tool_reference: object({ type: tag, tool_name: name, cache_control: cacheControl }),
  browser_state: object({ type: tag, tabs: json, state_changes: json, cache_control: cacheControl }),
  container_upload: stored,
  compaction: feature(
    'block:compaction',
    object({
      type: tag,
      content: orNull(locked),
      encrypted_content: orNull(opaque),
      signature: orNull(opaque),
      tool_changes: orNull(list(tagged('type', { tool_addition: toolChange, tool_removal: toolChange }))),
      cache_control: cacheControl,
    }),
  ),
  fallback: feature('block:fallback', object({ type: tag, from: json, to: json, trigger: json })),
  tool_addition: feature('block:tool_addition', toolChange),
  tool_removal: feature('block:tool_removal', toolChange),
};

const block: Visit = tagged('type', BLOCKS);

/** `content` of a message, `system`: a string or blocks. */
export const blockContent: Visit = content;
