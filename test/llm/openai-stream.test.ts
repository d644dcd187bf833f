import { describe, expect, it } from 'vitest';
import { bytes, text } from './bytes.ts';
import { chunk, DONE, eventsOf, lanesOf, restore, restorerFor, run, TABLE } from './stream-of.ts';

const DIALECT = 'openai-chat';
const say = (content: string, index = 0): string => chunk({ content }, null, index);
const call = (index: number, value: string, choice = 0): string =>
  chunk({ tool_calls: [{ index, function: { arguments: value } }] }, null, choice);
const stop = (reason = 'stop', index = 0): string => chunk({}, reason, index);

describe('T9: a surrogate cut across chunks is restored', () => {
  it('at every place, in every choice', () => {
    const whole = 'Dear NAME_1a, NAME_10b NAME_1';
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const stream =
        say(whole.slice(0, cut)) +
        say('x NAM', 1) +
        say(whole.slice(cut)) +
        say('E_1a', 1) +
        stop() +
        stop('stop', 1) +
        DONE;
      expect(lanesOf(restore(DIALECT, stream).out)).toEqual({
        '0 content': `Dear Ada, ${TABLE['NAME_10b'] ?? ''} NAME_1`,
        '1 content': 'x Ada',
      });
    }
  });

  it('in a refusal', () => {
    const stream = chunk({ refusal: 'No, NA' }) + chunk({ refusal: 'ME_1a' }) + stop() + DONE;
    expect(lanesOf(restore(DIALECT, stream).out)).toEqual({ '0 refusal': 'No, Ada' });
  });
});

describe('T10: bytes', () => {
  it.each(['\n', '\r\n', '\r'])('one byte at a time gives the same, line ends %j', (end) => {
    const stream = (say('é😀 NAM') + say('E_1a 😀') + stop() + DONE).replaceAll('\n', end);
    const whole = restore(DIALECT, stream);
    expect(
      run(
        DIALECT,
        [...bytes(stream)].map((byte) => new Uint8Array([byte])),
      ).out,
    ).toBe(whole.out);
    expect(lanesOf(whole.out)).toEqual({ '0 content': 'é😀 Ada 😀' });
  });

  it('a stream with nothing to restore leaves with the bytes it came with', () => {
    const usage = `data: ${JSON.stringify({ id: 'c', choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 }, obfuscation: 'aB3' })}\n\n`;
    const stream = `: keep-alive\n\n${chunk({ role: 'assistant', content: '' })}${say('hello')}${stop()}${usage}${DONE}`;
    const { out, stage } = restore(DIALECT, stream);
    expect(out).toBe(stream);
    expect(stage.meta).toEqual({
      terminal: 'complete',
      id: 'c',
      model: 'gpt-5',
      stopReason: 'stop',
      usage: { input: 3, output: 4 },
    });
  });
});

describe('T12, T13: what was held comes out in its place', () => {
  it('before the chunk with the finish reason, as a chunk like the others', () => {
    const out = restore(DIALECT, say('x NAME_1') + stop() + DONE).out;
    const held = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":5,"model":"gpt-5","choices":[{"index":0,"delta":{"content":"NAME_1"},"finish_reason":null}]}\n\n`;
    expect(out).toBe(say('x ') + held + stop() + DONE);
  });

  it('in the chunk with the finish reason when that brings text itself', () => {
    const out = restore(DIALECT, say('x NAM') + chunk({ content: 'E_1a NA' }, 'stop') + DONE).out;
    expect(lanesOf(out)).toEqual({ '0 content': 'x Ada NA' });
    expect(eventsOf(out)).toHaveLength(3);
  });

  it('of its own choice only', () => {
    const out = restore(DIALECT, say('x NAM') + say('y NAM', 1) + stop() + say('E_1a', 1) + stop('stop', 1) + DONE).out;
    expect(lanesOf(out)).toEqual({ '0 content': 'x NAM', '1 content': 'y Ada' });
  });

  it('before the first tool call, since a client takes the text as complete then', () => {
    const out = restore(
      DIALECT,
      say('x NAM') + call(0, '{"a":"NAME') + call(0, '_1a"}') + stop('tool_calls') + DONE,
    ).out;
    const kinds = eventsOf(out).flatMap(({ data }) =>
      Object.keys((data as { choices?: { delta: object }[] }).choices?.[0]?.delta ?? {}),
    );
    expect(kinds).toEqual(['content', 'content', 'tool_calls', 'tool_calls']);
    expect(lanesOf(out)).toEqual({ '0 content': 'x NAM', '0 tool 0': '{"a":"Ada"}' });
  });

  it('nothing follows [DONE]', () => {
    const out = restore(DIALECT, say('x NAM') + DONE + say('late')).out;
    expect(out.endsWith(DONE)).toBe(true);
    expect(lanesOf(out)).toEqual({ '0 content': 'x NAM' });
  });

  it('T5: a stream that breaks off gives what was held as it is, and is not complete', () => {
    const { out, stage } = restore(DIALECT, `${say('x NAME_1')}data: {"id":"chat`);
    expect(lanesOf(out)).toEqual({ '0 content': 'x NAME_1' });
    expect(stage.meta.terminal).toBe('none');
  });

  it('an end without a blank line is an end', () => {
    const { out, stage } = restore(DIALECT, `${say('x')}data: [DONE]\n`);
    expect(out).toBe(say('x') + DONE);
    expect(stage.meta.terminal).toBe('complete');
  });

  it('T13: only the lane waits, and no longer than a surrogate', () => {
    const stage = restorerFor(DIALECT);
    expect(lanesOf(text(stage.push(bytes(say('a NAME_10'))).out))).toEqual({ '0 content': 'a ' });
    expect(stage.held).toBe(7);
    expect(text(stage.push(bytes(say('now', 1))).out)).toBe(say('now', 1));
    expect(lanesOf(text(stage.push(bytes(say('!'))).out))).toEqual({ '0 content': 'NAME_10!' });
    expect(stage.held).toBe(0);
  });
});

