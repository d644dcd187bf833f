import { describe, expect, it } from 'vitest';
import type { DialectId } from '#llm/dialect.ts';
import { parseResponse } from '#llm/parse-response.ts';
import type { ParsedResponse, ResponseOptions } from '#llm/response.ts';
import { bytes, text } from './bytes.ts';
import { restoreAll } from './fake-restorer.ts';
import { TABLE } from './stream-of.ts';

function responseOf(dialect: DialectId, body: unknown, options: ResponseOptions = {}): ParsedResponse {
  const parse = parseResponse(dialect, bytes(body), options);
  if (parse.kind === 'refused') throw new Error(parse.reason);
  return parse.response;
}

function restored(dialect: DialectId, body: unknown, options: ResponseOptions = {}): string {
  const response = responseOf(dialect, body, options);
  return text(response.rewrite(response.sites.map((site) => restoreAll(TABLE, site.text, site.form))));
}

const HARD = TABLE['NAME_10b'] ?? '';
const message = (content: readonly unknown[], rest: object = {}): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-5',
  content,
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 4 },
  ...rest,
});
const completion = (value: object, rest: object = {}): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-5',
  choices: [{ index: 0, message: { role: 'assistant', ...value }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 4 },
  ...rest,
});

describe('a Messages answer', () => {
  it('T19: text and tool input are restored and the body stays JSON', () => {
    const body = message([
      { type: 'text', text: 'Dear NAME_10b', citations: null },
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: { who: 'NAME_10b', NAME_1a: [{ deep: 'MRN_2c' }] } },
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'NAME_1a' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', title: 'NAME_1a', url: 'u', encrypted_content: 'NAME_1a' }],
      },
      {
        type: 'web_fetch_tool_result',
        tool_use_id: 's',
        content: {
          type: 'web_fetch_result',
          url: 'u',
          content: { type: 'document', title: 'NAME_1a', source: { type: 'text', data: 'NAME_1a' } },
        },
      },
      {
        type: 'bash_code_execution_tool_result',
        tool_use_id: 's',
        content: { type: 'bash_code_execution_result', stdout: 'NAME_1a', stderr: '', content: [] },
      },
      { type: 'mcp_tool_result', tool_use_id: 's', content: [{ type: 'text', text: 'NAME_1a' }] },
    ]);
    expect(JSON.parse(restored('anthropic-messages', body))).toEqual(
      message([
        { type: 'text', text: `Dear ${HARD}`, citations: null },
        { type: 'tool_use', id: 'toolu_1', name: 'f', input: { who: HARD, Ada: [{ deep: 'NAME_1a' }] } },
        { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'Ada' } },
        {
          type: 'web_search_tool_result',
          tool_use_id: 's',
          content: [{ type: 'web_search_result', title: 'Ada', url: 'u', encrypted_content: 'NAME_1a' }],
        },
        {
          type: 'web_fetch_tool_result',
          tool_use_id: 's',
          content: {
            type: 'web_fetch_result',
            url: 'u',
            content: { type: 'document', title: 'Ada', source: { type: 'text', data: 'Ada' } },
          },
        },
        {
          type: 'bash_code_execution_tool_result',
          tool_use_id: 's',
          content: { type: 'bash_code_execution_result', stdout: 'Ada', stderr: '', content: [] },
        },
        { type: 'mcp_tool_result', tool_use_id: 's', content: [{ type: 'text', text: 'Ada' }] },
      ]),
    );
  });

  it('T16, T23: ids, model, names, thinking and signatures stay byte for byte', () => {
    const body = message(
      [
        { type: 'thinking', thinking: 'NAME_1a', signature: 'NAME_1a' },
        { type: 'redacted_thinking', data: 'NAME_1a' },
        { type: 'tool_use', id: 'NAME_1a', name: 'NAME_1a', input: {} },
        { type: 'compaction', content: 'NAME_1a', encrypted_content: 'NAME_1a' },
      ],
      { id: 'NAME_1a', model: 'NAME_1a is ill', container: { id: 'NAME_1a' } },
    );
    expect(restored('anthropic-messages', body)).toBe(JSON.stringify(body));
    const response = responseOf('anthropic-messages', body);
    expect(response.locked).toEqual(['NAME_1a', 'NAME_1a']);
    expect(response.meta.model).toBeUndefined();
  });

  it('the stop sequence and the explanation of a refusal are text', () => {
    const body = message([], {
      stop_sequence: 'NAME_1a',
      stop_details: { type: 'refusal', explanation: 'about NAME_1a' },
    });
    expect(JSON.parse(restored('anthropic-messages', body))).toMatchObject({
      stop_sequence: 'Ada',
      stop_details: { explanation: 'about Ada' },
    });
  });

  it('citations are restored, their offsets count the original', () => {
    const citation = {
      type: 'char_location',
      cited_text: 'NAME_1a.',
      document_index: 1,
      document_title: null,
      start_char_index: 9,
      end_char_index: 17,
    };
    const body = message([{ type: 'text', text: 'x', citations: [citation] }]);
    const documents = [null, { sent: 'NAME_1a. NAME_1a.', original: 'Ada. Ada.' }];
    expect(JSON.parse(restored('anthropic-messages', body, { documents }))).toEqual(
      message([
        {
          type: 'text',
          text: 'x',
          citations: [{ ...citation, cited_text: 'Ada.', start_char_index: 5, end_char_index: 9 }],
        },
      ]),
    );
    expect(
      JSON.parse(restored('anthropic-messages', body, { documents: [null, { sent: 'other', original: 'Other' }] })),
    ).toMatchObject({
      content: [{ citations: [{ start_char_index: null, end_char_index: null }] }],
    });
  });

  it('an error is restored for the caller to read', () => {
    const body = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'NAME_1a: too long' },
      request_id: 'NAME_1a',
    };
    expect(JSON.parse(restored('anthropic-messages', body))).toEqual({
      ...body,
      error: { ...body.error, message: 'Ada: too long' },
    });
  });

  it('an error without a type is an error', () => {
    expect(restored('anthropic-messages', { error: { message: 'NAME_1a' } })).toBe('{"error":{"message":"Ada"}}');
  });

  it('meta tells id, model, stop reason and usage', () => {
    expect(responseOf('anthropic-messages', message([])).meta).toEqual({
      id: 'msg_1',
      model: 'claude-sonnet-5',
      stopReason: 'end_turn',
      usage: { input: 3, output: 4 },
    });
  });
});

