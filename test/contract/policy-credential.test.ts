import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { classifyCredential, fingerprintKey } from '#contract/policy-credential.ts';

test.each([
  ['x-api-key', 'sk-ant-api03-abc', 'api-key', 'sk-ant-api03-'],
  ['X-Api-Key', 'sk-ant-api03-abc', 'api-key', 'sk-ant-api03-'],
  ['authorization', 'Bearer sk-ant-oat01-abc', 'oauth', 'sk-ant-oat01-'],
  ['authorization', 'bearer sk-ant-oat01-abc', 'oauth', 'sk-ant-oat01-'],
  ['x-api-key', 'sk-ant-oat01-abc', 'oauth', 'sk-ant-oat01-'],
  ['authorization', 'Bearer sk-ant-oat02-abc', 'oauth', 'sk-ant-o'],
  ['authorization', 'Bearer sk-ant-sid01-abc', 'session', 'sk-ant-sid01-'],
  ['x-api-key', 'sk-ant-admin01-abc', 'admin-key', 'sk-ant-admin01-'],
  ['authorization', 'Bearer sk-proj-abc', 'api-key', 'sk-proj-'],
  ['authorization', 'Bearer sk-svcacct-abc', 'api-key', 'sk-svcacct-'],
  ['authorization', 'Bearer sk-admin-abc', 'admin-key', 'sk-admin-'],
  ['authorization', 'Bearer sess-abc', 'session', 'sess-'],
  ['authorization', 'Bearer eyJhbGciOi.eyJzdWIi.c2ln', 'oauth', 'eyJ'],
  ['authorization', 'Bearer ya29.abc', 'oauth', 'ya29.'],
  ['api-key', '0123456789abcdef', 'api-key', ''],
  [
    'authorization',
    'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00',
    'signature',
    '',
  ],
  ['cookie', 'sessionKey=abc', 'session', ''],
  ['user-agent', 'x', 'none', ''],
  ['authorization', 'Basic dXNlcjpwYXNz', 'ambiguous', ''],
  ['authorization', 'Bearer', 'ambiguous', ''],
  ['authorization', 'Bearer two words', 'ambiguous', ''],
  ['x-api-key', '', 'ambiguous', ''],
])('%s: %s is of kind %s', (name, value, kind, prefix) => {
  expect(classifyCredential([[name, value]])).toMatchObject({ kind, prefix });
});

test('two different keys are ambiguous, because the provider may look at the other one', () => {
  const both = classifyCredential([
    ['x-api-key', 'sk-ant-api03-abc'],
    ['authorization', 'Bearer sk-ant-oat01-abc'],
  ]);
  expect(both.kind).toBe('ambiguous');
});

test('one key in two fields is one key', () => {
  const twice = classifyCredential([
    ['x-api-key', 'sk-ant-api03-abc'],
    ['authorization', 'Bearer sk-ant-api03-abc'],
  ]);
  expect(twice).toMatchObject({ kind: 'api-key', fingerprint: fingerprintKey('sk-ant-api03-abc') });
});

test('a fingerprint is the first half of the key’s SHA-256', () => {
  expect(fingerprintKey('sk-test')).toBe(createHash('sha256').update('sk-test').digest('hex').slice(0, 32));
});

test('a credential prints without its key', () => {
  const credential = classifyCredential([['x-api-key', 'sk-ant-api03-very-secret']]);
  expect(`${JSON.stringify(credential)}${inspect(credential)}`).not.toContain('very-secret');
  expect(credential.startsWith('sk-ant-api03-very')).toBe(true);
});
