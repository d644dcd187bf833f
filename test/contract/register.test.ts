import { expect, test } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import { LLM_HOSTS } from '#contract/llm-hosts.data.ts';
import {
  constraintSuffixes,
  isCovered,
  isLlmPath,
  KIND_SENTENCES,
  lookupHost,
  lookupLlmHost,
} from '#contract/register.ts';

const look = (name: string): string | undefined => lookupHost(name as Host)?.pattern;

test.each([
  ['api.openai.com', 'api.openai.com'],
  ['us.api.openai.com', 'us.api.openai.com'],
  ['jp.api.openai.com', '*.api.openai.com'],
  ['team.openai.azure.com', '*.openai.azure.com'],
  ['a.b.openai.azure.com', '*.openai.azure.com'],
  ['bedrock-runtime.us-east-1.amazonaws.com', 'bedrock-runtime.*.amazonaws.com'],
  ['bedrock-runtime.xx-newest-9.amazonaws.com', 'bedrock-runtime.*.amazonaws.com'],
  ['vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com', '*.bedrock-runtime.*.vpce.amazonaws.com'],
  ['europe-west99-aiplatform.googleapis.com', '*-aiplatform.googleapis.com'],
  ['aiplatform.googleapis.com', 'aiplatform.googleapis.com'],
  ['token-plan-cn.xiaomimimo.com', 'token-plan-*.xiaomimimo.com'],
  ['other.xiaomimimo.com', '*.xiaomimimo.com'],
  ['o1.ingest.sentry.io', '*.ingest.sentry.io'],
])('%s is known by %s, the most specific row', (name, pattern) => {
  expect(look(name)).toBe(pattern);
});

test.each([
  'openai.azure.com',
  'notapi.openai.com.example',
  'xapi.openai.com',
  's3.us-east-1.amazonaws.com',
  'storage.googleapis.com',
  'example.org',
  'com',
])('%s is not in the register', (name) => {
  expect(look(name)).toBeUndefined();
});

test('shared infrastructure is known but no LLM host', () => {
  expect(lookupHost('js.stripe.com' as Host)?.kind).toBe('shared-infrastructure');
  expect(lookupLlmHost('js.stripe.com' as Host)).toBeNull();
});

test('a mixed-use host is LLM traffic on its paths only, however they are spelled', () => {
  const row = lookupHost('api.cloudflare.com' as Host)!;
  expect(isLlmPath(row, '/client/v4/accounts/abc/ai/run/@cf/model')).toBe(true);
  expect(isLlmPath(row, '//client/v4//accounts/abc/AI/run')).toBe(true);
  expect(isLlmPath(row, '/client/v4/accounts/abc/workers')).toBe(false);
  expect(isLlmPath(row, '/client/v4/accounts/a/b/ai/')).toBe(false);
  const chat = lookupHost('huggingface.co' as Host)!;
  expect([
    isLlmPath(chat, '/chat'),
    isLlmPath(chat, '/chat/x'),
    isLlmPath(chat, '/chatty'),
    isLlmPath(chat, '/org/model'),
  ]).toEqual([true, true, false, false]);
  expect(isLlmPath(lookupHost('api.openai.com' as Host)!, '/anything')).toBe(true);
});

test('every row has a kind with a sentence, and a pattern in lower case', () => {
  for (const [pattern, provider, kind, , regions] of LLM_HOSTS) {
    expect(Object.keys(KIND_SENTENCES)).toContain(kind);
    expect(pattern).toMatch(/^(\*\.)?[a-z0-9*]([a-z0-9.*-]*[a-z0-9])?$/);
    expect(provider).not.toBe('');
    for (const region of regions?.split(' ') ?? []) expect(look(pattern.replace('*', region))).toBe(pattern);
  }
  expect(new Set(LLM_HOSTS.map(([pattern]) => pattern)).size).toBe(LLM_HOSTS.length);
});

test('name constraints hold every agreement host, fit the bound, and never widen a row', () => {
  const agreements = ['models.hospital.example', '*.openai.azure.com', 'bedrock-runtime.*.amazonaws.com'];
  const suffixes = constraintSuffixes(agreements);
  const bytes = suffixes.reduce((sum, suffix) => sum + suffix.length + 4, 0);
  expect(bytes).toBeLessThanOrEqual(LIMIT.nameConstraintBytes);
  for (const name of [
    'models.hospital.example',
    'x.openai.azure.com',
    'bedrock-runtime.eu-west-1.amazonaws.com',
    'api.openai.com',
    'api.anthropic.com',
  ]) {
    expect(isCovered(name, suffixes)).toBe(true);
  }
  for (const name of [
    'hospital.example',
    'amazonaws.com',
    's3.amazonaws.com',
    'googleapis.com',
    'com',
    'example.org',
    'chatgpt.com',
  ]) {
    expect(isCovered(name, suffixes)).toBe(false);
  }
});

test('no suffix is below another one', () => {
  const suffixes = constraintSuffixes(['api.openai.com', '*.api.openai.com', 'us.api.openai.com']);
  expect(suffixes.filter((suffix) => suffix.endsWith('api.openai.com'))).toEqual(['api.openai.com']);
  expect(suffixes.some((one) => suffixes.some((other) => one !== other && one.endsWith(`.${other}`)))).toBe(false);
});

test('agreements that do not fit are an error that says what to do', () => {
  const many = Array.from({ length: 200 }, (_, index) => `model-${index}.department.hospital.example`);
  expect(() => constraintSuffixes(many)).toThrow(/name constraints.*use \*\.suffix/);
});
