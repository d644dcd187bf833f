import type { ReceivedRequest, ScriptedAnswer, Step } from './answer.ts';
import { cutEvery } from './answer.ts';

/** What a model says, in order. */
export type Said =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string; readonly signature: string }
  | { readonly kind: 'tool'; readonly id: string; readonly name: string; readonly input: unknown };

/** How an answer is cut: characters of text in one event, bytes in one write. */
export interface Cut {
  readonly chars: number;
  readonly bytes: number;
}

const WHOLE: Cut = { chars: 20, bytes: 65_536 };

/** The texts that a request carries for the model: every string below `system` and `messages`, in order. */
export function promptTexts(request: ReceivedRequest): readonly string[] {
  const body: unknown = JSON.parse(request.body.toString('utf8'));
  return isObject(body) ? [...stringsOf(body.system), ...stringsOf(body.messages)] : [];
}

/** The text of the last message with the role `user`. */
export function lastUserText(request: ReceivedRequest): string {
  const body: unknown = JSON.parse(request.body.toString('utf8'));
  const messages = isObject(body) && Array.isArray(body.messages) ? body.messages.filter(isObject) : [];
  return stringsOf(messages.findLast(({ role }) => role === 'user')?.content).join('\n');
}

/** Answers in the request's own dialect, plain or streamed as it asks. */
export function answerIn(request: ReceivedRequest, said: readonly Said[], cut: Cut = WHOLE): ScriptedAnswer {
  const body: unknown = JSON.parse(request.body.toString('utf8'));
  const streamed = isObject(body) && body.stream === true;
  const anthropic = request.target.startsWith('/v1/messages');
  if (!streamed) {
    const plain = JSON.stringify(anthropic ? anthropicMessage(said) : openaiCompletion(said));
    return { headers: [['content-type', 'application/json']], steps: cutEvery(plain, cut.bytes) };
  }
  const events = anthropic ? anthropicEvents(said, cut.chars) : openaiEvents(said, cut.chars);
  return {
    headers: [['content-type', 'text/event-stream; charset=utf-8']],
    steps: cutEvery(events.join(''), cut.bytes),
  };
}

/** Says back what it was told. */
export function echo(request: ReceivedRequest, cut: Cut = WHOLE): ScriptedAnswer {
  return answerIn(request, [{ kind: 'text', text: lastUserText(request) }], cut);
}

/** The provider's own error shape. */
export function errorIn(request: ReceivedRequest, status: number, type: string, message: string): ScriptedAnswer {
  const error = { type, message };
  const body = request.target.startsWith('/v1/messages')
    ? { type: 'error', error, request_id: 'req_test' }
    : { error: { ...error, param: null, code: null } };
  const steps: readonly Step[] = [{ do: 'write', bytes: Buffer.from(JSON.stringify(body)) }];
  return { status, headers: [['content-type', 'application/json']], steps };
}

const ANTHROPIC_HEAD = { id: 'msg_01TESTTESTTESTTESTTEST', type: 'message', role: 'assistant', model: 'claude-test' };

function anthropicMessage(said: readonly Said[]): unknown {
  const content = said.map((part) => {
    if (part.kind === 'text') return { type: 'text', text: part.text };
    if (part.kind === 'thinking') return { type: 'thinking', thinking: part.text, signature: part.signature };
    return { type: 'tool_use', id: part.id, name: part.name, input: part.input };
  });
  return { ...ANTHROPIC_HEAD, content, stop_reason: stopReason(said), stop_sequence: null, usage: usage() };
}

function anthropicEvents(said: readonly Said[], chars: number): readonly string[] {
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const blocks = said.flatMap((part, index) => {
    const delta = (fields: object): string => event('content_block_delta', { index, delta: fields });
    const [start, deltas] = anthropicBlock(part, chars, delta);
    return [
      event('content_block_start', { index, content_block: start }),
      ...deltas,
      event('content_block_stop', { index }),
    ];
  });
  const message = { ...ANTHROPIC_HEAD, content: [], stop_reason: null, stop_sequence: null, usage: usage() };
  return [
    event('message_start', { message }),
    event('ping', {}),
    ...blocks,
    event('message_delta', {
      delta: { stop_reason: stopReason(said), stop_sequence: null },
      usage: { output_tokens: 9 },
    }),
    event('message_stop', {}),
  ];
}