describe('a Chat Completions answer', () => {
  it('T19: content, refusal and arguments of every choice are restored', () => {
    const body = {
      ...completion({}),
      choices: [
        { index: 0, message: { content: 'Dear NAME_10b', refusal: null }, finish_reason: 'stop' },
        {
          index: 1,
          message: {
            content: null,
            refusal: 'NAME_1a',
            tool_calls: [
              { id: 'c', type: 'function', function: { name: 'f', arguments: '{"who":"NAME_10b"}' } },
              { id: 'd', type: 'custom', custom: { name: 'g', input: 'NAME_10b' } },
            ],
            function_call: { name: 'h', arguments: '["NAME_1a"]' },
            audio: { id: 'a', data: 'NAME_1a', transcript: 'NAME_1a' },
          },
          logprobs: { content: [{ token: 'NAME_1a', logprob: 0 }] },
          finish_reason: 'tool_calls',
        },
      ],
    };
    const after = JSON.parse(restored('openai-chat', body)) as typeof body;
    expect(after.choices[0]?.message.content).toBe(`Dear ${HARD}`);
    const second = after.choices[1];
    expect(second?.message.refusal).toBe('Ada');
    expect(JSON.parse(second?.message.tool_calls?.[0]?.function?.arguments ?? '')).toEqual({ who: HARD });
    expect(second?.message.tool_calls?.[1]?.custom?.input).toBe(HARD);
    expect(second?.message.function_call?.arguments).toBe('["Ada"]');
    expect(second?.message.audio).toEqual({ id: 'a', data: 'NAME_1a', transcript: 'Ada' });
    expect(second?.logprobs).toEqual(body.choices[1]?.logprobs);
  });

  it('annotations lose offsets that restoring has moved, and keep them otherwise', () => {
    const note = { type: 'url_citation', url_citation: { title: 'T', url: 'u', start_index: 3, end_index: 5 } };
    expect(restored('openai-chat', completion({ content: 'plain', annotations: [note] }))).toBe(
      JSON.stringify(completion({ content: 'plain', annotations: [note] })),
    );
    expect(JSON.parse(restored('openai-chat', completion({ content: 'NAME_1a', annotations: [note] })))).toMatchObject({
      choices: [{ message: { annotations: [{ url_citation: { start_index: null, end_index: null } }] } }],
    });
  });

  it('errors of every shape are restored', () => {
    const body = { error: { message: 'NAME_1a', type: 'invalid_request_error', param: 'NAME_1a', code: null } };
    expect(JSON.parse(restored('openai-chat', body))).toEqual({ error: { ...body.error, message: 'Ada' } });
    expect(restored('openai-chat', { error: 'NAME_1a' })).toBe('{"error":"Ada"}');
  });

  it('meta tells id, model, stop reason and usage', () => {
    expect(responseOf('openai-chat', completion({ content: 'x' })).meta).toEqual({
      id: 'chatcmpl-1',
      model: 'gpt-5',
      stopReason: 'stop',
      usage: { input: 3, output: 4 },
    });
  });
});

describe('an answer that is not known completely is unreadable', () => {
  it.each([
    ['anthropic-messages', 'not JSON'],
    ['anthropic-messages', '{"type":"message","content":[],"content":[]}'],
    ['anthropic-messages', '[]'],
    ['anthropic-messages', '{"type":"completion","completion":"x"}'],
    ['anthropic-messages', '{"choices":[]}'],
    ['anthropic-messages', '{"type":"message","content":[{"type":"new_block"}]}'],
    ['anthropic-messages', '{"type":"message","content":[{"type":"text","text":["x"]}]}'],
    ['anthropic-messages', '{"type":"message","content":"x"}'],
    ['openai-chat', '<html>'],
    ['openai-chat', '{}'],
    ['openai-chat', '{"choices":{}}'],
    ['openai-chat', '{"choices":[{"message":{"content":7}}]}'],
    ['openai-chat', '{"choices":[{"message":{"content":[{"type":"new"}]}}]}'],
    ['openai-chat', '{"choices":[{"message":{"tool_calls":[{"type":"new"}]}}]}'],
    ['openai-chat', '{"error":null}'],
  ] as const)('%s: %s', (dialect, body) => {
    expect(parseResponse(dialect, bytes(body))).toEqual({ kind: 'refused', reason: 'response_unreadable' });
  });

  it('bytes that are no UTF-8', () => {
    expect(parseResponse('openai-chat', new Uint8Array([0x22, 0xff, 0x22])).kind).toBe('refused');
  });
});

it('a wrong number of texts is an error of the program', () => {
  expect(() => responseOf('openai-chat', completion({ content: 'x' })).rewrite([])).toThrow(RangeError);
});
