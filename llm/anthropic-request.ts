import { blockContent, cacheControl } from './anthropic-blocks.ts';
import { addCallerFeatures, addToolFeatures } from './features.ts';
import { memberString } from './json-tree.ts';
import { schema } from './schema.ts';
import {
  feature,
  id,
  json,
  list,
  model,
  name,
  object,
  orderedObject,
  orNull,
  scalar,
  stored,
  stringOr,
  tag,
  tagged,
  text,
  textNamed,
  type Visit,
  word,
} from './visit.ts';

const outputFormat: Visit = orNull(object({ type: word, schema }));

/** Fields of every kind of tool; the provider's own tools differ only in settings. */
const toolObject: Visit = object({
  type: tag,
  name,
  description: orNull(text),
  input_schema: schema,
  input_examples: json,
  cache_control: cacheControl,
  caching: cacheControl,
  allowed_callers: list(word),
  defer_loading: scalar,
  eager_input_streaming: scalar,
  strict: scalar,
  max_uses: scalar,
  max_tokens: scalar,
  max_characters: scalar,
  max_content_tokens: scalar,
  use_cache: scalar,
  display_width_px: scalar,
  display_height_px: scalar,
  display_number: scalar,
  enable_zoom: scalar,
  model,
  response_inclusion: word,
  citations: orNull(object({ enabled: scalar })),
  allowed_domains: orNull(list(text)),
  blocked_domains: orNull(list(text)),
  user_location: json,
  url_sources: json,
  configs: json,
  default_config: json,
  mcp_server_name: name,
  tools: json,
});

const tool: Visit = (draft, node) => {
  addToolFeatures(draft, node);
  addCallerFeatures(draft, node);
  toolObject(draft, node);
};

const messageFields = object({
  role: tag,
  content: blockContent,
  clear_at: orNull(word),
  output_config: orNull(object({ effort: orNull(word) })),
});
const message: Visit = tagged('role', { user: messageFields, assistant: messageFields, system: messageFields });

const messages: Visit = (draft, node) => {
  let ordinal = 0;
  list((inner, value) => {
    ordinal += 1;
    inner.message = ordinal;
    message(inner, value);
  })(draft, node);
  draft.message = 0;
};

const metadata: Visit = (draft, node) => {
  const user = memberString(draft.tree, node, 'user_id');
  if (user !== null) draft.user = user;
  object({ user_id: orNull(textNamed('user_id')) })(draft, node);
};

/** A tool choice: `{type: auto | any | none}` or `{type: tool, name}`. */
const toolChoice: Visit = object({ type: word, name, disable_parallel_tool_use: scalar });

const thinking: Visit = object({
  type: word,
  budget_tokens: scalar,
  display: orNull(word),
  block_binding: orNull(object({ prefix_mismatch_behavior: orNull(word) })),
});

/** The body of `POST /v1/messages` in the order of the conversation: system, tools, messages, the rest. */
export const anthropicBody: Visit = orderedObject({
  system: orNull(blockContent),
  tools: orNull(list(tool)),
  messages,
  model: tag,
  stream: tag,
  metadata: orNull(metadata),
  max_tokens: scalar,
  temperature: scalar,
  top_k: scalar,
  top_p: scalar,
  stop_sequences: orNull(list(text)),
  cache_control: cacheControl,
  inference_geo: orNull(word),
  output_config: orNull(
    object({
      effort: orNull(word),
      format: outputFormat,
      task_budget: orNull(object({ type: word, total: scalar, remaining: scalar })),
    }),
  ),
  output_format: outputFormat,
  service_tier: word,
  speed: orNull(word),
  thinking: orNull(thinking),
  tool_choice: orNull(toolChoice),
  user_profile_id: feature('body:user_profile_id', orNull(textNamed('user_profile_id'))),
  workspace_id: feature('body:workspace_id', orNull(id)),
  container: feature(
    'body:container',
    orNull(stringOr(id, object({ id: orNull(id), skills: feature('body:skills', json) }))),
  ),
  context_management: feature('body:context_management', json),
  compaction: feature('body:compaction', json),
  diagnostics: feature('body:diagnostics', json),
  fallbacks: feature('body:fallbacks', json),
  fallback_credit_token: feature('body:fallback_credit_token', json),
  billing_policy: feature('body:billing_policy', json),
  mcp_servers: feature('body:mcp_servers', json),
  // The history would lie at the provider, with surrogates whose numbers this request cannot know (T3).
  thread: stored,
});
