import { afterEach, describe, expect, it } from 'vitest';
import { cutAt, cutEvery, type RawAnswer, type Script, type ScriptedAnswer } from '#test/fake/answer.ts';
import { ANTHROPIC, type Guarded, openGuarded, OPENAI } from './guarded.ts';

const NOTE = 'Patient: Maria Gonzalez, MRN 4471902, phone 217-555-0142.';
const ORIGINALS = /Gonzalez|4471902|555-0142/;
const MESSAGE = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: NOTE }] };
const JSON_TYPE = ['content-type', 'application/json'] as const;
const STREAM_TYPE = ['content-type', 'text/event-stream'] as const;

let room: Guarded;
afterEach(async () => await room.stop());

/** The prompt of a request, with its surrogates. */
function promptOf(body: Buffer): string {
  return (JSON.parse(body.toString()) as { messages: { content: string }[] }).messages.at(-1)?.content ?? '';
}

const event = (type: string, fields: object = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const START = event('message_start', {
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] },
});
const OPEN = event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
const delta = (text: string, index = 0) => event('content_block_delta', { index, delta: { type: 'text_delta', text } });
const CLOSE = event('content_block_stop', { index: 0 });
const STOP = event('message_stop');
const streamOf = (text: string, size = 65_536): ScriptedAnswer => ({
  headers: [STREAM_TYPE],
  steps: cutEvery(text, size),
});
const ask = async (more: object = {}) => await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, ...more });

function textOf(body: string): string {
  return body
    .split(/\r\n|\r|\n/)
    .filter((line) => line.startsWith('data: '))
    .map((line) => (JSON.parse(line.slice(6)) as { delta?: { text?: string } }).delta?.text ?? '')
    .join('');
}

