/**
 * What is done with a type of the APIs: its text is examined or restored; it passes byte for byte but is examined
 * (`locked`); it passes as encrypted bytes or has no text (`opaque`); it needs policy's leave (`media`); it is refused.
 */
export type Treatment = 'examined' | 'locked' | 'opaque' | 'media' | 'refused';

type Census = Readonly<Record<string, Treatment>>;

/** Content blocks of a Messages request, as of the SDK's version 1.12. */
export const ANTHROPIC_REQUEST_BLOCKS: Census = {
  text: 'examined',
  image: 'media',
  document: 'examined', // media when its source is base64 or a URL, refused when it is a stored file
  search_result: 'examined',
  thinking: 'locked',
  redacted_thinking: 'opaque',
  tool_use: 'examined',
  tool_result: 'examined',
  server_tool_use: 'examined',
  web_search_tool_result: 'examined',
  web_fetch_tool_result: 'examined',
  code_execution_tool_result: 'examined',
  bash_code_execution_tool_result: 'examined',
  text_editor_code_execution_tool_result: 'examined',
  tool_search_tool_result: 'examined',
  advisor_tool_result: 'examined',
  tool_reference: 'examined',
  browser_state: 'examined',
  mcp_tool_use: 'examined',
  mcp_tool_result: 'examined',
  mcp_tool_listing: 'examined',
  tool_addition: 'examined',
  tool_removal: 'examined',
  fallback: 'examined',
  compaction: 'locked',
  container_upload: 'refused', // a stored file
};

/** Content blocks of a Messages answer. */
export const ANTHROPIC_RESPONSE_BLOCKS: Census = {
  text: 'examined',
  thinking: 'locked',
  redacted_thinking: 'opaque',
  tool_use: 'examined',
  server_tool_use: 'examined',
  web_search_tool_result: 'examined',
  web_fetch_tool_result: 'examined',
  code_execution_tool_result: 'examined',
  bash_code_execution_tool_result: 'examined',
  text_editor_code_execution_tool_result: 'examined',
  tool_search_tool_result: 'opaque',
  advisor_tool_result: 'examined',
  mcp_tool_use: 'examined',
  mcp_tool_result: 'examined',
  mcp_tool_listing: 'opaque',
  container_upload: 'opaque',
  compaction: 'locked',
  fallback: 'opaque',
};

/** Deltas of a Messages stream. */
export const ANTHROPIC_DELTAS: Census = {
  text_delta: 'examined',
  input_json_delta: 'examined',
  citations_delta: 'examined',
  thinking_delta: 'locked',
  signature_delta: 'opaque',
  compaction_delta: 'locked',
};

/** Content parts of a Chat Completions request. */
export const OPENAI_PARTS: Census = {
  text: 'examined',
  refusal: 'examined',
  image_url: 'media',
  input_audio: 'media',
  file: 'media', // refused when it is a stored file
};
