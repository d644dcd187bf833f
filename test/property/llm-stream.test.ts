import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { restoreAll } from '#test/llm/fake-restorer.ts';
import { bytes, text } from '#test/llm/bytes.ts';
import {
  blocksOf,
  chunk,
  delta,
  DONE,
  event,
  lanesOf,
  message,
  restore,
  restorerFor,
  run,
  TABLE,
} from '#test/llm/stream-of.ts';

const word = fc.oneof(
  fc.constantFrom(
    ...Object.keys(TABLE),
    'NAME_1',
    'NAME_10',
    'MRN_',
    'N',
    ' ',
    '"',
    '\\',
    '\n',
    'é',
    '😀',
    '{',
    '}',
    'x',
  ),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const prose = fc.array(word, { maxLength: 8 }).map((words) => words.join(''));
const input = fc.dictionary(
  fc.constantFrom('a', 'NAME_1a', 'b"c'),
  fc.oneof(prose, fc.integer(), fc.array(prose, { maxLength: 2 })),
  { maxKeys: 3 },
);

/** The pieces of a text cut at the given places, never inside a surrogate pair, as providers cut at tokens. */
function pieces(text: string, cuts: readonly number[]): readonly string[] {
  const units = Array.from(text);
  const places = [...new Set(cuts.map((cut) => cut % (units.length + 1)))].toSorted((a, b) => a - b);
  return [...places, units.length].map((place, index) =>
    units.slice(index === 0 ? 0 : places[index - 1], place).join(''),
  );
}

interface Lane {
  readonly kind: 'text' | 'json' | 'thinking';
  readonly text: string;
  readonly cuts: readonly number[];
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });
const lane: fc.Arbitrary<Lane> = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: prose, cuts }),
  fc.record({ kind: fc.constant('json' as const), text: input.map((value) => JSON.stringify(value)), cuts }),
  fc.record({ kind: fc.constant('thinking' as const), text: prose, cuts }),
);
const lanes = fc.array(lane, { minLength: 1, maxLength: 4 });
const ends = fc.constantFrom('\n', '\r\n', '\r');

const BLOCK = {
  text: { type: 'text', text: '' },
  json: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} },
  thinking: { type: 'thinking', thinking: '', signature: '' },
} as const;
const DELTA = {
  text: (text: string) => ({ type: 'text_delta', text }),
  json: (text: string) => ({ type: 'input_json_delta', partial_json: text }),
  thinking: (text: string) => ({ type: 'thinking_delta', thinking: text }),
} as const;

/** A message whose blocks are open together, their deltas taken in turn. */
function anthropicStream(all: readonly Lane[]): string {
  const queues = all.map((item, index) =>
    pieces(item.text, item.cuts).map((piece) => delta(index, DELTA[item.kind](piece))),
  );
  const starts = all.map((item, index) => event('content_block_start', { index, content_block: BLOCK[item.kind] }));
  const stops = all.map((_, index) => event('content_block_stop', { index }));
  const longest = Math.max(...queues.map((queue) => queue.length));
  const turns = Array.from({ length: longest }, (_, turn) => queues.map((queue) => queue[turn] ?? '').join(''));
  return message(starts.join('') + turns.join('') + stops.join(''));
}

/** Choices with text and, for json lanes, a tool call. */
function chatStream(all: readonly Lane[]): string {
  const queues = all.map((item, index) =>
    pieces(item.text, item.cuts).map((piece) =>
      chunk(
        item.kind === 'json' ? { tool_calls: [{ index: 0, function: { arguments: piece } }] } : { content: piece },
        null,
        index,
      ),
    ),
  );
  const longest = Math.max(...queues.map((queue) => queue.length));
  const turns = Array.from({ length: longest }, (_, turn) => queues.map((queue) => queue[turn] ?? '').join(''));
  return turns.join('') + all.map((_, index) => chunk({}, 'stop', index)).join('') + DONE;
}

function expected(item: Lane): string {
  return item.kind === 'thinking' ? item.text : restoreAll(TABLE, item.text, item.kind);
}

/** Cuts bytes at the given places. */
function cutBytes(all: Uint8Array, at: readonly number[]): readonly Uint8Array[] {
  const places = [...new Set(at.map((place) => place % (all.length + 1)))].toSorted((a, b) => a - b);
  return [...places, all.length].map((place, index) => all.subarray(index === 0 ? 0 : places[index - 1], place));
}

