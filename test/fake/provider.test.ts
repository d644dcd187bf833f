import Anthropic from '@anthropic-ai/sdk';
import { connect as connectH2 } from 'node:http2';
import { request } from 'node:https';
import OpenAI from 'openai';
import { Agent } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { Script } from './answer.ts';
import { cutEvery } from './answer.ts';
import { answerIn, echo, errorIn, promptTexts } from './dialect-answer.ts';
import type { Provider } from './provider.ts';
import { startProvider, toRecord } from './provider.ts';

const HOSTS = ['api.anthropic.com', 'api.openai.com'];
const running: Provider[] = [];

async function start(script?: Script): Promise<Provider> {
  const provider = await startProvider({ hosts: HOSTS, ...(script === undefined ? {} : { script }) });
  running.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((provider) => provider.stop()));
});

/** The SDKs with their own base URLs; only the dial goes to loopback. */
function dispatcher(provider: Provider): Agent {
  const lookup = (_host: string, _options: unknown, callback: (error: null, addresses: object[]) => void): void =>
    callback(null, [{ address: '127.0.0.1', family: 4 }]);
  return new Agent({ connect: { ca: provider.authority.root, port: provider.port, lookup } as never });
}

function viaPort(provider: Provider): typeof fetch {
  const agent = dispatcher(provider);
  return async (input, init) => {
    const { fetch: undiciFetch } = await import('undici');
    const url = new URL(input instanceof Request ? input.url : input);
    url.port = String(provider.port);
    return (await undiciFetch(url, { ...init, dispatcher: agent })) as never;
  };
}

const anthropic = (provider: Provider): Anthropic =>
  new Anthropic({ apiKey: 'sk-ant-test', maxRetries: 0, fetch: viaPort(provider) });
const openai = (provider: Provider): OpenAI =>
  new OpenAI({ apiKey: 'sk-test', maxRetries: 0, fetch: viaPort(provider) });

const PROMPT = 'The patient of room 7 is called Ottilie Brandmeier.';
const ask = { model: 'claude-test', max_tokens: 64, messages: [{ role: 'user' as const, content: PROMPT }] };

describe('stand-in provider', () => {
  it('speaks the Anthropic wire format through the mock, plain and streamed', async () => {
    const provider = await start();
    const message = await anthropic(provider).messages.create(ask);
    expect(message.content).toMatchObject([{ type: 'text', text: expect.stringContaining(PROMPT) }]);
    const streamed = await anthropic(provider).messages.stream(ask).finalText();
    expect(streamed).toContain(PROMPT);
    expect(provider.received.map(({ host, target }) => [host, target])).toEqual([
      ['api.anthropic.com', '/v1/messages'],
      ['api.anthropic.com', '/v1/messages'],
    ]);
  });

  it('speaks the OpenAI wire format through the mock, plain and streamed', async () => {
    const provider = await start();
    const { choices } = await openai(provider).chat.completions.create(ask);
    expect(choices[0]?.message.content).toContain(PROMPT);
    let streamed = '';
    for await (const chunk of await openai(provider).chat.completions.create({ ...ask, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? '';
    }
    expect(streamed).toContain(PROMPT);
  });

  it('echoes in both dialects what the SDKs sent, cut at every byte', async () => {
    const provider = await start((received) => echo(received, { chars: 1, bytes: 1 }));
    expect(await anthropic(provider).messages.stream(ask).finalText()).toBe(PROMPT);
    const { choices } = await openai(provider).chat.completions.create(ask);
    expect(choices[0]?.message.content).toBe(PROMPT);
    expect(promptTexts(provider.received[0]!)).toEqual([PROMPT]);
  });

  it('answers with thinking and tool calls that the SDKs assemble', async () => {
    const tool = {
      kind: 'tool',
      id: 'toolu_1',
      name: 'find',
      input: { name: 'Ottilie "O" Brandmeier', n: [1, '\n'] },
    } as const;
    const thinking = { kind: 'thinking', text: 'hm', signature: 'c2ln' } as const;
    const provider = await start((received) => answerIn(received, [thinking, tool], { chars: 3, bytes: 11 }));
    const message = await anthropic(provider).messages.stream(ask).finalMessage();
    expect(message.content).toMatchObject([
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      { type: 'tool_use', id: 'toolu_1', name: 'find', input: tool.input },
    ]);
    const completion = await openai(provider).chat.completions.stream(ask).finalChatCompletion();
    const call = completion.choices[0]?.message.tool_calls?.[0];
    expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual(tool.input);
  });

  it('answers errors that the SDKs name', async () => {
    const provider = await start((received) => errorIn(received, 429, 'rate_limit_error', 'slow down'));
    await expect(anthropic(provider).messages.create(ask)).rejects.toMatchObject({ status: 429 });
    await expect(openai(provider).chat.completions.create(ask)).rejects.toMatchObject({ status: 429 });
  });

  it('ends in a reset where the script says so', async () => {
    const provider = await start(() => ({ steps: [...cutEvery('data: {', 3), { do: 'reset' }] }));
    await expect(httpsText(provider)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('lies about its content length where the script says so', async () => {
    const lie = {
      headers: [['content-length', '99']] as const,
      steps: [...cutEvery('short', 5), { do: 'reset' }] as const,
    };
    const provider = await start(() => lie);
    await expect(httpsText(provider)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('sends bytes that are no HTTP where the script says so', async () => {
    const provider = await start(() => ({ raw: cutEvery('HTTP/1.1 200 OK\r\nContent Length: 1\r\n\r\nx', 4) }));
    await expect(httpsText(provider)).rejects.toMatchObject({ code: expect.stringMatching(/^HPE_/) });
  });

  it('keeps the target, the header names and the body of a request as they came', async () => {
    const provider = await start(() => ({ steps: cutEvery('ok', 2) }));
    await httpsText(provider, { 'X-Odd-Case': 'Value' }, Buffer.from([0xff, 0x00, 0x41]));
    const [received] = provider.received;
    expect(received?.headers).toContainEqual(['X-Odd-Case', 'Value']);
    expect(toRecord(received!)).toMatchObject({ target: '/v1/messages?x=1', body64: '/wBB' });
  });

  it('serves HTTP/2 to a client that asks for it, and resets a stream alone', async () => {
    const provider = await start(() => ({ steps: [...cutEvery('some', 2), { do: 'reset' }] }));
    const session = connectH2(`https://api.openai.com:${provider.port}`, {
      ca: provider.authority.root,
      lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }] as never, 4),
    });
    const stream = session.request({ ':path': '/v1/models', ':method': 'GET' });
    await expect(new Promise((_resolve, reject) => stream.once('error', reject).resume())).rejects.toMatchObject({
      code: 'ERR_HTTP2_STREAM_ERROR',
    });
    expect(session.destroyed).toBe(false);
    session.destroy();
  });

  it('refuses the handshake for a name that it does not have', async () => {
    const provider = await start();
    await expect(httpsText(provider, {}, Buffer.alloc(0), 'other.example')).rejects.toThrow();
  });
});

function httpsText(
  provider: Provider,
  headers: Readonly<Record<string, string>> = {},
  body: Buffer = Buffer.from('{}'),
  host = 'api.anthropic.com',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: provider.port,
        servername: host,
        ca: provider.authority.root,
        path: '/v1/messages?x=1',
        method: 'POST',
        headers: { host, ...headers },
        agent: false,
      },
      (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => (text += part.toString()));
        answer.once('end', () => resolve(text));
        answer.once('error', reject);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