function anthropicBlock(
  part: Said,
  chars: number,
  delta: (fields: object) => string,
): readonly [object, readonly string[]] {
  if (part.kind === 'text') {
    return [{ type: 'text', text: '' }, pieces(part.text, chars).map((text) => delta({ type: 'text_delta', text }))];
  }
  if (part.kind === 'thinking') {
    const deltas = pieces(part.text, chars).map((thinking) => delta({ type: 'thinking_delta', thinking }));
    return [
      { type: 'thinking', thinking: '', signature: '' },
      [...deltas, delta({ type: 'signature_delta', signature: part.signature })],
    ];
  }
  const deltas = pieces(JSON.stringify(part.input), chars).map((json) =>
    delta({ type: 'input_json_delta', partial_json: json }),
  );
  return [{ type: 'tool_use', id: part.id, name: part.name, input: {} }, deltas];
}

const OPENAI_HEAD = { id: 'chatcmpl-TESTTESTTEST', created: 1_700_000_000, model: 'gpt-test' };

function openaiCompletion(said: readonly Said[]): unknown {
  const text = said.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('');
  const calls = said.flatMap((part) => (part.kind === 'tool' ? [openaiCall(part)] : []));
  const message = {
    role: 'assistant',
    content: text === '' ? null : text,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: calls.length === 0 ? 'stop' : 'tool_calls' };
  const counts = { prompt_tokens: 7, completion_tokens: 9, total_tokens: 16 };
  return { ...OPENAI_HEAD, object: 'chat.completion', choices: [choice], usage: counts };
}

function openaiEvents(said: readonly Said[], chars: number): readonly string[] {
  const chunk = (delta: object, finish: string | null = null): string => {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finish }];
    return `data: ${JSON.stringify({ ...OPENAI_HEAD, object: 'chat.completion.chunk', choices })}\n\n`;
  };
  const tools = said.filter((part) => part.kind === 'tool');
  const parts = said.flatMap((part) => {
    if (part.kind === 'text') return pieces(part.text, chars).map((content) => chunk({ content }));
    if (part.kind === 'thinking') return [];
    const index = tools.indexOf(part);
    const { id, type, function: called } = openaiCall(part);
    return [
      chunk({ tool_calls: [{ index, id, type, function: { name: called.name, arguments: '' } }] }),
      ...pieces(called.arguments, chars).map((json) =>
        chunk({ tool_calls: [{ index, function: { arguments: json } }] }),
      ),
    ];
  });
  const finish = tools.length === 0 ? 'stop' : 'tool_calls';
  return [chunk({ role: 'assistant', content: '' }), ...parts, chunk({}, finish), 'data: [DONE]\n\n'];
}

function openaiCall(part: Extract<Said, { readonly kind: 'tool' }>) {
  return { id: part.id, type: 'function', function: { name: part.name, arguments: JSON.stringify(part.input) } };
}

function stopReason(said: readonly Said[]): string {
  return said.some(({ kind }) => kind === 'tool') ? 'tool_use' : 'end_turn';
}

function usage(): object {
  return { input_tokens: 7, output_tokens: 9 };
}

/** Cuts between UTF-16 units, as providers do between tokens, but never inside a surrogate pair, which JSON would garble. */
function pieces(text: string, size: number): readonly string[] {
  const units = Array.from(text);
  const count = Math.ceil(units.length / size);
  return Array.from({ length: count }, (_, index) => units.slice(index * size, (index + 1) * size).join(''));
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsOf);
  if (!isObject(value)) return [];
  return [...stringsOf(value.text), ...stringsOf(value.content), ...stringsOf(value.input)];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
