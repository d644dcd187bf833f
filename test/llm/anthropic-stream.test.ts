import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { createStreamRestorer } from '#llm/stream.ts';
import { bytes, text } from './bytes.ts';
import { fakeRestorer } from './fake-restorer.ts';
import {
  blocksOf,
  delta,
  event,
  eventsOf,
  message,
  restore,
  restorerFor,
  run,
  START,
  STOP,
  TABLE,
} from './stream-of.ts';

const DIALECT = 'anthropic-messages';
const textStart = (index: number, opening = ''): string =>
  event('content_block_start', { index, content_block: { type: 'text', text: opening } });
const toolStart = (index: number): string =>
  event('content_block_start', { index, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } });
const stop = (index: number): string => event('content_block_stop', { index });
const say = (index: number, value: string): string => delta(index, { type: 'text_delta', text: value });
const pass = (index: number, value: string): string => delta(index, { type: 'input_json_delta', partial_json: value });

describe('T9: a surrogate cut across deltas is restored', () => {
  it('at every place', () => {
    const whole = 'Dear NAME_1a, NAME_10b NAME_1';
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const stream = message(textStart(0) + say(0, whole.slice(0, cut)) + say(0, whole.slice(cut)) + stop(0));
      expect(blocksOf(restore(DIALECT, stream).out)).toEqual({ 0: `Dear Ada, ${TABLE['NAME_10b'] ?? ''} NAME_1` });
    }
  });

  it('when each delta brings one character, and when the block begins with text', () => {
    const stream = message(
      textStart(0, 'NAM') +
        Array.from('E_1a!')
          .map((letter) => say(0, letter))
          .join('') +
        stop(0),
    );
    const blocks = eventsOf(restore(DIALECT, stream).out);
    const opening = blocks
      .map(({ data }) => (data as { content_block?: { text: string } }).content_block?.text)
      .find((value) => value !== undefined);
    expect((opening ?? '') + (blocksOf(restore(DIALECT, stream).out)[0] ?? '')).toBe('Ada!');
  });

  it('T4: a restored value is not restored again', () => {
    expect(blocksOf(restore(DIALECT, message(textStart(0) + say(0, 'MRN_2c') + stop(0))).out)).toEqual({
      0: 'NAME_1a',
    });
  });
});

describe('T10: bytes', () => {
  const stream = message(textStart(0) + say(0, 'é😀 NAM') + say(0, 'E_1a 😀') + stop(0));
  it.each(['\n', '\r\n', '\r'])('one byte at a time gives the same, line ends %j', (end) => {
    const cut = stream.replaceAll('\n', end);
    const whole = restore(DIALECT, cut).out;
    expect(
      run(
        DIALECT,
        [...bytes(cut)].map((byte) => new Uint8Array([byte])),
      ).out,
    ).toBe(whole);
    expect(blocksOf(whole)).toEqual({ 0: 'é😀 Ada 😀' });
  });

  it('data without a space, comments and pings pass', () => {
    const odd = `: hello\n\n${event('ping')}${stream.replaceAll('data: ', 'data:')}`;
    const { out, fault } = restore(DIALECT, odd);
    expect(fault).toBe(false);
    expect(out).toContain(`: hello\n\n${event('ping')}`);
    expect(blocksOf(out)).toEqual({ 0: 'é😀 Ada 😀' });
  });

  it('a stream with nothing to restore leaves with the bytes it came with', () => {
    const odd = stream
      .replaceAll('NAM', 'nam')
      .replaceAll('{"type":"content_block_delta"', '{ "type" : "content_block_\\u0064elta"');
    expect(restore(DIALECT, odd).out).toBe(odd);
  });

  it('a rewritten event keeps its other fields, their order and how they are written', () => {
    const odd =
      'event: content_block_delta\ndata: { "x":1.0, "index" : 0,"type":"content_block_delta","delta":{"text":"NAME_1a","type":"text_delta"}}\n\n';
    expect(restore(DIALECT, message(textStart(0) + odd + stop(0))).out).toContain(odd.replace('NAME_1a', 'Ada'));
  });
});

