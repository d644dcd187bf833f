// The demo's application: the official SDKs with their default base URLs and no proxy setting, as any program has them.
// It knows nothing of a guard. Prints one JSON line for each thing it tried.
import { createSocket } from 'node:dgram';
import { get } from 'node:https';
import type { TLSSocket } from 'node:tls';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { APIError } from 'openai';
import { DEMO_HOST, NOTE } from './note.ts';
import type { ModelStep, Result } from './result.ts';

const anthropic = new Anthropic({ apiKey: 'sk-ant-api03-demo-demo-demo' });
const openai = new OpenAI({ apiKey: 'sk-proj-demo-demo-demo' });
const messages = [{ role: 'user' as const, content: NOTE }];

const MODELS: Readonly<Record<ModelStep, () => Promise<string>>> = {
  'anthropic-plain': async () => {
    const { content } = await anthropic.messages.create({ model: 'claude-sonnet-5-5', max_tokens: 500, messages });
    return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  },
  'anthropic-stream': () =>
    anthropic.messages.stream({ model: 'claude-sonnet-5-5', max_tokens: 500, messages }).finalText(),
  'openai-plain': async () => {
    const { choices } = await openai.chat.completions.create({ model: 'gpt-4.1', messages });
    return choices[0]?.message.content ?? '';
  },
  'openai-stream': async () => {
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ model: 'gpt-4.1', messages, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    return text;
  },
};

async function askModel(step: ModelStep): Promise<Result> {
  try {
    return { step, text: await MODELS[step](), error: null };
  } catch (error) {
    return { step, text: null, error: sentenceOf(error) };
  }
}

/** The SDK retries by itself when a server lets it: the attempts are counted below it. */
async function askUnapproved(): Promise<Result> {
  let attempts = 0;
  const counted: typeof fetch = (input, init) => {
    attempts += 1;
    return fetch(input, init);
  };
  const client = new OpenAI({ apiKey: 'demo', baseURL: `https://${DEMO_HOST.unapproved}/v1`, fetch: counted });
  try {
    await client.chat.completions.create({ model: 'mistral-large-latest', messages });
    return { step: 'unapproved', attempts, status: 200, code: null, message: 'it was answered' };
  } catch (error) {
    const status = error instanceof APIError ? (error.status ?? null) : null;
    const code = error instanceof APIError ? (error.code ?? null) : null;
    return { step: 'unapproved', attempts, status, code, message: sentenceOf(error) };
  }
}

function visit(host: string): Promise<{ readonly fingerprint: string | null; readonly error: string | null }> {
  return new Promise((resolve) => {
    const request = get(`https://${host}/`, (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      resolve({ fingerprint: fingerprint256, error: null });
    });
    request.once('error', (error) => resolve({ fingerprint: null, error: sentenceOf(error) }));
  });
}

/** One datagram as HTTP/3 would send it. */
function tryQuic(): Promise<Result> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => resolve({ step: 'quic', error: sentenceOf(error) }));
    socket.connect(443, DEMO_HOST.openai, (fault?: Error) => {
      if (fault !== undefined) return resolve({ step: 'quic', error: sentenceOf(fault) });
      socket.send('hello', (error) => resolve({ step: 'quic', error: error?.message ?? null }));
    });
    socket.unref();
  });
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  return 'code' in error && typeof error.code === 'string' && !error.message.includes(error.code)
    ? `${error.message} (${error.code})`
    : error.message;
}

function print(result: Result): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** @param forever goes on asking a model until it is ended */
async function run(forever: boolean): Promise<void> {
  for (const step of Object.keys(MODELS) as ModelStep[]) print(await askModel(step));
  print(await askUnapproved());
  print({ step: 'listed', ...(await visit(DEMO_HOST.listed)) });
  print({ step: 'unlisted', error: (await visit(DEMO_HOST.unlisted)).error });
  // Only in a pod: anywhere else the datagram would really leave.
  if (!process.argv.includes('--through-proxy')) print(await tryQuic());
  if (forever) setInterval(() => void askModel('anthropic-plain').then(print), 5_000);
}

await run(process.argv.includes('--forever'));
