// An application in Node that knows nothing of Lazaret: the providers' SDKs, default base URLs. Prints one JSON line a scenario.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const { NOTE = '', CLAUDE = '', GPT = '' } = process.env;
const anthropic = new Anthropic({ apiKey: 'sk-ant-api03-test' });
const openai = new OpenAI({ apiKey: 'sk-proj-test' });
const messages = [{ role: 'user' as const, content: NOTE }];
const claude = { model: CLAUDE, max_tokens: 64, messages };
const gpt = { model: GPT, messages };

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  'anthropic plain': async () => textOf(await anthropic.messages.create(claude)),
  'anthropic stream': async () => textOf(await anthropic.messages.stream(claude).finalMessage()),
  'openai plain': async () => (await openai.chat.completions.create(gpt)).choices[0]?.message.content,
  'openai stream': async () => {
    let answer = '';
    for await (const chunk of await openai.chat.completions.create({ ...gpt, stream: true }))
      answer += chunk.choices[0]?.delta.content ?? '';
    return answer;
  },
  'no agreement': async () =>
    await new OpenAI({ apiKey: 'x', baseURL: 'https://api.mistral.ai/v1' }).chat.completions.create(gpt),
  'own roots': () => {
    const ca = readFileSync(process.env.OWN_ROOTS ?? '');
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const body = JSON.stringify({ ...claude, model: 'own-roots' });
    const sent = request('https://api.anthropic.com/v1/messages', { method: 'POST', ca }, (answer) => {
      text(answer).then(resolve, reject);
    });
    sent.on('error', reject).end(body);
    return promise;
  },
};

function textOf(answer: Anthropic.Message): string {
  return answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

for (const [name, run] of Object.entries(scenarios)) {
  const result = await run().then(
    (value) => ({ value }),
    (error: unknown) => {
      const { status, message } = error as { status?: number; message: string };
      return { status, error: message };
    },
  );
  process.stdout.write(`${JSON.stringify({ name, ...result })}\n`);
}