describe('T11, T13: what is held', () => {
  it('T11: a single first character of a surrogate is held, and comes with the next', () => {
    const stage = restorerFor(DIALECT);
    stage.push(bytes(START + textStart(0)));
    expect(text(stage.push(bytes(say(0, 'a N'))).out)).toBe(say(0, 'a '));
    expect(stage.held).toBe(1);
    expect(text(stage.push(bytes(say(0, 'o'))).out)).toBe(say(0, 'No'));
    expect(stage.held).toBe(0);
  });

  it('T13: a delta without a beginning of a surrogate leaves with the push that brought it', () => {
    const stage = restorerFor(DIALECT);
    stage.push(bytes(START + textStart(0)));
    for (const word of 'Four score and seven years ago'.split(' ')) {
      expect(text(stage.push(bytes(say(0, `${word} `))).out)).toBe(say(0, `${word} `));
    }
  });

  it('T13: what is held is never longer than a surrogate, and holds up no other lane', () => {
    const stage = restorerFor(DIALECT);
    stage.push(bytes(START + textStart(0) + toolStart(1)));
    for (const letter of 'NAME_NAME_1NAME_10NAM') {
      stage.push(bytes(say(0, letter)));
      expect(stage.held).toBeLessThan('NAME_10b'.length);
    }
    expect(text(stage.push(bytes(pass(1, '{"a":'))).out)).toBe(pass(1, '{"a":'));
    expect(text(stage.push(bytes(event('ping'))).out)).toBe(event('ping'));
  });
});

describe('T12: what was held comes out in its place', () => {
  it('before the stop of its own block, as a delta of that block', () => {
    const stream = message(textStart(0) + textStart(1) + say(0, 'x NAME_1') + say(1, 'y NA') + stop(0) + stop(1));
    const out = restore(DIALECT, stream).out;
    expect(out).toContain(say(0, 'NAME_1') + stop(0) + say(1, 'NA') + stop(1));
    expect(eventsOf(out).every(({ name, data }) => name === (data as { type: string }).type)).toBe(true);
  });

  it('a delta that only held text is left out, no event is without data', () => {
    const out = restore(DIALECT, message(textStart(0) + say(0, 'NAM') + say(0, 'E_1a') + stop(0))).out;
    expect(out).toBe(message(textStart(0) + say(0, 'Ada') + stop(0)));
  });

  it('nothing follows message_stop', () => {
    const out = restore(DIALECT, message(textStart(0) + say(0, 'NAM')) + say(0, 'late') + event('ping')).out;
    expect(out.endsWith(event('message_stop'))).toBe(true);
    expect(out).toContain(`${say(0, 'NAM')}event: message_delta`);
  });

  it('T5: a stream that breaks off gives what was held as it is, and is not complete', () => {
    const { out, stage, fault } = restore(
      DIALECT,
      START + textStart(0) + say(0, 'x NAME_1') + 'event: content_block_delta\ndata: {"type":"content_bl',
    );
    expect(out).toBe(START + textStart(0) + say(0, 'x ') + say(0, 'NAME_1'));
    expect(fault).toBe(false);
    expect(stage.meta.terminal).toBe('none');
  });

  it('an error event comes after what was held and ends the stream', () => {
    const error = event('error', { error: { type: 'overloaded_error', message: 'NAME_1a waits' } });
    const { out, stage } = restore(DIALECT, START + textStart(0) + say(0, 'x NAM') + error + say(0, 'late'));
    expect(out).toBe(START + textStart(0) + say(0, 'x ') + say(0, 'NAM') + error.replace('NAME_1a', 'Ada'));
    expect(stage.meta.terminal).toBe('error');
  });
});

describe('T19: tool input', () => {
  const input = JSON.stringify({ who: 'NAME_10b', NAME_1a: ['MRN_2c', 1.5] });
  it('is valid JSON with the original values wherever it is cut', () => {
    for (let cut = 0; cut <= input.length; cut += 1) {
      const out = restore(
        DIALECT,
        message(toolStart(0) + pass(0, input.slice(0, cut)) + pass(0, input.slice(cut)) + stop(0)),
      ).out;
      expect(JSON.parse(blocksOf(out)[0] ?? '')).toEqual({ who: TABLE['NAME_10b'], Ada: ['NAME_1a', 1.5] });
    }
  });

  it('is restored when the block brings it whole', () => {
    const whole = event('content_block_start', {
      index: 0,
      content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: { who: 'NAME_10b' } },
    });
    const block = eventsOf(restore(DIALECT, message(whole + stop(0))).out)[1]?.data as {
      content_block: { input: unknown };
    };
    expect(block.content_block.input).toEqual({ who: TABLE['NAME_10b'] });
  });
});

