import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANTHROPIC, type Guarded, openGuarded, OPENAI } from './guarded.ts';

const NOTE = 'Patient: Maria Gonzalez, MRN 4471902, phone 217-555-0142.';
const CANARY = /Gonzalez|4471902|555-?0142/i;
const user = { role: 'user', content: NOTE };
const assistant = (block: object) => [user, { role: 'assistant', content: [block] }];
const tool = (input: unknown) => assistant({ type: 'tool_use', id: 'toolu_1', name: 'f', input });
const call = (args: string) => [
  user,
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: args } }],
  },
];
const schema = (properties: object) => ({ tools: [{ name: 'f', input_schema: { type: 'object', properties } }] });

/** Places of a Messages request that a careless application might fill with what it knows of a patient. */
const MESSAGES: Readonly<Record<string, object>> = {
  'stop sequences': { stop_sequences: ['Maria Gonzalez', '4471902'] },
  'system blocks': { system: [{ type: 'text', text: NOTE, cache_control: { type: 'ephemeral' } }] },
  'the user id': { metadata: { user_id: 'Maria Gonzalez' } },
  'a tool’s name': { tools: [{ name: 'maria_gonzalez', input_schema: { type: 'object' } }] },
  'a tool’s description': { tools: [{ name: 'f', description: NOTE, input_schema: { type: 'object' } }] },
  'a property’s name': schema({ Maria_Gonzalez: { type: 'string' } }),
  'an enumeration': schema({ who: { enum: ['Maria Gonzalez'] } }),
  'a default': schema({ who: { default: 'Maria Gonzalez' } }),
  'examples of a tool': {
    tools: [{ name: 'f', input_schema: { type: 'object' }, input_examples: [{ who: 'Maria Gonzalez' }] }],
  },
  'tool input': { messages: tool({ name: 'Maria Gonzalez', mrn: 4471902 }) },
  'keys of tool input': { messages: tool({ 'Maria Gonzalez': 1, '4471902': 'x' }) },
  'JSON in JSON in tool input': {
    messages: tool({ a: JSON.stringify({ b: JSON.stringify({ name: 'Maria Gonzalez', mrn: 4471902 }) }) }),
  },
  'escapes in tool input': { messages: tool({ a: 'Maria Gonzalez' }) },
  'a tool result': {
    messages: [
      ...tool({}),
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: NOTE }] }],
      },
    ],
  },
  'an id': { messages: assistant({ type: 'tool_use', id: 'mrn-4471902', name: 'f', input: {} }) },
  'an id of another form': { messages: assistant({ type: 'tool_use', id: 'Gonzalez', name: 'f', input: {} }) },
  'an id in the providers’ form': {
    messages: assistant({ type: 'tool_use', id: 'toolu_01MariaGonzalez44719', name: 'f', input: {} }),
  },
  'the choice of a tool': { tool_choice: { type: 'tool', name: 'Maria_Gonzalez' } },
  'an enumeration of the API': { service_tier: 'Maria Gonzalez' },
  thinking: { messages: assistant({ type: 'thinking', thinking: 'Maria Gonzalez is ill', signature: 'c2ln' }) },
  'a short signature': { messages: assistant({ type: 'thinking', thinking: 'ok', signature: 'Gonzalez' }) },
  'a field that is not known': { patient: 'Maria Gonzalez' },
  'the name of a field that is not known': { mrn_4471902: 1 },
  'a life time of a cache': {
    messages: [
      user,
      {
        role: 'user',
        content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: 'Maria Gonzalez' } }],
      },
    ],
  },
  'a citation': {
    messages: assistant({
      type: 'text',
      text: 'x',
      citations: [
        {
          type: 'char_location',
          cited_text: 'Maria Gonzalez',
          document_index: 0,
          start_char_index: 0,
          end_char_index: 4,
          document_title: 'Gonzalez',
        },
      ],
    }),
  },
  'a plain document': {
    messages: [
      {
        role: 'user',
        content: [
          {
            type: 'document',
            source: { type: 'text', media_type: 'text/plain', data: NOTE },
            title: 'Maria Gonzalez',
            context: NOTE,
          },
        ],
      },
    ],
  },
  'wide, invisible and look-alike characters': {
    messages: [
      {
        role: 'user',
        content: `${NOTE} ４４７１９０２ Ｇｏｎｚａｌｅｚ G\u200bonzalez Go\u00ADnzalez 217\u2011555\u20110142 GONZALEZ`,
      },
    ],
  },
  base64: { messages: [{ role: 'user', content: Buffer.from(NOTE).toString('base64') }] },
  'the twentieth turn': {
    messages: [
      ...Array.from({ length: 20 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `turn ${i}` })),
      user,
    ],
  },
  'the end of a long text': {
    messages: [{ role: 'user', content: `${'The abdomen is soft. '.repeat(20_000)}${NOTE}` }],
  },
};

