const cache = { type: 'ephemeral', ttl: '5m' };
const caller = { type: 'direct' };

/** A Messages body that uses every kind of block and field which the dialect examines. */
export const fullAnthropic = {
  model: 'claude-sonnet-5',
  max_tokens: 1024,
  temperature: 0.125,
  top_p: 0.9,
  top_k: 40,
  stream: true,
  system: [{ type: 'text', text: 'You write discharge letters.', cache_control: cache }],
  tools: [
    {
      name: 'find_chart',
      description: 'Finds a chart.',
      type: 'custom',
      strict: true,
      cache_control: cache,
      allowed_callers: ['direct'],
      input_schema: {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        title: 'Chart query',
        required: ['given'],
        additionalProperties: false,
        properties: {
          given: { type: 'string', description: 'Given name', default: 'none', examples: ['Ada'] },
          ward: {
            anyOf: [{ enum: ['north', 'south'] }, { const: 'icu', $comment: 'rare' }],
            pattern: '^[a-z]+$',
            format: 'x-ward',
          },
          deep: { type: 'array', items: { $ref: '#/$defs/visit' }, 'x-note': { any: ['thing'] } },
        },
        $defs: { visit: { type: ['object', 'null'], properties: { day: { type: 'string', format: 'date' } } } },
      },
      input_examples: [{ given: 'Ada' }],
    },
    {
      type: 'web_search_20250305',
      name: 'web_search',
      max_uses: 2,
      allowed_domains: ['example.org'],
      user_location: { type: 'approximate', city: 'Ulm' },
    },
    { type: 'bash_20250124', name: 'bash' },
    { type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-5' },
    { type: 'mcp_toolset', mcp_server_name: 'charts', configs: { a: { enabled: true } } },
  ],
  tool_choice: { type: 'tool', name: 'find_chart', disable_parallel_tool_use: true },
  messages: [
    { role: 'system', content: 'Answer briefly.', clear_at: 'never' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Summarize.', cache_control: cache },
        {
          type: 'document',
          title: 'Note',
          context: 'from the ward',
          citations: { enabled: true },
          source: { type: 'text', media_type: 'text/plain', data: 'The note.' },
          cache_control: cache,
        },
        { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'Part one.' }] } },
        { type: 'document', source: { type: 'content', content: 'Part two.' } },
        {
          type: 'search_result',
          source: 'handbook',
          title: 'Doses',
          content: [{ type: 'text', text: 'Ten.' }],
          citations: { enabled: false },
        },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'I look it up.', signature: 'c2lnbmF0dXJl' },
        { type: 'redacted_thinking', data: 'b3BhcXVl' },
        {
          type: 'text',
          text: 'It says so.',
          citations: [
            {
              type: 'char_location',
              cited_text: 'The note',
              document_title: 'Note',
              document_index: 0,
              start_char_index: 0,
              end_char_index: 8,
              file_id: null,
            },
            {
              type: 'web_search_result_location',
              cited_text: 'web',
              title: 'Web',
              url: 'https://example.org/a',
              encrypted_index: 'aW5kZXg=',
            },
            {
              type: 'search_result_location',
              cited_text: 'Ten',
              title: null,
              source: 'handbook',
              search_result_index: 0,
              start_block_index: 0,
              end_block_index: 1,
            },
          ],
        },
        {
          type: 'tool_use',
          id: 'toolu_01A09q90qw90lq917835lq9',
          name: 'find_chart',
          input: { given: 'Ada', n: [1, { deep: 'x' }] },
          caller,
        },
        { type: 'server_tool_use', id: 'srvtoolu_01A09q90qw90lq91', name: 'web_search', input: { query: 'doses' } },
        {
          type: 'web_search_tool_result',
          tool_use_id: 'srvtoolu_01A09q90qw90lq91',
          content: [
            {
              type: 'web_search_result',
              title: 'Hit',
              url: 'https://example.org',
              encrypted_content: 'ZW5j',
              page_age: '2 days',
            },
          ],
          caller,
        },
        {
          type: 'web_fetch_tool_result',
          tool_use_id: 'srvtoolu_02A09q90qw90lq91',
          content: {
            type: 'web_fetch_result',
            url: 'https://example.org',
            retrieved_at: '2026',
            content: {
              type: 'document',
              title: 'Page',
              source: { type: 'text', media_type: 'text/plain', data: 'Fetched.' },
            },
          },
        },
        {
          type: 'web_fetch_tool_result',
          tool_use_id: 'srvtoolu_03A09q90qw90lq91',
          content: { type: 'web_fetch_tool_result_error', error_code: 'unavailable' },
        },
        {
          type: 'code_execution_tool_result',
          tool_use_id: 'srvtoolu_04A09q90qw90lq91',
          content: { type: 'code_execution_result', stdout: 'out', stderr: 'err', return_code: 0, content: [] },
        },
        {
          type: 'code_execution_tool_result',
          tool_use_id: 'srvtoolu_05A09q90qw90lq91',
          content: {
            type: 'encrypted_code_execution_result',
            encrypted_stdout: 'ZW5j',
            stderr: 'err',
            return_code: 0,
            content: [],
          },
        },
        {
          type: 'bash_code_execution_tool_result',
          tool_use_id: 'srvtoolu_06A09q90qw90lq91',
          content: { type: 'bash_code_execution_result', stdout: 'out', stderr: 'err', return_code: 0, content: [] },
        },
        {
          type: 'text_editor_code_execution_tool_result',
          tool_use_id: 'srvtoolu_07A09q90qw90lq91',
          content: { type: 'text_editor_code_execution_view_result', file_type: 'text', content: 'line', num_lines: 1 },
        },
        {
          type: 'text_editor_code_execution_tool_result',
          tool_use_id: 'srvtoolu_08A09q90qw90lq91',
          content: { type: 'text_editor_code_execution_str_replace_result', lines: ['a', 'b'], new_lines: 1 },
        },
        {
          type: 'tool_search_tool_result',
          tool_use_id: 'srvtoolu_09A09q90qw90lq91',
          content: {
            type: 'tool_search_tool_search_result',
            tool_references: [{ type: 'tool_reference', tool_name: 'find_chart' }],
          },
        },
        {
          type: 'advisor_tool_result',
          tool_use_id: 'srvtoolu_10A09q90qw90lq91',
          content: { type: 'advisor_result', text: 'advice', stop_reason: 'end_turn' },
        },
        {
          type: 'mcp_tool_use',
          id: 'mcptoolu_1A09q90qw90lq91',
          name: 'read',
          server_name: 'charts',
          input: { a: 'b' },
        },
        {
          type: 'mcp_tool_result',
          tool_use_id: 'mcptoolu_1A09q90qw90lq91',
          is_error: false,
          content: [{ type: 'text', text: 'row' }],
        },
        {
          type: 'mcp_tool_listing',
          mcp_server_name: 'charts',
          tools: [{ name: 'read', description: 'Reads.', input_schema: { type: 'object' } }],
        },
        {
          type: 'compaction',
          content: 'So far.',
          encrypted_content: 'ZW5j',
          signature: 'c2ln',
          tool_changes: [{ type: 'tool_addition', tool: { type: 'tool_reference', name: 'x' } }],
        },
        { type: 'fallback', from: { model: 'claude-a' }, to: { model: 'claude-b' }, trigger: { type: 'refusal' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_01A09q90qw90lq917835lq9', content: 'plain result', is_error: false },
        {
          type: 'tool_result',
          tool_use_id: 'call_custom.1',
          toolset_name: 'browser',
          content: [
            { type: 'text', text: 'block result' },
            { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'inner' }] },
            { type: 'document', title: 'Doc', source: { type: 'text', media_type: 'text/plain', data: 'inner doc' } },
            { type: 'tool_reference', tool_name: 'find_chart' },
            {
              type: 'browser_state',
              tabs: [{ tab_id: '1', title: 'Tab', url: 'https://example.org' }],
              state_changes: [{ type: 'tab_opened', tab_id: '1' }],
            },
          ],
        },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_addition', tool: { type: 'tool_reference', name: 'x' } },
        { type: 'tool_removal', tool: { type: 'tool_reference', name: 'y' } },
      ],
    },
    { role: 'user', content: 'And now?' },
  ],
  metadata: { user_id: 'user-77' },
  stop_sequences: ['END', 'STOP'],
  cache_control: cache,
  inference_geo: 'us',
  output_config: {
    effort: 'high',
    format: {
      type: 'json_schema',
      schema: { type: 'object', properties: { answer: { type: 'string', description: 'Short' } } },
    },
    task_budget: { type: 'tokens', total: 5 },
  },
  output_format: { type: 'json_schema', schema: { type: 'object' } },
  service_tier: 'auto',
  speed: 'fast',
  thinking: {
    type: 'enabled',
    budget_tokens: 1024,
    display: 'summarized',
    block_binding: { prefix_mismatch_behavior: 'error' },
  },
  user_profile_id: 'profile-1',
  workspace_id: 'wrkspc_1',
  container: { id: 'container_1', skills: [{ skill_id: 'pptx', type: 'anthropic' }] },
  context_management: { edits: [{ type: 'compact_20260112', instructions: 'keep names' }] },
  compaction: { type: 'summarize', instructions: 'short' },
  diagnostics: { previous_message_id: 'msg_1' },
  fallbacks: [{ model: 'claude-b' }],
  fallback_credit_token: 'token',
  billing_policy: { type: 'billing_policy', bill_to: 'self' },
  mcp_servers: [{ type: 'url', url: 'https://example.org/mcp', name: 'charts', authorization_token: 'secret' }],
};

