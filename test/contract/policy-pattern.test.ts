import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  globMatches,
  hostPatternCovers,
  isHostPattern,
  isOperation,
  operationMatches,
} from '#contract/policy-pattern.ts';

test.each(['api.anthropic.com', '*.example.org', 'localhost', '*.svc.cluster.local'])(
  '%s is a host pattern',
  (text) => {
    expect(isHostPattern(text)).toBe(true);
  },
);

test.each([
  '*',
  '*.com',
  '*.*.org',
  'a.*.org',
  'API.example.org',
  'example.org.',
  'https://example.org',
  'example.org:443',
  '10.0.0.1',
  '',
  'exa mple.org',
])('%j is no host pattern', (text) => {
  expect(isHostPattern(text)).toBe(false);
});

test.each([
  ['*.example.org', 'a.example.org', true],
  ['*.example.org', '*.a.example.org', true],
  ['*.example.org', 'example.org', false],
  ['*.example.org', 'badexample.org', false],
  ['a.example.org', '*.example.org', false],
  ['*.example.org', '*.example.org', true],
])('%s covers %s: %s', (outer, inner, covers) => {
  expect(hostPatternCovers(outer, inner)).toBe(covers);
});

test.each(['POST /v1/messages', 'GET /', 'POST /model/*/converse', 'POST /v1/models/gemini:generateContent'])(
  '%s is an operation',
  (text) => {
    expect(isOperation(text)).toBe(true);
  },
);

test.each([
  '/v1/messages',
  'post /v1/messages',
  'POST v1/messages',
  'POST /v1/../messages',
  'POST /v1/mess*',
  'POST /v1/%6dessages',
  'POST /v1/messages?beta=true',
  '* /v1/messages',
])('%j is no operation', (text) => {
  expect(isOperation(text)).toBe(false);
});

test.each([
  ['POST /v1/messages', 'POST', '/v1/messages', true],
  ['POST /v1/messages', 'GET', '/v1/messages', false],
  ['POST /v1/messages', 'POST', '/v1/messages/', false],
  ['POST /v1/messages', 'POST', '/v1//messages', false],
  ['POST /v1/messages', 'POST', '/v1/Messages', false],
  ['POST /v1/messages', 'POST', '/v1/messages/batches', false],
  ['POST /model/*/converse', 'POST', '/model/some-model/converse', true],
  ['POST /model/*/converse', 'POST', '/model/a/b/converse', false],
  ['POST /model/*/converse', 'POST', '/model//converse', false],
  ['POST /model/*/converse', 'POST', '/model/../converse', false],
  ['POST /model/*/converse', 'POST', '/model/a%2Fb/converse', false],
  ['POST /model/*/converse', 'POST', '/model/a\\b/converse', false],
])('%s covers %s %s: %s', (pattern, method, path, covers) => {
  expect(operationMatches(pattern, method, path)).toBe(covers);
});

test('a glob without a star covers only its own text', () => {
  expect(globMatches('claude-sonnet-5', 'claude-sonnet-5')).toBe(true);
  expect(globMatches('claude-sonnet-5', 'claude-sonnet-5x')).toBe(false);
  expect(globMatches('claude.sonnet', 'claude-sonnet')).toBe(false);
});

test('a glob agrees with the regular expression that it stands for', () => {
  const text = fc.stringMatching(/^[ab-]{0,8}$/);
  const glob = fc.stringMatching(/^[ab*-]{0,8}$/);
  fc.assert(
    fc.property(glob, text, (pattern, subject) => {
      const shape = new RegExp(`^${pattern.split('*').join('[^]*')}$`);
      expect(globMatches(pattern, subject)).toBe(shape.test(subject));
    }),
  );
});