/** The same of a Chat Completions request. */
const CHAT: Readonly<Record<string, object>> = {
  'a speaker’s name': { messages: [{ ...user, name: 'Maria_Gonzalez' }] },
  arguments: { messages: call('{"name":"Maria Gonzalez","mrn":4471902}') },
  'arguments that are cut off': { messages: call('{"name":"Maria Gonzalez","mrn":44719') },
  'arguments that are a number': { messages: call('4471902') },
  'a tool message': {
    messages: [
      ...call('{}'),
      { role: 'tool', tool_call_id: 'call_1', content: '{"patient":{"name":"Maria Gonzalez","mrn":4471902}}' },
    ],
  },
  'the id of a tool call': { messages: [...call('{}'), { role: 'tool', tool_call_id: 'call_Gonzalez', content: 'x' }] },
  stop: { stop: ['Maria Gonzalez', '4471902'] },
  user: { user: 'Maria Gonzalez' },
  'the safety identifier': { safety_identifier: 'MRN 4471902' },
  metadata: { metadata: { patient: 'Maria Gonzalez', mrn: '4471902' } },
  'a number in metadata': { metadata: { mrn: 4471902 } },
  'a key of metadata': { metadata: { 'Maria Gonzalez': 'x' } },
  'the key of the prompt cache': { prompt_cache_key: 'Gonzalez-4471902' },
  'the bias of a token': { logit_bias: { 'Maria Gonzalez': 1 } },
  'a prediction': { prediction: { type: 'content', content: NOTE } },
  'a grammar': {
    tools: [
      {
        type: 'custom',
        custom: {
          name: 'x',
          format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "Maria Gonzalez"' } },
        },
      },
    ],
  },
  'a schema of the answer': {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'f', schema: { properties: { x: { const: 'Maria Gonzalez' } } } },
    },
  },
  'the name of a schema': {
    response_format: { type: 'json_schema', json_schema: { name: 'maria_gonzalez', schema: {} } },
  },
};

const CASES = [
  ...Object.entries(MESSAGES).map(
    ([place, more]) => [place, ANTHROPIC, '/v1/messages', { max_tokens: 9, ...more }] as const,
  ),
  ...Object.entries(CHAT).map(([place, more]) => [place, OPENAI, '/v1/chat/completions', more] as const),
];

describe('T18: an identifier', () => {
  let room: Guarded;
  beforeAll(async () => {
    room = await openGuarded();
  });
  afterAll(async () => await room.stop());

  it.each(CASES)(
    'in %s of %s is replaced or refused, and never reaches the provider',
    async (_place, host, target, more) => {
      const before = room.provider.received.length;
      const answer = await room.ask(host, target, { model: 'm', messages: [user], ...more });
      const sent = room.provider.received.slice(before).map(({ body }) => body.toString());
      expect(sent.filter((body) => CANARY.test(body))).toEqual([]);
      expect(sent.length).toBe([400, 403].includes(answer.status) ? 0 : 1);
      if (sent.length === 0) expect(answer.body).not.toMatch(CANARY);
    },
  );
});
