import { addJson, addText, type Draft, refuse } from './draft.ts';
import { decodeString, eachMember, kindOf, stringOf } from './json-tree.ts';
import { schema } from './schema.ts';
import {
  argument,
  type FieldTable,
  feature,
  id,
  json,
  list,
  locked,
  media,
  model,
  name,
  object,
  opaque,
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

const cachePoint: Visit = orNull(object({ mode: word }));

/** `data:` URLs hold the media itself; any other URL is examined and must not change. */
const mediaUrl: Visit = (draft, node) => {
  const url = stringOf(draft.tree, node) ?? '';
  const data = /^data:[a-z0-9.+/-]+;base64,[A-Za-z0-9+/=_-]*$/i;
  if (!data.test(url)) locked(draft, node);
};

const file: Visit = object({ filename: text, file_data: mediaData, file_id: stored });

function mediaData(draft: Draft, node: number): void {
  media('document', mediaUrlOrOpaque)(draft, node);
}

const mediaUrlOrOpaque: Visit = (draft, node) => {
  const isUrl = (stringOf(draft.tree, node) ?? '').startsWith('data:');
  (isUrl ? mediaUrl : opaque)(draft, node);
};

/** Content parts of a request by type. A type that is not here is refused. */
export const PARTS: FieldTable = {
  text: object({ type: tag, text, prompt_cache_breakpoint: cachePoint }),
  refusal: object({ type: tag, refusal: text }),
  image_url: media(
    'image',
    object({ type: tag, image_url: object({ url: mediaUrl, detail: word }), prompt_cache_breakpoint: cachePoint }),
  ),
  input_audio: media(
    'audio',
    object({ type: tag, input_audio: object({ data: opaque, format: word }), prompt_cache_breakpoint: cachePoint }),
  ),
  file: object({ type: tag, file, prompt_cache_breakpoint: cachePoint }),
};

const content: Visit = stringOr(text, list(tagged('type', PARTS)));

// `parsed` and `parsed_arguments` are added by the SDK's parsing methods and come back with the history.
const functionCall: Visit = object({ name, arguments: argument, parsed_arguments: json });
/** Tool calls of an assistant message by type. */
export const TOOL_CALLS: FieldTable = {
  function: object({ type: tag, id, index: scalar, function: functionCall }),
  custom: object({ type: tag, id, index: scalar, custom: object({ name, input: text }) }),
};

const common: FieldTable = { role: tag, name: orNull(textNamed('name')) };
const prompt: Visit = object({ ...common, content });
/** Messages of a request by role. A role that is not here is refused. */
export const ROLES: FieldTable = {
  developer: prompt,
  system: prompt,
  user: prompt,
  tool: object({ ...common, content, tool_call_id: id }),
  function: object({ ...common, content: orNull(content) }),
  assistant: object({
    ...common,
    content: orNull(content),
    refusal: orNull(text),
    tool_calls: orNull(list(tagged('type', TOOL_CALLS))),
    function_call: orNull(functionCall),
    // What an earlier answer brought and a client sends back.
    annotations: json,
    parsed: json,
    reasoning_content: orNull(text),
    reasoning: orNull(text),
    audio: stored,
  }),
};

const messages: Visit = (draft, node) => {
  let ordinal = 0;
  list((inner, value) => {
    ordinal += 1;
    inner.message = ordinal;
    tagged('role', ROLES)(inner, value);
  })(draft, node);
  draft.message = 0;
};

const functionTool: Visit = object({ name, description: orNull(text), parameters: orNull(schema), strict: scalar });
const customFormat: Visit = object({ type: word, grammar: object({ syntax: word, definition: name }) });
/** Tools by type. Another type is a product of the provider that Chat Completions does not have. */
export const TOOLS: FieldTable = {
  function: object({ type: tag, function: functionTool }),
  custom: object({ type: tag, custom: object({ name, description: orNull(text), format: customFormat }) }),
};

const named: Visit = object({ name });
const toolChoice: Visit = stringOr(
  word,
  object({ type: word, function: named, custom: named, allowed_tools: object({ mode: word, tools: json }) }),
);

/** Metadata: values are text; the keys cannot be rewritten, so they may hold no identifier. */
const metadata: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'object') refuse(draft, 'body_unreadable', 'not an object');
  eachMember(draft.tree, node, (key, value) => {
    draft.schemaTexts.add(key);
    if (kindOf(draft.tree, value) === 'string') addText(draft, value, decodeString(draft.tree, value), key);
    // A number can be a person's as well (`mrn: 4471902`), and here nothing needs it to be one.
    else if (kindOf(draft.tree, value) === 'number') addJson(draft, value, key);
    else scalar(draft, value);
  });
};

