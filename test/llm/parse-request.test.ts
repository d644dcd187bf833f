import { describe, expect, it } from 'vitest';
import { anthropic, chat, examined, refusalOf, requestOf } from './request-of.ts';
import { bytes, text } from './bytes.ts';
import { fullAnthropic, fullChat, mediaAnthropic, mediaChat } from './full-request.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk';

describe('a body that cannot be read is refused', () => {
  const valid = '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"Ada"}]}';
  it('the smallest body is read', () => {
    expect(refusalOf('anthropic-messages', valid)).toBe('parsed');
    expect(refusalOf('openai-chat', valid)).toBe('parsed');
  });

  it.each([
    ['bad UTF-8', new Uint8Array([...bytes('{"model":"'), 0xff, ...bytes(valid.slice(10))]), 'not UTF-8'],
    [
      'an overlong sequence',
      new Uint8Array([...bytes('{"model":"'), 0xc0, 0xaf, ...bytes(valid.slice(10))]),
      'not UTF-8',
    ],
    [
      'an encoded surrogate',
      new Uint8Array([...bytes(valid.slice(0, 60)), 0xed, 0xa0, 0x80, ...bytes(valid.slice(60))]),
      'not UTF-8',
    ],
    ['a byte order mark', bytes(`\uFEFF${valid}`), 'not JSON'],
    ['UTF-16', new Uint8Array(Array.from(valid).flatMap((letter) => [letter.charCodeAt(0), 0])), 'not JSON'],
    ['trailing data', bytes(`${valid}{}`), 'not JSON'],
    ['a second line', bytes(`${valid}\n${valid}`), 'not JSON'],
    ['an empty body', bytes(''), 'not JSON'],
    ['an array', bytes('[]'), 'not an object'],
    ['half a surrogate pair', bytes(valid.replace('Ada', 'Ad\\ud83d')), 'half a surrogate pair'],
    ['no model', bytes('{"messages":[]}'), 'model'],
    ['a model that is prose', bytes(valid.replace('"m"', '"Ada Byron"')), 'model'],
    ['no messages', bytes('{"model":"m"}'), 'messages'],
    ['a stream flag that is text', bytes(valid.replace('"max_tokens":1', '"stream":"Ada"')), 'stream'],
    ['deep nesting', bytes(valid.replace('"Ada"', '['.repeat(200) + ']'.repeat(200))), 'nested too deeply'],
  ])('%s', (_, body, where) => {
    for (const dialect of ['anthropic-messages', 'openai-chat'] as const) {
      expect(refusalOf(dialect, body)).toBe(`body_unreadable at ${where}`);
    }
  });
});

describe('T27: what is ambiguous is refused', () => {
  it.each([
    '{"model":"m","messages":[{"role":"user","content":"ok","content":"SSN 078-05-1120"}]}',
    '{"model":"m","messages":[{"role":"user","content":"ok","cont\\u0065nt":"SSN 078-05-1120"}]}',
    '{"model":"m","messages":[],"messages":[{"role":"user","content":"SSN 078-05-1120"}]}',
    '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":{"b":1,"b":2}}}]}]}',
  ])('a duplicate key: %s', (body) => {
    for (const dialect of ['anthropic-messages', 'openai-chat'] as const) {
      expect(refusalOf(dialect, body)).toBe('body_unreadable at a key stands twice in an object');
    }
  });

  it.each([
    1,
    null,
    true,
    {},
    [1],
    [null],
    ['text'],
    [[]],
    [{}],
    [{ type: 'new_block', text: 'x' }],
    [{ type: 7 }],
    [{ type: 'text', text: 5 }],
    [{ type: 'text', text: ['x'] }],
  ])('content that is %j', (content) => {
    expect(refusalOf('anthropic-messages', anthropic(content))).toMatch(/^body_unreadable at messages\[0\]\.content/);
    expect(refusalOf('openai-chat', chat([{ role: 'user', content }]))).toMatch(
      /^body_unreadable at messages\[0\]\.content/,
    );
  });

  it('the place of a refusal names known fields only', () => {
    expect(refusalOf('anthropic-messages', anthropic([{ type: 'text', text: 'x', 'Ada Byron': 'x' }]))).toBe(
      'feature_not_covered at messages[0].content[0]: unknown field',
    );
    expect(refusalOf('openai-chat', chat([], { 'Ada Byron': ['x'] }))).toBe('feature_not_covered at unknown field');
    expect(refusalOf('openai-chat', chat([{ role: 'Ada Byron', content: 'x' }]))).toBe(
      'body_unreadable at messages[0]: unknown role',
    );
    expect(refusalOf('anthropic-messages', anthropic('x', { tools: [{ type: 'Ada_20260101', name: 'x' }] }))).toBe(
      'feature_not_covered at tools[0]: unknown tool type',
    );
  });

  it('a field in another letter case is not the field', () => {
    expect(refusalOf('openai-chat', chat([{ role: 'user', content: 'ok', Content: 'SSN' }]))).toBe(
      'feature_not_covered at messages[0]: unknown field',
    );
  });

  it('an unknown field passes only when its value can hold no identifier, and its name is examined', () => {
    expect(refusalOf('openai-chat', chat([], { fresh_flag: true, other: null, top_a: 0.25 }))).toBe('parsed');
    expect(examined(requestOf('openai-chat', chat([], { fresh_flag: true })))).toContain('fresh_flag');
    expect(refusalOf('openai-chat', chat([], { record: 1234567 }))).toBe('feature_not_covered at unknown field');
    expect(refusalOf('openai-chat', chat([], { record: [] }))).toBe('feature_not_covered at unknown field');
    expect(refusalOf('openai-chat', chat([], { __proto__x: 'a' }))).toBe('feature_not_covered at unknown field');
    expect(refusalOf('openai-chat', '{"model":"m","messages":[],"__proto__":{"messages":"x"}}')).toBe(
      'feature_not_covered at unknown field',
    );
  });
});

