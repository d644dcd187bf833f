import { expect, test } from 'vitest';
import type { ChainId, ExchangeId, Host } from '#contract/brand.ts';
import { buildBlocked, buildConnection, buildOutcome, buildRequest } from '#contract/record-build.ts';
import { clearModel, clearWord, clearWorkload } from '#contract/record-clear.ts';
import { outcomeFacts, refusedFacts, requestFacts } from '#test/sidecar/audit/facts.ts';

const PLACE = {
  link: { chain: 'chain-0123456789' as ChainId, seq: 1, prev: 'p' },
  time: { wall_ns: '1', mono_ns: '1' },
};

test.each([
  'claude-sonnet-4-20250514',
  'gpt-4o-mini-2024-07-18',
  'o3',
  'ft:gpt-4o:clinic::abc123',
  'anthropic.claude-3-5-sonnet-20241022-v2:0',
  'accounts/x/models/llama-v3p1-405b-instruct',
])('the model name %s stands in clear', (model) => {
  expect(clearModel(model)).toBe(model);
});

test.each([
  'Maria Gonzalez',
  'MariaGonzalez',
  '123-45-6789',
  'gpt-123-45-6789',
  'x-555-867-5309',
  'mrn-4821337712',
  'gpt\n4',
  '',
  'ä',
  'g'.repeat(200),
])('T24 the model name %j is not written in clear', (model) => {
  expect(clearModel(model)).toBe('unlisted');
});

test('T24 no text that a caller can choose reaches a record in clear', () => {
  const canary = 'Maria Gonzalez <MRN 48213377>';
  const request = requestFacts(canary, {
    dialect: canary,
    provider: canary,
    agreement: canary,
    model: canary,
    policy: canary,
    checks: [canary],
    credential: canary,
    actor: { workload: canary, attribution: 'body' },
  });
  const records = [
    buildRequest(PLACE, { ...request, exchange: 'exchange-1' as ExchangeId }, {}),
    buildBlocked(PLACE, {
      ...refusedFacts('exchange-1'),
      provider: null,
      host: 'maria-gonzalez.example' as Host,
      model: canary,
      credential: canary,
      dialect: canary,
    }),
    buildOutcome(PLACE, 'exchange-1', outcomeFacts({ model: canary }), {}),
    buildConnection(
      PLACE,
      'connection-1',
      {
        connection: 1,
        decision: 'refuse',
        reason: 'destination_not_allowed',
        host: 'maria-gonzalez.example',
        listed: false,
        address: canary,
        port: 443,
      },
      {},
    ),
  ];
  expect(JSON.stringify(records)).not.toMatch(/gonzalez|48213377/i);
});

test('words of our own making stand in clear, anything else is unlisted', () => {
  expect(clearWord('anthropic.messages')).toBe('anthropic.messages');
  expect(clearWord('*.openai.azure.com')).toBe('unlisted');
  expect(clearWorkload('clinic/notes:default/notes-7d9f')).toBe('clinic/notes:default/notes-7d9f');
  expect(clearWorkload('Clinic')).toBe('unlisted');
});