/** Token ids and numbers: what is not that could spell words. */
const logitBias: Visit = (draft, node) => {
  if (kindOf(draft.tree, node) !== 'object') refuse(draft, 'body_unreadable', 'not an object');
  eachMember(draft.tree, node, (key, value) => {
    if (!/^\d{1,7}$/.test(key) || kindOf(draft.tree, value) !== 'number')
      refuse(draft, 'body_unreadable', 'not a token bias');
  });
};

/** A field that names the end user. The first of the body's fields wins, see `ParsedRequest.user`. */
function userField(field: string): Visit {
  return (draft, node) => {
    if (kindOf(draft.tree, node) === 'string') draft.user ??= decodeString(draft.tree, node);
    textNamed(field)(draft, node);
  };
}

const location: Visit = object({ city: text, country: text, region: text, timezone: text });
const webSearch: Visit = object({
  search_context_size: word,
  user_location: orNull(object({ type: word, approximate: location })),
});

const audioOut: Visit = media('audio', object({ format: word, voice: stringOr(word, object({ id })) }));
const modalities: Visit = list((draft, node) => {
  if (stringOf(draft.tree, node) === 'audio') media('audio', tag)(draft, node);
  else word(draft, node);
});
const retention: Visit = (draft, node) => {
  // Keeps the prompt on disk for a day: more than other requests ask of the provider.
  if (stringOf(draft.tree, node) !== 'in_memory') draft.features.add('body:prompt_cache_retention');
  word(draft, node);
};
const mode: Visit = orNull(object({ mode: word }));

/** The body of `POST /v1/chat/completions`: tools, messages (system is one of them), the rest. */
export const openaiBody: Visit = orderedObject({
  tools: orNull(list(tagged('type', TOOLS))),
  functions: orNull(list(functionTool)),
  messages,
  model: tag,
  stream: tag,
  safety_identifier: orNull(userField('safety_identifier')),
  user: orNull(userField('user')),
  audio: orNull(audioOut),
  modalities: orNull(modalities),
  function_call: orNull(stringOr(word, named)),
  frequency_penalty: scalar,
  logit_bias: orNull(logitBias),
  logprobs: scalar,
  max_completion_tokens: scalar,
  max_tokens: scalar,
  metadata: orNull(metadata),
  moderation: feature(
    'body:moderation',
    orNull(object({ model, policy: orNull(object({ input: mode, output: mode })) })),
  ),
  n: scalar,
  parallel_tool_calls: scalar,
  prediction: orNull(object({ type: word, content })),
  presence_penalty: scalar,
  prompt_cache_key: orNull(text),
  prompt_cache_options: orNull(object({ mode: word, ttl: word })),
  prompt_cache_retention: orNull(retention),
  reasoning_effort: orNull(word),
  response_format: orNull(
    object({ type: word, json_schema: object({ name, description: orNull(text), schema, strict: scalar }) }),
  ),
  seed: scalar,
  service_tier: orNull(word),
  stop: orNull(stringOr(text, list(text))),
  store: feature('body:store', scalar),
  stream_options: orNull(object({ include_usage: scalar, include_obfuscation: scalar })),
  temperature: scalar,
  tool_choice: orNull(toolChoice),
  top_logprobs: scalar,
  top_p: scalar,
  verbosity: orNull(word),
  web_search_options: feature('body:web_search_options', orNull(webSearch)),
});