describe('T21, T22: media and stored files', () => {
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
  const anthropicMedia: readonly (readonly [string, object])[] = [
    ['an image', image],
    ['an image by URL', { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } }],
    ['a PDF', { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PNG } }],
    ['a PDF by URL', { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } }],
    ['an image in a tool result', { type: 'tool_result', tool_use_id: 't', content: [image] }],
    ['an image in a document', { type: 'document', source: { type: 'content', content: [image] } }],
  ];
  it.each(anthropicMedia)('%s is refused unless policy allows media', (_, block) => {
    expect(refusalOf('anthropic-messages', anthropic([block]))).toMatch(/^media_not_allowed at messages\[0\]/);
    expect(refusalOf('anthropic-messages', anthropic([block]), { allowMedia: true })).toBe('parsed');
  });

  const chatMedia: readonly (readonly [string, object])[] = [
    ['an image', { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }],
    ['audio', { type: 'input_audio', input_audio: { data: PNG, format: 'wav' } }],
    ['a file', { type: 'file', file: { filename: 'a.pdf', file_data: PNG } }],
  ];
  it.each(chatMedia)('%s in a chat message is refused unless policy allows media', (_, part) => {
    const body = chat([{ role: 'user', content: [part] }]);
    expect(refusalOf('openai-chat', body)).toMatch(/^media_not_allowed at messages\[0\]/);
    expect(refusalOf('openai-chat', body, { allowMedia: true })).toBe('parsed');
  });

  it('T21: a bare file id is refused even where media are allowed', () => {
    const stored = [
      { type: 'image', source: { type: 'file', file_id: 'file_011CNha8iCJcU1wXNR6q4V8w' } },
      { type: 'document', source: { type: 'file', file_id: 'file_011CNha8iCJcU1wXNR6q4V8w' } },
      { type: 'container_upload', file_id: 'file_011CNha8iCJcU1wXNR6q4V8w' },
    ];
    for (const block of stored) {
      expect(refusalOf('anthropic-messages', anthropic([block]), { allowMedia: true })).toMatch(
        /^feature_not_covered .*stored at the provider$/,
      );
    }
    const part = { type: 'file', file: { file_id: 'file-abc' } };
    expect(refusalOf('openai-chat', chat([{ role: 'user', content: [part] }]), { allowMedia: true })).toMatch(
      /^feature_not_covered/,
    );
  });

  it('T3: state that lies at the provider is refused', () => {
    expect(
      refusalOf('anthropic-messages', anthropic('x', { thread: { type: 'continue', previous_message_id: 'msg_1' } })),
    ).toBe('feature_not_covered at thread: stored at the provider');
    expect(
      refusalOf('openai-chat', chat([{ role: 'assistant', audio: { id: 'audio_1' } }]), { allowMedia: true }),
    ).toMatch(/^feature_not_covered/);
  });

  it('T22: base64 is byte-identical after a rewrite, and the text beside it is a site', () => {
    for (const [dialect, body] of [
      ['anthropic-messages', mediaAnthropic],
      ['openai-chat', mediaChat],
    ] as const) {
      const request = requestOf(dialect, body, { allowMedia: true });
      const sent = text(request.rewrite(request.sites.map(() => 'S')));
      expect(sent.split(PNG).length).toBe(JSON.stringify(body).split(PNG).length);
    }
    const scan = requestOf('openai-chat', mediaChat, { allowMedia: true });
    expect(scan.sites.map((site) => site.text)).toContain('scan.pdf');
    expect(scan.features).toEqual(['media:audio', 'media:document', 'media:image']);
    const titled = requestOf('anthropic-messages', mediaAnthropic, { allowMedia: true });
    expect(titled.sites.map((site) => site.text)).toEqual(['Scan', 'ward']);
    expect(titled.locked).toContain('https://example.org/a.png');
  });

  it('T22: text where base64 belongs is refused', () => {
    const block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'Ada Byron was here' } };
    expect(refusalOf('anthropic-messages', anthropic([block]), { allowMedia: true })).toMatch(
      /^body_unreadable .*not opaque data$/,
    );
  });
});