describe('T9, T10: where the network and the provider cut does not matter', () => {
  it('a Messages stream', () => {
    fc.assert(
      fc.property(lanes, fc.array(fc.nat(), { maxLength: 12 }), ends, (all, at, end) => {
        const stream = anthropicStream(all).replaceAll('\n', end);
        const whole = restore('anthropic-messages', stream);
        expect(whole.fault).toBe(false);
        expect(run('anthropic-messages', cutBytes(bytes(stream), at)).out).toBe(whole.out);
        const blocks = blocksOf(whole.out);
        for (const [index, item] of all.entries()) {
          expect(blocks[index] ?? '').toBe(expected(item));
          if (item.kind === 'json') JSON.parse(blocks[index] ?? '');
        }
      }),
      { numRuns: 400 },
    );
  });

  it('a Chat Completions stream', () => {
    fc.assert(
      fc.property(lanes, fc.array(fc.nat(), { maxLength: 12 }), ends, (all, at, end) => {
        const stream = chatStream(
          all.map((item) => (item.kind === 'thinking' ? { ...item, kind: 'text' } : item)),
        ).replaceAll('\n', end);
        const whole = restore('openai-chat', stream);
        expect(whole.fault).toBe(false);
        expect(run('openai-chat', cutBytes(bytes(stream), at)).out).toBe(whole.out);
        const found = lanesOf(whole.out);
        for (const [index, item] of all.entries()) {
          const key = item.kind === 'json' ? `${String(index)} tool 0` : `${String(index)} content`;
          expect(found[key] ?? '').toBe(restoreAll(TABLE, item.text, item.kind === 'json' ? 'json' : 'text'));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('every prefix of a stream is safe: what has left stays, and no broken event is in it', () => {
    fc.assert(
      fc.property(lanes, fc.nat(), (all, at) => {
        const stream = bytes(anthropicStream(all));
        const cut = at % (stream.length + 1);
        const { out, fault } = restorerFor('anthropic-messages').push(stream.subarray(0, cut));
        expect(fault).toBeUndefined();
        const blocks = blocksOf(text(out));
        for (const [index, item] of all.entries()) expect(expected(item).startsWith(blocks[index] ?? '')).toBe(true);
        expect(run('anthropic-messages', [stream.subarray(0, cut)]).fault).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('arbitrary bytes never throw, and after a fault nothing leaves', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .constantFrom(
          'data: {"choices":[]}\n\n',
          'data: [DONE]\n\n',
          event('ping'),
          'data: {"type":"message_stop"}\n',
          '\n',
          '\r',
          'event: x\n',
          'data',
          ':\n\n',
        )
        .map(bytes),
    );
    fc.assert(
      fc.property(
        fc.array(noise, { maxLength: 8 }),
        fc.constantFrom('anthropic-messages' as const, 'openai-chat' as const),
        (parts, dialect) => {
          const first = run(dialect, parts);
          if (first.fault) expect(run(dialect, [...parts, bytes(event('ping'))]).out).toBe(first.out);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the providers' own SDKs read the restored stream", () => {
  const answer = (body: string) => () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  const ask = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };

  it('T19: Anthropic gives every block with its original text and tool input', async () => {
    const sequential = (all: readonly Lane[]): string =>
      message(
        all
          .map((item, index) => {
            const deltas = pieces(item.text, item.cuts).map((piece) => delta(index, DELTA[item.kind](piece)));
            return (
              event('content_block_start', { index, content_block: BLOCK[item.kind] }) +
              deltas.join('') +
              event('content_block_stop', { index })
            );
          })
          .join(''),
      );
    await fc.assert(
      fc.asyncProperty(lanes, async (all) => {
        const client = new Anthropic({
          apiKey: 'k',
          fetch: answer(restore('anthropic-messages', sequential(all)).out),
        });
        const { content } = await client.messages.stream(ask).finalMessage();
        for (const [index, item] of all.entries()) {
          const block = content[index];
          if (block?.type === 'tool_use') expect(block.input).toEqual(JSON.parse(expected(item)));
          else
            expect(block?.type === 'thinking' ? block.thinking : block?.type === 'text' ? block.text : null).toBe(
              expected(item),
            );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('T12, T19: OpenAI gives content and arguments of every choice, each once', async () => {
    await fc.assert(
      fc.asyncProperty(prose, input, cuts, cuts, async (content, args, first, second) => {
        const json = JSON.stringify(args);
        const call = (piece: string, isFirst: boolean): string =>
          chunk({
            tool_calls: [
              {
                index: 0,
                ...(isFirst ? { id: 'call_1', type: 'function' } : {}),
                function: { ...(isFirst ? { name: 'f' } : {}), arguments: piece },
              },
            ],
          });
        const stream =
          chunk({ role: 'assistant', content: '' }) +
          pieces(content, first)
            .map((piece) => chunk({ content: piece }))
            .join('') +
          pieces(json, second)
            .map((piece, index) => call(piece, index === 0))
            .join('') +
          chunk({}, 'tool_calls') +
          DONE;
        const client = new OpenAI({ apiKey: 'k', fetch: answer(restore('openai-chat', stream).out) });
        const done: string[] = [];
        const runner = client.chat.completions.stream(ask);
        runner.on('tool_calls.function.arguments.done', (value) => done.push(value.arguments));
        const { choices } = await runner.finalChatCompletion();
        expect(choices[0]?.message.content ?? '').toBe(restoreAll(TABLE, content, 'text'));
        const [tool] = choices[0]?.message.tool_calls ?? [];
        const written = tool?.type === 'function' ? tool.function.arguments : '';
        expect(written).toBe(restoreAll(TABLE, json, 'json'));
        expect(done).toEqual([written]);
      }),
      { numRuns: 60 },
    );
  });
});
