// An application that knows nothing of Lazaret: the providers' SDKs as their documentation shows them. Prints one JSON line a scenario.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const note = process.env.NOTE ?? '';
const anthropic = new Anthropic({ apiKey: 'sk-ant-api03-test' });
const openai = new OpenAI({ apiKey: 'sk-proj-test' });
const base = { model: 'claude-test-1', max_tokens: 64 };
const tool = {
  name: 'find_patient',
  description: 'Finds a patient',
  parameters: { type: 'object', properties: { who: { type: 'string' } } },
};

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  'anthropic plain': async () => textOf(await anthropic.messages.create({ ...base, messages: user(note) })),
  'anthropic stream': async () =>
    textOf(await anthropic.messages.stream({ ...base, messages: user(note) }).finalMessage()),
  'anthropic tool': async () => {
    const { parameters: input_schema, ...named } = tool;
    const tools = [{ ...named, input_schema: input_schema as Anthropic.Tool.InputSchema }];
    const stream = anthropic.messages.stream({ ...base, tools, messages: user(`TOOL ${note}`) });
    const answer = await stream.finalMessage();
    return answer.content.flatMap((block) => (block.type === 'tool_use' ? [block.input] : []))[0];
  },
  'anthropic thinking loop': async () => {
    const messages: Anthropic.MessageParam[] = user(`THINK ${note}`);
    const thoughts: string[] = [];
    for (let turn = 0; turn < 5; turn++) {
      const answer = await anthropic.messages.create({
        ...base,
        messages,
        thinking: { type: 'enabled', budget_tokens: 1024 },
      });
      thoughts.push(...answer.content.flatMap((block) => (block.type === 'thinking' ? [block.thinking] : [])));
      messages.push(
        { role: 'assistant', content: answer.content },
        { role: 'user', content: `THINK again, turn ${turn}` },
      );
    }
    return thoughts;
  },
  'openai plain': async () =>
    (await openai.chat.completions.create({ model: 'gpt-test', messages: user(note) })).choices[0]?.message.content,
  'openai stream': async () => {
    let text = '';
    const stream = await openai.chat.completions.create({ model: 'gpt-test', messages: user(note), stream: true });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  },
  'openai tool': async () => {
    const tools = [{ type: 'function' as const, function: tool }];
    const stream = openai.chat.completions.stream({ model: 'gpt-test', messages: user(`TOOL ${note}`), tools });
    const [call] = (await stream.finalMessage()).tool_calls ?? [];
    return call?.type === 'function' ? JSON.parse(call.function.arguments) : null;
  },
  'abort in mid-stream': async () => {
    const abort = new AbortController();
    const stream = await anthropic.messages.create(
      { ...base, messages: user(`SLOW ${note}`), stream: true },
      { signal: abort.signal },
    );
    for await (const event of stream) if (event.type === 'content_block_delta') abort.abort();
    return 'left';
  },
  'a prompt of 5 MB': async () => {
    const text =
      `${note}\n${'The patient reports intermittent pain, relieved by rest; continue metformin 500 mg. '.repeat(62_000)}`.slice(
        0,
        5_000_000,
      );
    const answer = textOf(await anthropic.messages.create({ ...base, messages: user(text) }));
    return { same: answer === text, bytes: text.length };
  },
  '64 exchanges at once': async () => {
    const notes = Array.from({ length: 64 }, (_, i) => `${note} Case ${i}.`);
    const answers = await Promise.all(
      notes.map(async (text) => textOf(await anthropic.messages.create({ ...base, messages: user(text) }))),
    );
    return answers.every((answer, i) => answer === notes[i]);
  },
  'an operation that is not covered': async () => await anthropic.models.list(),
  'a provider without an agreement': async () =>
    await new OpenAI({ apiKey: 'x', baseURL: 'https://api.mistral.ai/v1' }).chat.completions.create({
      model: 'm',
      messages: user(note),
    }),
};

function user(content: string) {
  return [{ role: 'user' as const, content }];
}

function textOf(answer: Anthropic.Message): string {
  return answer.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
}

for (const [name, run] of Object.entries(scenarios)) {
  const result = await run().then(
    (value) => ({ value }),
    (error: unknown) => ({ error: describe(error) }),
  );
  process.stdout.write(`${JSON.stringify({ name, ...result })}\n`);
}

function describe(error: unknown) {
  const { name, status, message } = error as { name: string; status?: number; message: string };
  return { class: (error as object).constructor.name, name, status, message };
}