/** A Chat Completions body that uses every field which the dialect examines. */
export const fullChat = {
  model: 'gpt-5',
  stream: true,
  messages: [
    { role: 'system', content: 'You write letters.', name: 'house' },
    { role: 'developer', content: [{ type: 'text', text: 'Briefly.', prompt_cache_breakpoint: { mode: 'explicit' } }] },
    { role: 'user', name: 'Ada', content: [{ type: 'text', text: 'Summarize.' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I call.' },
        { type: 'refusal', refusal: 'No.' },
      ],
      refusal: 'Not that.',
      name: 'helper',
      reasoning_content: 'Hm.',
      reasoning: 'So.',
      parsed: { given: 'Ada' },
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 0, end_index: 1, title: 'T', url: 'https://example.org' },
        },
      ],
      tool_calls: [
        {
          id: 'call_abc123DEF456ghi7',
          type: 'function',
          function: { name: 'find', arguments: '{"given":"Ada","n":[1]}', parsed_arguments: { given: 'Ada' } },
        },
        { id: 'call_2', type: 'function', function: { name: 'find', arguments: 'not json' } },
        { id: 'call_3', type: 'custom', custom: { name: 'sql', input: 'select 1' } },
      ],
      function_call: { name: 'old', arguments: '["Ada"]' },
    },
    { role: 'tool', tool_call_id: 'call_2', content: 'row' },
    { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'rows' }] },
    { role: 'function', name: 'old', content: 'result' },
    { role: 'user', content: 'And now?' },
  ],
  tools: [
    {
      type: 'function',
      function: {
        name: 'find',
        description: 'Finds.',
        strict: true,
        parameters: { type: 'object', properties: { given: { type: 'string', description: 'Given name' } } },
      },
    },
    {
      type: 'custom',
      custom: {
        name: 'sql',
        description: 'Runs.',
        format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "a"' } },
      },
    },
  ],
  functions: [{ name: 'old', description: 'Old.', parameters: { type: 'object' } }],
  function_call: { name: 'old' },
  tool_choice: {
    type: 'allowed_tools',
    allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'find' } }] },
  },
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'letter',
      description: 'A letter.',
      strict: true,
      schema: { type: 'object', title: 'Letter' },
    },
  },
  prediction: { type: 'content', content: [{ type: 'text', text: 'Dear' }] },
  metadata: { ward: 'north' },
  stop: ['END'],
  user: 'user-77',
  safety_identifier: 'safe-77',
  prompt_cache_key: 'letters',
  prompt_cache_options: { mode: 'implicit', ttl: '30m' },
  prompt_cache_retention: '24h',
  web_search_options: {
    search_context_size: 'low',
    user_location: {
      type: 'approximate',
      approximate: { city: 'Ulm', country: 'DE', region: 'BW', timezone: 'Europe/Berlin' },
    },
  },
  moderation: { model: 'omni-moderation', policy: { input: { mode: 'score' }, output: { mode: 'block' } } },
  logit_bias: { 50256: -100 },
  reasoning_effort: 'low',
  service_tier: 'auto',
  verbosity: 'low',
  modalities: ['text'],
  stream_options: { include_usage: true, include_obfuscation: false },
  store: false,
  n: 2,
  seed: 7,
  temperature: 0.125,
  max_completion_tokens: 100,
  parallel_tool_calls: true,
  logprobs: true,
  top_logprobs: 2,
};

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk';

/** A Messages body with media; only readable where policy allows media. */
export const mediaAnthropic = {
  model: 'claude-sonnet-5',
  max_tokens: 10,
  messages: [
    {
      role: 'user',
      content: [
        {
          type: 'image',
          source: { type: 'base64', media_type: 'image/png', data: png },
          transformations: { oversized_image: 'downsize' },
        },
        { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
        {
          type: 'document',
          title: 'Scan',
          context: 'ward',
          source: { type: 'base64', media_type: 'application/pdf', data: png },
        },
        { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } },
        {
          type: 'tool_result',
          tool_use_id: 'toolu_1',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }],
        },
      ],
    },
  ],
};

/** A Chat Completions body with media. */
export const mediaChat = {
  model: 'gpt-5',
  modalities: ['text', 'audio'],
  audio: { format: 'wav', voice: 'alloy' },
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png}`, detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
        { type: 'input_audio', input_audio: { data: png, format: 'wav' } },
        { type: 'file', file: { filename: 'scan.pdf', file_data: `data:application/pdf;base64,${png}` } },
        { type: 'file', file: { filename: 'scan.pdf', file_data: png } },
      ],
    },
  ],
};