describe('T15, T19: tool calls', () => {
  it('T19: arguments are valid JSON with the original values wherever they are cut', () => {
    const input = JSON.stringify({ who: 'NAME_10b', NAME_1a: ['MRN_2c', 1.5] });
    for (let cut = 0; cut <= input.length; cut += 1) {
      const stream =
        call(0, input.slice(0, cut)) +
        call(1, '{"x":"NAM') +
        call(0, input.slice(cut)) +
        call(1, 'E_1a"}') +
        stop('tool_calls') +
        DONE;
      const lanes = lanesOf(restore(DIALECT, stream).out);
      expect(JSON.parse(lanes['0 tool 0'] ?? '')).toEqual({ who: TABLE['NAME_10b'], Ada: ['NAME_1a', 1.5] });
      expect(lanes['0 tool 1']).toBe('{"x":"Ada"}');
    }
  });

  it('T19: the input of a custom tool is text and is not escaped', () => {
    const custom = (value: string): string =>
      chunk({ tool_calls: [{ index: 0, type: 'custom', custom: { input: value } }] });
    const lanes = lanesOf(restore(DIALECT, custom('run NAME_1') + custom('0b') + stop('tool_calls') + DONE).out);
    expect(lanes['0 custom 0']).toBe(`run ${TABLE['NAME_10b'] ?? ''}`);
  });

  it('two calls in one chunk are two lanes', () => {
    const both = (a: string, b: string): string =>
      chunk({
        tool_calls: [
          { index: 0, function: { arguments: a } },
          { index: 1, function: { arguments: b } },
        ],
      });
    const lanes = lanesOf(
      restore(DIALECT, both('"NAM', '"NA') + both('E_1a"', 'ME_1a"') + stop('tool_calls') + DONE).out,
    );
    expect(lanes).toEqual({ '0 tool 0': '"Ada"', '0 tool 1': '"Ada"' });
  });
});

describe('T16: what is not restored', () => {
  it('ids, model, fingerprint, tool names and logprobs', () => {
    const stream =
      `data: ${JSON.stringify({ id: 'NAME_1a', model: 'NAME_1a', system_fingerprint: 'NAME_1a', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'NAME_1a', type: 'function', function: { name: 'NAME_1a' } }] }, logprobs: { content: [{ token: 'NAME_1a' }] }, finish_reason: null }] })}\n\n` +
      DONE;
    expect(restore(DIALECT, stream).out).toBe(stream);
  });
});

describe('errors and what is not known', () => {
  it('an error comes after what was held, restored, and ends the stream', () => {
    const error = 'data: {"error":{"message":"NAME_1a","type":"server_error","param":null,"code":"NAME_1a"}}\n\n';
    const { out, stage } = restore(DIALECT, say('x NAM') + error + say('late'));
    expect(out.endsWith(error.replace('NAME_1a', 'Ada'))).toBe(true);
    expect(lanesOf(out)).toEqual({ '0 content': 'x NAM' });
    expect(stage.meta.terminal).toBe('error');
  });

  it.each([
    ['no choices', 'data: {"id":"c"}\n\n'],
    [
      'an event of another API',
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"NAME_1a"}\n\n',
    ],
    ['data that is not JSON', 'data: {\n\n'],
    ['a duplicate key', 'data: {"choices":[],"choices":[]}\n\n'],
    ['content that is no string', chunk({ content: [{ type: 'text', text: 'NAME_1a' }] })],
    ['a delta that is no object', 'data: {"choices":[{"index":0,"delta":"NAME_1a"}]}\n\n'],
    ['no index', 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'],
    ['a tool call without index', chunk({ tool_calls: [{ function: { arguments: 'x' } }] })],
    ['an unknown tool call', chunk({ tool_calls: [{ index: 0, type: 'new', new: { input: 'x' } }] })],
  ])('%s is a fault', (_, bad) => {
    const { out, fault } = restore(DIALECT, say('x NAM') + bad + say('E_1a'));
    expect(fault).toBe(true);
    expect(lanesOf(out)).toEqual({ '0 content': 'x ' });
  });

  it('fields that no table knows stay as they are', () => {
    const stream = chunk({ content: 'x', extra_content: 'NAME_1a' }) + DONE;
    expect(restore(DIALECT, stream).out).toBe(stream);
  });
});