describe('T23: thinking', () => {
  const turn = [
    { type: 'thinking', thinking: 'Ada "has" a\ncough', signature: 'c2lnbmF0dXJl==' },
    { type: 'redacted_thinking', data: 'b3BhcXVl' },
    { type: 'text', text: 'Ada' },
  ];
  const body = { model: 'claude-sonnet-5', max_tokens: 5, messages: [{ role: 'assistant', content: turn }] };

  it('T23: thinking and signatures leave byte for byte while text beside them is rewritten', () => {
    const raw = JSON.stringify(body, null, 1).replace('cough', 'c\\u006fugh');
    const request = requestOf('anthropic-messages', raw);
    const sent = text(request.rewrite(request.sites.map((site) => site.text.replaceAll('Ada', 'NAME_1'))));
    expect(sent).toBe(raw.replace('"text": "Ada"', '"text": "NAME_1"'));
  });

  it('thinking text is handed over for examination', () => {
    expect(requestOf('anthropic-messages', body).locked).toContain('Ada "has" a\ncough');
  });

  it('a signature too short to be one is examined, a long one is not', () => {
    const signed = (signature: string): object => ({
      ...body,
      messages: [{ role: 'assistant', content: [{ ...turn[0], signature }] }],
    });
    expect(requestOf('anthropic-messages', signed('078-05-1120')).locked).toContain('078-05-1120');
    expect(requestOf('anthropic-messages', signed('QUJD'.repeat(30))).locked).toHaveLength(1);
  });

  it('a signature that is prose is refused', () => {
    const spoiled = [{ ...turn[0], signature: 'Ada Byron, born 1815' }];
    expect(refusalOf('anthropic-messages', { ...body, messages: [{ role: 'assistant', content: spoiled }] })).toMatch(
      /^body_unreadable/,
    );
  });
});

describe('sites', () => {
  it('message ordinals count from one, what stands outside the messages is zero', () => {
    const sites = requestOf(
      'anthropic-messages',
      anthropic([{ type: 'text', text: 'b' }], { system: 'a', stop_sequences: ['c'] }),
    ).sites;
    expect(sites).toEqual([
      { text: 'a', format: 'text', message: 0 },
      { text: 'b', format: 'text', message: 1 },
      { text: 'c', format: 'text', message: 0 },
    ]);
  });

  it('tool input is a json site as it is written; arguments are decoded', () => {
    const input =
      '{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{ "a" : 1.50 }}]}]}';
    expect(requestOf('anthropic-messages', input).sites).toEqual([
      { text: '{ "a" : 1.50 }', format: 'json', message: 1 },
    ]);
    const call = (value: string): object => ({
      role: 'assistant',
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: value } }],
    });
    expect(requestOf('openai-chat', chat([call('{"a":"é\\n"}')])).sites).toEqual([
      { text: '{"a":"é\\n"}', format: 'json', message: 1 },
    ]);
    expect(requestOf('openai-chat', chat([call('{"a":')])).sites).toEqual([
      { text: '{"a":', format: 'text', message: 1 },
    ]);
    expect(requestOf('openai-chat', chat([call('{"a":1,"a":2}')])).sites[0]?.format).toBe('text');
  });

  it('T19: replaced arguments are escaped twice and stay JSON within JSON', () => {
    const value = JSON.stringify({ q: 'say "hi"\\ \n \'é😀\'' });
    const body = chat([
      {
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"q":"x"}' } }],
      },
    ]);
    const sent = JSON.parse(text(requestOf('openai-chat', body).rewrite([value]))) as {
      messages: { tool_calls: { function: { arguments: string } }[] }[];
    };
    expect(sent.messages[0]?.tool_calls[0]?.function.arguments).toBe(value);
  });

  it('metadata carries the name of its field, and its keys are examined', () => {
    const request = requestOf(
      'openai-chat',
      chat([], { metadata: { patient_name: 'Ada' }, user: 'u1', safety_identifier: 's1' }),
    );
    expect(request.sites).toContainEqual({ text: 'Ada', format: 'text', message: 0, field: 'patient_name' });
    expect(request.schemaTexts).toContain('patient_name');
    expect(request.user).toBe('s1');
    expect(requestOf('anthropic-messages', anthropic('x', { metadata: { user_id: 'u2' } })).user).toBe('u2');
    expect(requestOf('anthropic-messages', anthropic('x')).user).toBeUndefined();
  });

  it('names, enumerations and patterns of schemas are not sites', () => {
    const request = requestOf('anthropic-messages', fullAnthropic);
    for (const name of ['given', 'ward', 'north', 'icu', '^[a-z]+$', 'x-ward', '#/$defs/visit', 'find_chart']) {
      expect(request.schemaTexts).toContain(name);
      expect(request.sites.map((site) => site.text)).not.toContain(name);
    }
    expect(request.schemaTexts.filter((name) => name.includes('json-schema.org'))).toEqual([]);
  });

  it('ids in the random form of the providers are not examined, others are', () => {
    expect(requestOf('anthropic-messages', fullAnthropic).locked).toContain('call_custom.1');
    expect(requestOf('anthropic-messages', fullAnthropic).locked.filter((value) => value.startsWith('toolu_'))).toEqual(
      [],
    );
    expect(requestOf('openai-chat', fullChat).locked).toEqual(['call_2', 'call_3', 'call_2', 'call_2']);
  });
});

