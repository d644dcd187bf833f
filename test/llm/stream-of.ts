import type { DialectId } from '#llm/dialect.ts';
import { createStreamRestorer, type StreamRestorer } from '#llm/stream.ts';
import { bytes, text } from './bytes.ts';
import { fakeRestorer } from './fake-restorer.ts';

/** Surrogates of the tests; one value needs every kind of JSON escape, one looks like a surrogate itself. */
export const TABLE: Readonly<Record<string, string>> = {
  NAME_1a: 'Ada',
  NAME_10b: 'say "hi"\\ \n\t\u0001 é😀 $& \\1',
  MRN_2c: 'NAME_1a',
};

/** One event of the Messages API. */
export function event(type: string, rest: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`;
}

/** One delta of the Messages API. */
export function delta(index: number, value: object): string {
  return event('content_block_delta', { index, delta: value });
}

export const START = event('message_start', {
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5',
    content: [],
    stop_reason: null,
    usage: { input_tokens: 7, output_tokens: 1 },
  },
});
export const STOP =
  event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 12 } }) +
  event('message_stop');

/** A whole message around its content. */
export function message(content: string): string {
  return START + content + STOP;
}

/** One chunk of Chat Completions. */
export function chunk(value: object, finish: string | null = null, index = 0): string {
  const choices = [{ index, delta: value, logprobs: null, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 5, model: 'gpt-5', choices })}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

export function restorerFor(dialect: DialectId): StreamRestorer {
  return createStreamRestorer(dialect, { restorer: fakeRestorer(TABLE) });
}

export interface Run {
  readonly out: string;
  readonly fault: boolean;
  readonly stage: StreamRestorer;
}

/** Pushes pieces through a stage and ends it. */
export function run(dialect: DialectId, pieces: readonly Uint8Array[]): Run {
  const stage = restorerFor(dialect);
  const out: Uint8Array[] = [];
  let fault = false;
  for (const piece of pieces) {
    const step = stage.push(piece);
    out.push(...step.out);
    fault ||= step.fault !== undefined;
  }
  const last = stage.end();
  out.push(...last.out);
  return { out: text(out), fault: fault || last.fault !== undefined, stage };
}

/** Pushes a whole stream at once. */
export function restore(dialect: DialectId, stream: string): Run {
  return run(dialect, [bytes(stream)]);
}

/** The events of a stream by a second, plain reading of the format: names and parsed data. */
export function eventsOf(stream: string): readonly { readonly name: string | null; readonly data: unknown }[] {
  const blocks = stream
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\n')
    .split('\n\n')
    .filter((block) => block.trim() !== '');
  return blocks.map((block) => {
    const lines = block.split('\n').filter((line) => line !== '');
    const name =
      lines
        .find((line) => line.startsWith('event:'))
        ?.slice(6)
        .trim() ?? null;
    const data = lines
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5))
      .join('\n')
      .trim();
    return { name, data: data === '[DONE]' || data === '' ? data : (JSON.parse(data) as unknown) };
  });
}

interface Delta {
  readonly index?: number;
  readonly delta?: { readonly text?: string; readonly partial_json?: string; readonly thinking?: string };
}

/** What a client of the Messages API has at the end: the text of each block. */
export function blocksOf(stream: string): Readonly<Record<string, string>> {
  const blocks: Record<string, string> = {};
  for (const { data } of eventsOf(stream)) {
    const { index, delta: value } = data as Delta;
    const piece = value?.text ?? value?.partial_json ?? value?.thinking;
    if (index !== undefined && piece !== undefined) blocks[index] = (blocks[index] ?? '') + piece;
  }
  return blocks;
}

interface Chunk {
  readonly choices?: readonly {
    readonly index: number;
    readonly delta: {
      readonly content?: string;
      readonly refusal?: string;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly function?: { readonly arguments?: string };
        readonly custom?: { readonly input?: string };
      }[];
    };
  }[];
}

/** What a client of Chat Completions has at the end: the text of each lane. */
export function lanesOf(stream: string): Readonly<Record<string, string>> {
  const lanes: Record<string, string> = {};
  const add = (key: string, piece: string | null | undefined): void => {
    if (typeof piece === 'string') lanes[key] = (lanes[key] ?? '') + piece;
  };
  for (const { data } of eventsOf(stream)) {
    for (const { index, delta: value } of (data as Chunk).choices ?? []) {
      add(`${String(index)} content`, value.content);
      add(`${String(index)} refusal`, value.refusal);
      for (const call of value.tool_calls ?? []) {
        add(`${String(index)} tool ${String(call.index)}`, call.function?.arguments);
        add(`${String(index)} custom ${String(call.index)}`, call.custom?.input);
      }
    }
  }
  return lanes;
}
