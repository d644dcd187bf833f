import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Host } from '#contract/brand.ts';
import { hostMatches, parseAuthority, parseHost } from '#contract/host.ts';

describe('parseHost', () => {
  it.each([
    ['API.Anthropic.com', 'api.anthropic.com'],
    ['api.anthropic.com.', 'api.anthropic.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('%s has the normal form %s', (text, host) => expect(parseHost(text)).toBe(host));

  it.each([
    '',
    '.',
    'a..b',
    '10.0.0.1',
    '127.1',
    '0x7f.1',
    '1.2.3.0x4',
    '[::1]',
    '::1',
    'a b',
    'a\0b',
    'exämple.com',
    '-a.com',
    'a-.com',
    `${'a'.repeat(64)}.com`,
  ])('%j is no host name', (text) => expect(parseHost(text)).toBeNull());

  it('is idempotent and never longer than its input', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string()), (text) => {
        const host = parseHost(text);
        if (host !== null) expect(parseHost(host)).toBe(host);
      }),
    );
  });
});

describe('parseAuthority', () => {
  it.each([
    ['api.openai.com', 'api.openai.com', 443],
    ['api.openai.com:8443', 'api.openai.com', 8443],
  ])('%s', (text, host, port) => expect(parseAuthority(text, 443)).toEqual({ host, port }));

  it.each(['a:0', 'a:65536', 'a:', 'a:b', 'user@a', 'a/b', 'a?b', '[::1]:443', '10.0.0.1:443', 'a:443:443'])(
    '%s is refused',
    (text) => expect(parseAuthority(text, 443)).toBeNull(),
  );
});

describe('hostMatches', () => {
  it('a wildcard covers one or more labels below, never the name itself or a name that only ends alike', () => {
    const match = (pattern: string, host: string) => hostMatches(pattern, host as Host);
    expect(match('*.openai.azure.com', 'x.openai.azure.com')).toBe(true);
    expect(match('*.openai.azure.com', 'x.y.openai.azure.com')).toBe(true);
    expect(match('*.openai.azure.com', 'openai.azure.com')).toBe(false);
    expect(match('*.openai.azure.com', 'evilopenai.azure.com')).toBe(false);
    expect(match('example.org', 'www.example.org')).toBe(false);
  });
});