describe('T16, T23: what is not restored', () => {
  it('T16: ids, models and tool ids stay as they are, and enter no record with a strange shape', () => {
    const start = event('message_start', {
      message: { id: 'NAME_1a', type: 'message', model: 'NAME_1a is ill', content: [], usage: {} },
    });
    const tool = event('content_block_start', {
      index: 0,
      content_block: { type: 'tool_use', id: 'NAME_1a', name: 'NAME_1a', input: {} },
    });
    const { out, stage } = restore(DIALECT, start + tool + stop(0) + STOP);
    expect(out).toBe(start + tool + stop(0) + STOP);
    expect(stage.meta.model).toBeUndefined();
  });

  it('T23: thinking and signatures pass byte for byte and are handed over for examination', () => {
    const thinking =
      event('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }) +
      delta(0, { type: 'thinking_delta', thinking: 'NAME_1a \u00e9', estimated_tokens: null }) +
      delta(0, { type: 'signature_delta', signature: 'NAME_1a' }) +
      stop(0) +
      event('content_block_start', { index: 1, content_block: { type: 'redacted_thinking', data: 'NAME_1a' } }) +
      stop(1);
    const seen: string[] = [];
    const stage = createStreamRestorer(DIALECT, {
      restorer: fakeRestorer(TABLE),
      onLocked: (value) => seen.push(value),
    });
    expect(text(stage.push(bytes(message(thinking))).out)).toBe(message(thinking));
    expect(seen.join('')).toBe('NAME_1a \u00e9');
  });
});

describe('citations', () => {
  const cite = (citation: object): string =>
    message(textStart(0) + delta(0, { type: 'citations_delta', citation }) + stop(0));
  const found = (stream: string): unknown =>
    eventsOf(stream)
      .map(({ data }) => (data as { delta?: { citation?: object } }).delta?.citation)
      .find((value) => value !== undefined);
  const place = {
    type: 'char_location',
    cited_text: 'NAME_1a coughs.',
    document_index: 0,
    document_title: 'On NAME_1a',
    start_char_index: 12,
    end_char_index: 27,
  };

  it('texts are restored and offsets count the original document', () => {
    const documents = [{ sent: 'NAME_10b 😀. NAME_1a coughs.', original: 'Grace Hopper 😀. Ada coughs.' }];
    const options = { restorer: fakeRestorer({ ...TABLE, NAME_10b: 'Grace Hopper' }), documents };
    const stage = createStreamRestorer(DIALECT, options);
    const out = text(stage.push(bytes(cite({ ...place, start_char_index: 12 - 0, end_char_index: 27 }))).out);
    expect(found(out)).toEqual({
      ...place,
      cited_text: 'Ada coughs.',
      document_title: 'On Ada',
      start_char_index: 16,
      end_char_index: 27,
    });
  });

  it('offsets that cannot be found again are null, not wrong', () => {
    expect(found(restore(DIALECT, cite(place)).out)).toEqual({
      ...place,
      cited_text: 'Ada coughs.',
      document_title: 'On Ada',
      start_char_index: null,
      end_char_index: null,
    });
  });

  it('offsets into a document that was not changed stay', () => {
    const stage = createStreamRestorer(DIALECT, {
      restorer: fakeRestorer(TABLE),
      documents: [{ sent: 'a', original: 'a' }],
    });
    expect(text(stage.push(bytes(cite({ ...place, cited_text: 'a' }))).out)).toContain('"start_char_index":12');
  });
});

describe('what is not known is a fault', () => {
  it.each([
    ['an unknown event', event('new_event')],
    ['an unknown block', event('content_block_start', { index: 0, content_block: { type: 'new_block' } })],
    ['an unknown delta', delta(0, { type: 'new_delta', text: 'x' })],
    ['a name that differs from the type', 'event: ping\ndata: {"type":"message_stop"}\n\n'],
    ['data that is not JSON', 'event: content_block_delta\ndata: {"type":\n\n'],
    ['a duplicate key', 'event: ping\ndata: {"type":"ping","type":"message_stop"}\n\n'],
    ['no type', 'data: {}\n\n'],
    ['text that is no string', delta(0, { type: 'text_delta', text: ['NAME_1a'] })],
    ['no index', event('content_block_delta', { delta: { type: 'text_delta', text: 'x' } })],
    ['an index that is no number', event('content_block_stop', { index: 'a:b' })],
  ])('%s', (_, bad) => {
    const { out, fault } = restore(DIALECT, START + textStart(0) + say(0, 'x NAM') + bad + say(0, 'E_1a'));
    expect(fault).toBe(true);
    expect(out).toBe(START + textStart(0) + say(0, 'x '));
  });

  it('more open lanes than the limit', () => {
    const blocks = Array.from({ length: LIMIT.streamLanes + 1 }, (_, index) => textStart(index) + say(index, 'x')).join(
      '',
    );
    expect(restore(DIALECT, START + blocks).fault).toBe(true);
  });
});

it('the stream tells model, id, usage, stop reason and that it is complete', () => {
  expect(restore(DIALECT, message(textStart(0) + stop(0))).stage.meta).toEqual({
    terminal: 'complete',
    id: 'msg_1',
    model: 'claude-sonnet-5',
    stopReason: 'end_turn',
    usage: { input: 7, output: 12 },
  });
});
