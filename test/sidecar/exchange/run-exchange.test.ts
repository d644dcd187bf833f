import { Readable } from 'node:stream';
import { setTimeout as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { cutAt, type ScriptedAnswer, type Script } from '#test/fake/answer.ts';
import { ANTHROPIC, demoPolicy, type Guarded, openGuarded, OPENAI } from './guarded.ts';

const NOTE =
  'Patient: Maria Gonzalez, DOB 03/04/1961, MRN 4471902, phone 217-555-0142. Dr. Alan Pierce saw Ms. Gonzalez on March 3, 2024.';
const IDENTIFIERS = /Gonzalez|Maria|4471902|217-555-0142|Pierce|03\/04|March 3/;
const MESSAGE = { model: 'claude-test-1', max_tokens: 10, messages: [{ role: 'user', content: NOTE }] };
const CHAT = { model: 'gpt-test', messages: [{ role: 'user', content: NOTE }] };

let room: Guarded;
afterEach(async () => await room.stop());

/** The text of the last user message, as the provider received it. */
function promptOf(body: Buffer): string {
  const { messages } = JSON.parse(body.toString()) as { messages: { content: string }[] };
  return messages.at(-1)?.content ?? '';
}

function message(text: string, more: object = {}): ScriptedAnswer {
  const body = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test-1',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
    ...more,
  };
  return { headers: [['content-type', 'application/json']], steps: cutAt(JSON.stringify(body)) };
}