describe('features', () => {
  it('every line and every flag of anthropic-beta is a feature', () => {
    const headers = [
      ['Anthropic-Beta', 'prompt-caching-2024-07-31, files-api-2025-04-14'],
      ['x', 'y'],
      ['anthropic-beta', 'claude-code-20250219,,Ada Byron'],
    ] as const;
    expect(requestOf('anthropic-messages', anthropic('x'), { headers }).features).toEqual([
      'beta:claude-code-20250219',
      'beta:files-api-2025-04-14',
      'beta:prompt-caching-2024-07-31',
      'beta:unknown',
    ]);
  });

  it("tools, stores and connectors are features; an application's own function is none", () => {
    expect(requestOf('anthropic-messages', fullAnthropic).features).toEqual([
      'block:compaction',
      'block:fallback',
      'block:mcp_tool_use',
      'block:tool_addition',
      'block:tool_removal',
      'body:billing_policy',
      'body:compaction',
      'body:container',
      'body:context_management',
      'body:diagnostics',
      'body:fallback_credit_token',
      'body:fallbacks',
      'body:mcp_servers',
      'body:skills',
      'body:user_profile_id',
      'body:workspace_id',
      'tool:advisor',
      'tool:bash',
      'tool:mcp_toolset',
      'tool:web_search',
    ]);
    expect(requestOf('openai-chat', fullChat).features).toEqual([
      'body:moderation',
      'body:prompt_cache_retention',
      'body:web_search_options',
    ]);
    expect(requestOf('openai-chat', chat([], { store: true })).features).toEqual(['body:store']);
    const tools = [
      { type: 'web_fetch_20260318', name: 'web_fetch' },
      { name: 'f', input_schema: {}, allowed_callers: ['code_execution_20250825'] },
    ];
    expect(requestOf('anthropic-messages', anthropic('x', { tools })).features).toEqual([
      'tool:programmatic_tool_calling',
      'tool:web_fetch',
      'tool:web_fetch:dynamic_filtering',
    ]);
  });
});

describe('rewrite', () => {
  it('the original texts give the original bytes, white space, escapes and numbers included', () => {
    const raw =
      ' {"messages" : [ {"role":"user","content":"A\\u0064a\\/\\n\\u00e9"} ],\n"model":"m","temperature":1.0e0,"max_tokens":10} ';
    const request = requestOf('anthropic-messages', raw);
    expect(text(request.rewrite(request.sites.map((site) => site.text)))).toBe(raw);
    expect(text(request.rewrite(['S']))).toBe(raw.replace('"A\\u0064a\\/\\n\\u00e9"', '"S"'));
  });

  it('a wrong number of texts is an error of the program', () => {
    expect(() => requestOf('anthropic-messages', anthropic('x')).rewrite([])).toThrow(RangeError);
  });

  it('T32: the bytes up to the last message are the same when a turn is added', () => {
    const turn = (messages: readonly object[]): string => {
      const request = requestOf('anthropic-messages', { model: 'm', max_tokens: 5, system: 'Ada', messages });
      return text(request.rewrite(request.sites.map((site) => site.text.replaceAll('Ada', 'NAME_1'))));
    };
    const first = [{ role: 'user', content: 'Ada?' }];
    const one = turn(first);
    const two = turn([...first, { role: 'assistant', content: 'Ada.' }, { role: 'user', content: 'And Ada?' }]);
    expect(two.startsWith(one.slice(0, -2))).toBe(true);
  });
});
