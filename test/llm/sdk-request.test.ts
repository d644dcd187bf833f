import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { DialectId } from '#llm/dialect.ts';
import { dialectFor } from '#llm/dialect.ts';
import { parseRequest } from '#llm/parse-request.ts';
import type { ParsedRequest } from '#llm/request.ts';

/** A provider that reads each request with the dialect and answers with the next of the given bodies. */
function provider(answers: readonly (object | string)[]): {
  readonly seen: ParsedRequest[];
  readonly fetch: typeof fetch;
} {
  const seen: ParsedRequest[] = [];
  const queue = [...answers];
  const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const operation = dialectFor(request.method, url.pathname + url.search);
    if (operation === null) throw new Error(`no operation: ${url.pathname}${url.search}`);
    const body = new Uint8Array(await request.arrayBuffer());
    seen.push(read(operation.dialect, body, [...request.headers]));
    const next = queue.shift() ?? {};
    if (typeof next === 'string') return new Response(next, { headers: { 'content-type': 'text/event-stream' } });
    return new Response(JSON.stringify(next), { headers: { 'content-type': 'application/json' } });
  };
  return { seen, fetch: answer };
}

function read(dialect: DialectId, body: Uint8Array, headers: [string, string][]): ParsedRequest {
  const parse = parseRequest(dialect, { body, headers, allowMedia: false });
  if (parse.kind === 'refused') throw new Error(`refused: ${parse.refusal.reason} ${parse.refusal.where ?? ''}`);
  return parse.request;
}

const texts = (request: ParsedRequest | undefined): readonly string[] =>
  (request?.sites ?? []).map((site) => site.text);

describe('what the Anthropic SDK sends is read', () => {
  it('T3, T18: a tool loop in which each answer goes back as it came', async () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      { type: 'text', text: 'I look up Ada.', citations: null },
      {
        type: 'tool_use',
        id: 'toolu_01A09q90qw90lq917835lq9',
        name: 'find',
        input: { given: 'Ada' },
        caller: { type: 'direct' },
      },
    ];
    const answer = (rest: object): object => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      usage: {},
      ...rest,
    });
    const { seen, fetch } = provider([
      answer({ content, stop_reason: 'tool_use' }),
      answer({ content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' }),
    ]);
    const client = new Anthropic({ apiKey: 'k', fetch });
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Find Ada.' }];
    const tools = [
      {
        name: 'find',
        description: 'Finds.',
        input_schema: { type: 'object' as const, properties: { given: { type: 'string' } } },
      },
    ];
    const ask = { model: 'm', max_tokens: 2000, tools, thinking: { type: 'enabled' as const, budget_tokens: 1024 } };
    const first = await client.messages.create({ ...ask, messages });
    messages.push({ role: 'assistant', content: first.content });
    messages.push({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_01A09q90qw90lq917835lq9', content: 'Ada, room 4' }],
    });
    await client.messages.create({ ...ask, messages });
    expect(texts(seen[1])).toEqual(['Finds.', 'Find Ada.', 'I look up Ada.', '{"given":"Ada"}', 'Ada, room 4']);
    expect(texts(seen[1]).slice(0, 2)).toEqual(texts(seen[0]));
    expect(seen[1]?.locked).toEqual(['hm', 'c2ln']);
  });

  it('beta resources name their flags', async () => {
    const { seen, fetch } = provider([{ type: 'message', content: [] }]);
    const client = new Anthropic({ apiKey: 'k', fetch });
    const betas = ['context-1m-2025-08-07', 'interleaved-thinking-2025-05-14'];
    await client.beta.messages.create({ model: 'm', max_tokens: 5, betas, messages: [{ role: 'user', content: 'x' }] });
    expect(seen[0]?.features).toEqual(betas.map((flag) => `beta:${flag}`));
  });
});

describe('what the OpenAI SDK sends is read', () => {
  it('T3, T18: runTools sends answers, arguments and results back, all examined', async () => {
    const call = {
      id: 'call_abc123DEF456ghi7',
      type: 'function',
      function: { name: 'find', arguments: '{"given":"Ada"}' },
    };
    const answer = (message: object, finish: string): object => ({
      id: 'c',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', refusal: null, annotations: [], ...message },
          logprobs: null,
          finish_reason: finish,
        },
      ],
    });
    const { seen, fetch } = provider([
      answer({ content: 'I look.', tool_calls: [call] }, 'tool_calls'),
      answer({ content: 'Done.' }, 'stop'),
    ]);
    const client = new OpenAI({ apiKey: 'k', fetch });
    const runner = client.chat.completions.runTools({
      model: 'm',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: 'Find Ada.' },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'find',
            description: 'Finds.',
            parameters: { type: 'object', properties: { given: { type: 'string' } } },
            parse: JSON.parse,
            function: () => 'Ada, room 4',
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('Done.');
    expect(texts(seen[1])).toEqual(expect.arrayContaining(['I look.', '{"given":"Ada"}', 'Ada, room 4']));
    expect(texts(seen[1]).slice(0, 3)).toEqual(['Finds.', 'Be brief.', 'Find Ada.']);
  });

  it('parse with a schema, and a stream with usage', async () => {
    const { seen, fetch } = provider([{ choices: [] }, 'data: [DONE]\n\n']);
    const client = new OpenAI({ apiKey: 'k', fetch });
    const schema = {
      type: 'object',
      properties: { ward: { enum: ['north'] } },
      required: ['ward'],
      additionalProperties: false,
    };
    const format = { type: 'json_schema' as const, json_schema: { name: 'letter', strict: true, schema } };
    await client.chat.completions.parse({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      response_format: format,
    });
    const stream = await client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const _ of stream) expect(_).toBeDefined();
    expect(seen.map((request) => request.stream)).toEqual([false, true]);
    expect(seen[0]?.schemaTexts).toEqual(['letter', 'ward', 'north']);
  });
});