function stream(
  events: readonly (readonly [name: string, data: object])[],
  cut: readonly number[] = [],
): ScriptedAnswer {
  const text = events
    .map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`)
    .join('');
  return { headers: [['content-type', 'text/event-stream']], steps: cutAt(text, cut) };
}

const START = [
  'message_start',
  {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-test-1',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
] as const;
const STOP = ['message_stop', {}] as const;
const block = (index: number, deltas: readonly object[], content_block: object) =>
  [
    ['content_block_start', { index, content_block }],
    ...deltas.map((delta) => ['content_block_delta', { index, delta }] as const),
    ['content_block_stop', { index }],
  ] as const;

describe('an exchange', () => {
  it('sends surrogates and gives originals back, plain and streamed, for both dialects', async () => {
    room = await openGuarded();
    for (const streamed of [false, true]) {
      for (const [host, target, body] of [
        [ANTHROPIC, '/v1/messages', MESSAGE],
        [OPENAI, '/v1/chat/completions', CHAT],
      ] as const) {
        const answer = await room.ask(host, target, { ...body, stream: streamed });
        expect(answer.status).toBe(200);
        expect(answer.cut).toBe(false);
        const sent = room.provider.received.at(-1)?.body.toString() ?? '';
        expect(sent).not.toMatch(IDENTIFIERS);
        expect(answer.headers['x-lazaret-exchange']).toBeDefined();
        if (!streamed) expect(answer.body).toContain('Maria Gonzalez');
      }
    }
  });

  it('records the request before a byte leaves, and the outcome before the last byte is released', async () => {
    let recordedAtArrival = -1;
    room = await openGuarded((request) => {
      recordedAtArrival = room.evidence.entries.length;
      return message(promptOf(request.body));
    });
    await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    expect(recordedAtArrival).toBe(1);
    expect(room.evidence.entries.map(({ kind }) => kind)).toEqual(['request', 'part', 'outcome']);
    const [request] = room.evidence.entries;
    const content = request?.kind === 'request' ? request.content : null;
    expect(Buffer.from(content?.sent ?? []).toString()).toBe(room.provider.received[0]?.body.toString());
    expect(content?.vault).toContain('Maria Gonzalez');
    expect(JSON.stringify(request?.kind === 'request' ? request.facts : null)).not.toMatch(IDENTIFIERS);
  });

  it('a streamed answer whose outcome cannot be made durable never shows its end', async () => {
    room = await openGuarded();
    room.evidence.failing = 'finish';
    const answer = await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true });
    expect(answer.body).not.toContain('message_stop');
    expect(answer.body).toContain('event: error');
    expect(answer.body).toContain('audit_unavailable');
    expect(answer.cut).toBe(true);
  });

  it.each(['request', 'full'] as const)('nothing leaves when the record cannot be made durable (%s)', async (how) => {
    room = await openGuarded();
    if (how === 'full') room.evidence.full = true;
    else room.evidence.failing = 'request';
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    expect(answer.status).toBe(503);
    expect(answer.headers['x-lazaret-reason']).toBe('audit_unavailable');
    expect(answer.headers['x-should-retry']).toBe('true');
    expect(room.provider.received).toEqual([]);
  });

  it.each([
    ['missing', 'policy_missing'],

    ['stale', 'policy_stale'],
    ['unsafe', 'internal_error'],
  ] as const)('nothing leaves while policy is %s', async (state, reason) => {
    room = await openGuarded();
    room.policy = state;
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([503, reason]);
    expect(room.provider.received).toEqual([]);
  });

  it.each([
    ['an unknown path', { target: '/v1/files' }, 403, 'endpoint_not_covered'],
    ['a path that only resembles one', { target: '/v1/messages/' }, 403, 'endpoint_not_covered'],
    ['batches', { target: '/v1/messages/batches' }, 403, 'endpoint_not_covered'],
    ['a query that the API does not have', { target: '/v1/messages?patient=x' }, 403, 'endpoint_not_covered'],
    ['GET', { method: 'PUT' }, 403, 'endpoint_not_covered'],
    ['T25: a gzip body', { headers: { 'content-encoding': 'gzip' } }, 400, 'body_unreadable'],
    ['another content type', { headers: { 'content-type': 'text/plain' } }, 400, 'body_unreadable'],
    ['another charset', { headers: { 'content-type': 'application/json; charset=utf-16' } }, 400, 'body_unreadable'],
    [
      'T27: a duplicate key',
      { raw: '{"model":"m","max_tokens":1,"messages":[],"messages":[]}' },
      400,
      'body_unreadable',
    ],
    ['no JSON', { raw: 'Maria Gonzalez' }, 400, 'body_unreadable'],
    ['bytes that are no UTF-8', { raw: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, 'body_unreadable'],
    ['an OAuth token', { headers: { 'x-api-key': 'sk-ant-oat01-test' } }, 403, 'credential_not_covered'],
    ['two different keys', { headers: { authorization: 'Bearer sk-ant-api03-other' } }, 403, 'credential_not_covered'],
    [
      'a beta that is not covered',
      { headers: { 'anthropic-beta': 'files-api-2025-04-14' } },
      403,
      'feature_not_covered',
    ],
  ] as const)('T28: %s is refused before anything leaves, once, and says why', async (_name, how, status, reason) => {
    room = await openGuarded();
    const { target = '/v1/messages', ...options } = how as { target?: string } & object;
    const answer = await room.ask(ANTHROPIC, target, MESSAGE, options);
    expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([status, reason]);
    expect(answer.headers['x-should-retry']).toBe('false');
    expect(answer.headers['retry-after']).toBeUndefined();
    const { error } = JSON.parse(answer.body) as { error: { message: string } };
    expect(error.message).toContain(reason);
    expect(answer.body).not.toMatch(IDENTIFIERS);
    expect(room.provider.received).toEqual([]);
    expect(room.evidence.entries.map(({ kind }) => kind)).toEqual(['refused']);
  });

  it('T21: an image, a document and a file id are refused', async () => {
    room = await openGuarded();
    const parts = [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } },
      { type: 'document', source: { type: 'file', file_id: 'file_011CNha8iCJcU1wXNR6q4V8w' } },
    ];
    for (const part of parts) {
      const answer = await room.ask(ANTHROPIC, '/v1/messages', {
        ...MESSAGE,
        messages: [{ role: 'user', content: [part] }],
      });
      expect(answer.status).toBe(403);
    }
    expect(room.provider.received).toEqual([]);
  });

  it('T1: a hundred exchanges at once never see each other’s values', async () => {
    room = await openGuarded((request) => message(promptOf(request.body)));
    const notes = Array.from({ length: 100 }, (_, i) => `Patient Maria Gonzalez, MRN ${4_471_900 + i}.`);
    const answers = await Promise.all(
      notes.map(
        async (content) =>
          await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, messages: [{ role: 'user', content }] }),
      ),
    );
    const texts = answers.map(({ body }) => (JSON.parse(body) as { content: { text: string }[] }).content[0]?.text);
    expect(texts).toEqual(notes);
    expect(new Set(room.provider.received.map(({ body }) => promptOf(body))).size).toBe(1);
  });

  it('T9, T10: wherever the provider’s stream is cut, the client reads the same', async () => {
    let cuts: readonly number[] = [];
    room = await openGuarded((request) => {
      const text = promptOf(request.body);
      return stream(
        [
          START,
          ...block(
            0,
            Array.from(text).map((character) => ({ type: 'text_delta', text: character })),
            { type: 'text', text: '' },
          ),
          ['message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }],
          STOP,
        ],
        cuts,
      );
    });
    const seen = new Set<string>();
    for (const step of [1, 2, 3, 7, 64, 1000]) {
      cuts = Array.from({ length: Math.min(2_000, Math.ceil(20_000 / step)) }, (_, i) => (i + 1) * step);
      const { body } = await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true });
      seen.add(textOf(body));
    }
    expect([...seen]).toEqual([NOTE]);
  });

  it('T5: a stream that breaks off within a surrogate shows what came, an error event and a cut, never a guess', async () => {
    room = await openGuarded((request) => {
      const surrogate = /NAME_\w+/.exec(promptOf(request.body))?.[0] ?? '';
      return stream([
        START,
        ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
        ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: `for ${surrogate.slice(0, -1)}` } }],
      ]);
    });
    const answer = await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true });
    expect(answer.body).toContain('event: error');
    expect(answer.body).not.toMatch(IDENTIFIERS);
    expect(answer.cut).toBe(true);
    expect(room.reports[0]).toMatchObject({ outcome: 'cut', reason: 'upstream_unreachable' });
  });

  it('T19: tool arguments come back as valid JSON, whatever the value holds', async () => {
    const name = 'Zoë "Zed" O\\Brien\nJr.';
    const history = [
      { role: 'user', content: 'Find patient Zoe Quinn.' },
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'toolu_01A', name: 'find', input: { patient_name: name, mrn: 4471902 } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_01A', content: 'found' }] },
    ];
    room = await openGuarded((request) => {
      const { messages } = JSON.parse(request.body.toString()) as { messages: { content: { input: object }[] }[] };
      const json = JSON.stringify(messages[1]?.content[0]?.input);
      const deltas = Array.from(json).map((character) => ({ type: 'input_json_delta', partial_json: character }));
      return stream([START, ...block(0, deltas, { type: 'tool_use', id: 'toolu_01B', name: 'find', input: {} }), STOP]);
    });
    const answer = await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true, messages: history });
    expect(room.provider.received[0]?.body.toString()).not.toMatch(/Quinn|4471902|Brien/);
    const json = events(answer.body)
      .flatMap(({ delta }) => delta?.partial_json ?? [])
      .join('');
    expect(JSON.parse(json)).toEqual({ patient_name: name, mrn: 4471902 });
  });

  it('T13: each event comes as soon as the provider has sent it', async () => {
    const gate = Promise.withResolvers<void>();
    room = await openGuarded(() => {
      const first = stream([
        START,
        ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
        ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'First words. ' } }],
      ]);
      const rest = stream([['content_block_stop', { index: 0 }], STOP]);
      return {
        headers: first.headers ?? [],
        steps: [...first.steps, { do: 'wait', until: gate.promise }, ...rest.steps],
      };
    });
    const asking = room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream: true });
    await expect
      .poll(() => room.evidence.entries.filter(({ kind }) => kind === 'part').length, { timeout: 5_000 })
      .toBeGreaterThan(0);
    // The client's stream is only complete once the provider goes on; what came before is with it already.
    gate.resolve();
    expect((await asking).body).toContain('First words.');
  });

  it('T16: ids, models and header values of the answer are never restored', async () => {
    room = await openGuarded((request) => {
      const surrogate = /NAME_\w+/.exec(promptOf(request.body))?.[0] ?? '';
      const answer = message(`Hello ${surrogate}`, { id: surrogate, model: surrogate });
      return { ...answer, headers: [...(answer.headers ?? []), ['x-echo', surrogate]] };
    });
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    const { id, model, content } = JSON.parse(answer.body) as {
      id: string;
      model: string;
      content: { text: string }[];
    };
    expect(content[0]?.text).toBe('Hello Maria Gonzalez');
    expect(`${id} ${model} ${String(answer.headers['x-echo'])}`).not.toMatch(IDENTIFIERS);
  });

  it.each([
    ['HTML', { headers: [['content-type', 'text/html']], steps: cutAt('<html>oops</html>') }],
    [
      'a compressed body',
      {
        headers: [
          ['content-type', 'application/json'],
          ['content-encoding', 'gzip'],
        ],
        steps: cutAt('xx'),
      },
    ],
    ['no JSON', { headers: [['content-type', 'application/json']], steps: cutAt('{"a":') }],
    ['an unknown block', message('x', { content: [{ type: 'brand_new', text: 'x' }] })],
    ['an unknown event', stream([START, ['brand_new_event', { text: 'x' }]])],
  ] as readonly (readonly [string, ScriptedAnswer])[])(
    'an answer that cannot be examined (%s) is withheld',
    async (_name, answer) => {
      room = await openGuarded(() => answer);
      const got = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
      expect(got.body).toContain('response_unreadable');
      expect(got.status === 503 || got.cut).toBe(true);
      expect(room.evidence.entries.at(-1)?.kind).toBe('outcome');
    },
  );

  it('a provider’s error keeps its status and shape, and shows originals', async () => {
    const script: Script = (request) => ({
      status: 400,
      headers: [
        ['content-type', 'application/json'],
        ['request-id', 'req_1'],
      ],
      steps: cutAt(
        JSON.stringify({
          type: 'error',
          error: { type: 'invalid_request_error', message: `prompt: ${promptOf(request.body).slice(0, 30)}` },
        }),
      ),
    });
    room = await openGuarded(script);
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    expect([answer.status, answer.headers['request-id']]).toEqual([400, 'req_1']);
    expect(answer.body).toContain('Maria Gonzalez');
  });

  it('T24: neither report nor refusal holds anything of the prompt, and the user stays in the pod', async () => {
    room = await openGuarded();
    await room.ask(ANTHROPIC, '/v1/messages', MESSAGE, {
      headers: { 'x-lazaret-user': 'dr.pierce@example.org', 'x-patient': 'Maria Gonzalez' },
    });
    const upstream = JSON.stringify(room.provider.received.map(({ headers }) => headers));
    expect(upstream).not.toMatch(/pierce|Gonzalez/i);
    expect(JSON.stringify(room.reports)).not.toMatch(/pierce|Gonzalez|4471902/i);
    expect(room.reports[0]).toMatchObject({ droppedFields: 1, restored: expect.any(Number) as number });
    const [request] = room.evidence.entries;
    expect(request?.kind === 'request' && [request.content.user, request.facts.actor.attribution]).toEqual([
      'dr.pierce@example.org',
      'header',
    ]);
  });

  it('T3, T23: signed thinking comes back byte for byte, and is refused when its surrogates mean somebody else now', async () => {
    room = await openGuarded((request) => {
      const surrogate = /NAME_\w+/.exec(promptOf(request.body))?.[0] ?? 'nobody';
      return message('ok', {
        content: [
          { type: 'thinking', thinking: `${surrogate} is ill`, signature: 'c2lnbmF0dXJl' },
          { type: 'text', text: 'ok' },
        ],
      });
    });
    const ask = async (messages: object[]) => await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, messages });
    const first = { role: 'user', content: 'Patient Maria Gonzalez has a cough.' };
    const answer = JSON.parse((await ask([first])).body) as { content: { thinking?: string }[] };
    expect(answer.content[0]?.thinking).toMatch(/^NAME_\w+ is ill$/);
    const second = { role: 'user', content: 'And now?' };
    const appended = await ask([first, { role: 'assistant', content: answer.content }, second]);
    expect(appended.status).toBe(200);
    expect(room.provider.received.at(-1)?.body.toString()).toContain(`"thinking":"${answer.content[0]?.thinking}"`);
    const cut = await ask([
      { role: 'user', content: 'Patient Robert Fischer has a cough.' },
      { role: 'assistant', content: answer.content },
      second,
    ]);
    expect([cut.status, cut.headers['x-lazaret-reason']]).toEqual([403, 'identifier_not_allowed']);
  });

  it('an id that is made of an identifier of the conversation is refused', async () => {
    room = await openGuarded();
    const call = (id: string) => [
      { role: 'user', content: 'Find patient Maria Gonzalez.' },
      { role: 'assistant', content: [{ type: 'tool_use', id, name: 'find', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'none' }] },
    ];
    for (const id of ['call_MariaGonzalez', 'toolu_Gonzalez1957abcdef']) {
      const answer = await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, messages: call(id) });
      expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([403, 'identifier_not_allowed']);
    }
    expect(
      (await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, messages: call('toolu_01A09q90qw90lq917835') })).status,
    ).toBe(200);
  });

  it('monitor passes bytes as they are and records what enforce would have answered', async () => {
    room = await openGuarded((request) => message(promptOf(request.body)));
    const day = 86_400_000;
    const until = new Date(Date.now() + day).toISOString();
    const from = new Date(Date.now() - day).toISOString();
    room.policy = demoPolicy(
      `\n---\napiVersion: lazaret.dev/v1alpha1\nkind: GuardExemption\nmetadata: { name: watch }\nspec:\n  reason: trial\n  approvedBy: somebody\n  from: "${from}"\n  until: "${until}"\n  namespaces: [phi]\n  grant: { monitor: true }\n`,
    );
    room.evidence.failing = 'request';
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE, {
      headers: { 'anthropic-beta': 'files-api-2025-04-14', 'x-own': 'kept' },
    });
    expect(answer.status).toBe(200);
    expect(room.provider.received[0]?.body.toString()).toBe(JSON.stringify(MESSAGE));
    expect(new Map(room.provider.received[0]?.headers).get('x-own')).toBe('kept');
    expect(room.reports[0]).toMatchObject({ mode: 'monitor', would: 'feature_not_covered', outcome: 'completed' });
  });

  it('a monitor grant that ends while the body comes in lets nothing out unredacted', async () => {
    room = await openGuarded();
    const day = 86_400_000;
    const until = new Date(Date.now() + day).toISOString();
    const from = new Date(Date.now() - day).toISOString();
    room.policy = demoPolicy(
      `\n---\napiVersion: lazaret.dev/v1alpha1\nkind: GuardExemption\nmetadata: { name: watch }\nspec:\n  reason: trial\n  approvedBy: somebody\n  from: "${from}"\n  until: "${until}"\n  namespaces: [phi]\n  grant: { monitor: true }\n`,
    );
    const body = JSON.stringify(MESSAGE);
    async function* slowly(): AsyncGenerator<string> {
      yield body.slice(0, 20);
      await nextTurn(100);
      room.policy = demoPolicy();
      yield body.slice(20);
    }
    await room.ask(ANTHROPIC, '/v1/messages', MESSAGE, { raw: Readable.from(slowly()) });
    expect(room.provider.received.map(({ body: sent }) => sent.toString()).join()).not.toMatch(IDENTIFIERS);
  });
});

interface StreamEvent {
  readonly delta?: { readonly text?: string; readonly partial_json?: string };
}

function events(body: string): readonly StreamEvent[] {
  return body
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as StreamEvent);
}

function textOf(body: string): string {
  return events(body)
    .map(({ delta }) => delta?.text ?? '')
    .join('');
}