describe('a plain answer', () => {
  it.each([400, 401, 403, 404, 413, 429, 500, 503, 529])(
    'of status %i comes back with it, restored and recorded',
    async (status) => {
      room = await openGuarded((request) => ({
        status,
        headers: [JSON_TYPE, ['retry-after', '7'], ['request-id', 'req_1'], ['alt-svc', 'h3=":443"']],
        steps: cutAt(
          JSON.stringify({ type: 'error', error: { type: 'x', message: `bad: ${promptOf(request.body)}` } }),
        ),
      }));
      const answer = await ask();
      expect(answer).toMatchObject({ status, cut: false });
      expect(answer.headers).toMatchObject({ 'retry-after': '7', 'request-id': 'req_1' });
      expect(answer.headers['alt-svc']).toBeUndefined();
      expect((JSON.parse(answer.body) as { error: { message: string } }).error.message).toBe(`bad: ${NOTE}`);
      expect(room.evidence.entries.map(({ kind }) => kind)).toEqual(['request', 'part', 'outcome']);
    },
  );

  it.each([
    ['204', { status: 204, steps: [] }],
    ['304', { status: 304, steps: [] }],
    [
      'a redirect to a page',
      {
        status: 307,
        headers: [
          ['location', 'https://evil.example/'],
          ['content-type', 'text/html'],
        ],
        steps: cutAt('<a>'),
      },
    ],
    ['no content type', { headers: [], steps: cutAt('{"type":"error","error":{"message":"x"}}') }],
    ['another charset', { headers: [['content-type', 'application/json; charset=utf-16']], steps: cutAt('{}') }],
    ['br', { headers: [JSON_TYPE, ['content-encoding', 'br']], steps: cutAt('{}') }],
    [
      'a duplicate key',
      { headers: [JSON_TYPE], steps: cutAt('{"type":"error","type":"error","error":{"message":"x"}}') },
    ],
    [
      'no UTF-8',
      { headers: [JSON_TYPE], steps: cutAt(Buffer.from('{"type":"error","error":{"message":"\xff"}}', 'latin1')) },
    ],
    ['a list', { headers: [JSON_TYPE], steps: cutAt('[]') }],
    ['an empty body', { headers: [JSON_TYPE], steps: [] }],
  ] as readonly (readonly [string, ScriptedAnswer])[])(
    'that cannot be examined (%s) is withheld, with a reason',
    async (_what, scripted) => {
      room = await openGuarded(() => scripted);
      const answer = await ask();
      expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([503, 'response_unreadable']);
      expect(answer.headers.location).toBeUndefined();
      expect(room.evidence.entries.at(-1)).toMatchObject({
        kind: 'outcome',
        facts: { outcome: 'refused', reason: 'response_unreadable' },
      });
    },
  );

  it.each([
    ['shorter than it says', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{}'],
    [
      'in a broken chunk',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n',
    ],
    [
      'that ends within a chunk',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{}',
    ],
    [
      'with two lengths',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
    ],
    ['that is no HTTP', 'Maria Gonzalez\r\n\r\n'],
    ['that never begins', ''],
  ])('%s is an unreachable provider, and nothing of it is shown', async (_how, text) => {
    const raw: RawAnswer = { raw: cutAt(text) };
    room = await openGuarded(() => raw);
    const answer = await ask();
    expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([503, 'upstream_unreachable']);
    expect(answer.body).not.toMatch(ORIGINALS);
    expect(room.evidence.entries.at(-1)).toMatchObject({ kind: 'outcome', facts: { outcome: 'provider_error' } });
  });

  it('behind an informational answer (103) is the one that counts', async () => {
    const body = '{"type":"error","error":{"type":"x","message":"ok"}}';
    room = await openGuarded(() => ({
      raw: cutAt(
        `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 400 Bad\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    }));
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([400, body]);
  });
});

describe('a stream', () => {
  it.each([
    ['CRLF line ends', (text: string) => text.replaceAll('\n', '\r\n'), 7],
    ['CR line ends', (text: string) => text.replaceAll('\n', '\r'), 7],
    [
      'comments, ids and retries between',
      (text: string) => text.replaceAll('\n\n', '\nid: 7\nretry: 3\n\n: keep-alive\n\n'),
      5,
    ],
    ['one byte at a time', (text: string) => text, 1],
  ] as const)('T10: with %s is restored', async (_how, change, size) => {
    room = await openGuarded((request) => {
      const deltas = Array.from(promptOf(request.body))
        .map((letter) => delta(letter))
        .join('');
      return streamOf(change(`${START}${OPEN}${deltas}${CLOSE}${STOP}`), size);
    });
    const answer = await ask({ stream: true });
    expect(answer.cut).toBe(false);
    expect(textOf(answer.body)).toBe(NOTE);
  });

  it.each([
    ['ends without its last event', `${START}${OPEN}${delta('x')}${CLOSE}`, 'upstream_unreachable'],
    ['ends within an event', `${START}${OPEN}${delta('x').slice(0, -9)}`, 'upstream_unreachable'],
    [
      'ends within a letter',
      Buffer.concat([Buffer.from(`${START}${OPEN}data: {"a":"`), Buffer.from([0xf0, 0x9f])]),
      'upstream_unreachable',
    ],
    ['is no UTF-8', Buffer.concat([Buffer.from(START), Buffer.from([0xff, 0x0a, 0x0a])]), 'response_unreadable'],
    [
      'names an event otherwise than its data',
      `${START}event: ping\ndata: {"type":"message_stop"}\n\n`,
      'response_unreadable',
    ],
    ['has an event that is too large', `${START}${OPEN}${delta('x'.repeat(4 * 1024 * 1024))}`, 'response_unreadable'],
    ['has a field that no stream has', `${START}secret: ${NOTE}\n\n`, 'response_unreadable'],
    [
      'has a delta that is not known',
      `${START}${event('content_block_delta', { index: 0, delta: { type: 'new_delta' } })}`,
      'response_unreadable',
    ],
    ['has a duplicate key', `${START}data: {"type":"ping","type":"message_stop"}\n\n`, 'response_unreadable'],
  ] as readonly (readonly [string, string | Buffer, string])[])(
    'that %s is cut behind an error event',
    async (_how, bytes, reason) => {
      room = await openGuarded(() => ({ headers: [STREAM_TYPE], steps: cutAt(bytes) }));
      const answer = await ask({ stream: true });
      expect(answer.cut).toBe(true);
      expect(answer.body).toContain('event: error');
      expect(answer.body).toContain(reason);
      expect(answer.body).not.toContain('secret:');
      expect(room.evidence.entries.at(-1)).toMatchObject({ kind: 'outcome', facts: { outcome: 'cut', reason } });
    },
  );

  it('T12: shows nothing behind its last event, whatever the provider goes on to say', async () => {
    room = await openGuarded(() => streamOf(`${START}${OPEN}${CLOSE}${STOP}${OPEN}${delta('behind the end')}`));
    const answer = await ask({ stream: true });
    expect(answer.cut).toBe(false);
    expect(answer.body).not.toContain('behind the end');
    expect(answer.body.match(/event: message_stop/g)).toHaveLength(1);
  });

  it('that is reset shows an error event and a cut', async () => {
    room = await openGuarded(() => ({
      headers: [STREAM_TYPE],
      steps: [...cutAt(`${START}${OPEN}${delta('x')}`), { do: 'reset' }],
    }));
    const answer = await ask({ stream: true });
    expect(answer).toMatchObject({ cut: true });
    expect(answer.body).toContain('upstream_unreachable');
  });

  it('T15: of tool arguments for two calls and two choices at once keeps each in its own', async () => {
    const chunk = (index: number, fields: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta: fields, finish_reason: finish }] })}\n\n`;
    room = await openGuarded((request) => {
      const [name = '', mrn = ''] = promptOf(request.body).match(/(?:NAME|MRN)_\w+/g) ?? [];
      const call = (index: number, args: string) => ({ tool_calls: [{ index, function: { arguments: args } }] });
      const events = Array.from(`{"q":"${name}"}`).flatMap((letter, at) => [
        chunk(0, call(0, letter)),
        chunk(1, { content: `${mrn} `[at % (mrn.length + 1)] ?? '' }),
      ]);
      const second = Array.from(`{"m":"${mrn}"}`).map((letter) => chunk(0, call(1, letter)));
      return streamOf(
        [...events, ...second, chunk(0, {}, 'tool_calls'), chunk(1, {}, 'stop'), 'data: [DONE]\n\n'].join(''),
        11,
      );
    });
    const answer = await room.ask(OPENAI, '/v1/chat/completions', {
      model: 'm',
      stream: true,
      n: 2,
      messages: MESSAGE.messages,
    });
    interface Chunk {
      choices: {
        index: number;
        delta: { content?: string; tool_calls?: { index: number; function: { arguments: string } }[] };
      }[];
    }
    const choices = answer.body
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .flatMap((line) => (JSON.parse(line.slice(6)) as Chunk).choices);
    const calls = choices.flatMap(({ delta: { tool_calls = [] } }) => tool_calls);
    const argumentsOf = (index: number) =>
      calls
        .filter((each) => each.index === index)
        .map((each) => each.function.arguments)
        .join('');
    expect(JSON.parse(argumentsOf(0))).toEqual({ q: 'Maria Gonzalez' });
    expect(JSON.parse(argumentsOf(1))).toEqual({ m: '4471902' });
    expect(
      choices
        .filter(({ index }) => index === 1)
        .map(({ delta: { content = '' } }) => content)
        .join(''),
    ).toContain('4471902');
  });
});

describe('a client', () => {
  it.each([
    ['before the answer begins', [] as readonly string[]],
    ['within a stream', [START, OPEN, delta('x')]],
  ])('that goes away %s ends the provider’s work, and its outcome is recorded', async (_when, events) => {
    const arrived = Promise.withResolvers<void>();
    const script: Script = () => {
      arrived.resolve();
      if (events.length === 0) return { raw: [{ do: 'stall' }] };
      return { headers: [STREAM_TYPE], steps: [...cutAt(events.join('')), { do: 'stall' }] };
    };
    room = await openGuarded(script);
    const leaving = new AbortController();
    const asking = room
      .ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true }, { signal: leaving.signal })
      .catch(() => null);
    await arrived.promise;
    if (events.length > 0)
      await expect.poll(() => room.evidence.entries.some(({ kind }) => kind === 'part')).toBe(true);
    leaving.abort();
    await asking;
    await expect
      .poll(() => room.evidence.entries.at(-1))
      .toMatchObject({ kind: 'outcome', facts: { outcome: 'client_gone', reason: null } });
    expect(room.reports.at(-1)).toMatchObject({ outcome: 'client_gone', reason: null });
  });

  it('gets its own answer among 64 streams at once', async () => {
    room = await openGuarded((request) => {
      const deltas = Array.from(promptOf(request.body))
        .map((letter) => delta(letter))
        .join('');
      return streamOf(`${START}${OPEN}${deltas}${CLOSE}${STOP}`, 97);
    });
    const notes = Array.from({ length: 64 }, (_, i) => `Patient Maria Gonzalez, MRN ${4_471_900 + i}.`);
    const answers = await Promise.all(
      notes.map(async (content) => await ask({ stream: true, messages: [{ role: 'user', content }] })),
    );
    expect(answers.map(({ body }) => textOf(body))).toEqual(notes);
  });

  it('T29: gets five large answers whole; their prompts are examined one after the other, and leave in pieces', async () => {
    room = await openGuarded((request) => ({
      headers: [JSON_TYPE],
      steps: cutAt(
        JSON.stringify({ type: 'message', content: [{ type: 'text', text: promptOf(request.body) }], model: 'm' }),
      ),
    }));
    const filler = 'The abdomen is soft and the lungs are clear. '.repeat(30_000);
    const notes = Array.from({ length: 5 }, (_, i) => `${filler}Patient Maria Gonzalez, MRN ${4_471_900 + i}.`);
    const answers = await Promise.all(
      notes.map(async (content) => await ask({ messages: [{ role: 'user', content }] })),
    );
    const texts = answers.map(({ body }) => (JSON.parse(body) as { content: { text: string }[] }).content[0]?.text);
    expect(texts.map((text, i) => text === notes[i])).toEqual(notes.map(() => true));
    expect(room.provider.received.filter(({ body }) => ORIGINALS.test(body.toString()))).toEqual([]);
  });
});
