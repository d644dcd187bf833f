import { describe, expect, it } from 'vitest';
import { clientFields, SEVERAL, singleField, upstreamFields } from '#sidecar/exchange/header-fields.ts';

describe('upstreamFields', () => {
  it('passes what the providers read and counts what it leaves out', () => {
    const { fields, dropped } = upstreamFields(
      [
        ['X-API-Key', 'sk-ant-api03-abc'],
        ['anthropic-version', '2023-06-01'],
        ['x-patient', 'Maria Gonzalez'],
        ['x-lazaret-user', 'maria'],
        ['Accept-Encoding', 'gzip'],
      ],
      false,
    );
    expect(fields).toContainEqual(['x-api-key', 'sk-ant-api03-abc']);
    expect(fields).toContainEqual(['anthropic-version', '2023-06-01']);
    expect(fields).toContainEqual(['accept-encoding', 'identity']);
    expect(JSON.stringify(fields)).not.toMatch(/maria/i);
    expect(dropped).toBe(1);
  });

  it.each([
    ['anthropic-version', 'DOB 1980-01-02'],
    ['anthropic-beta', 'Maria Gonzalez'],
    ['idempotency-key', 'MRN-4471902'],
    ['x-stainless-os', 'Linux; patient (Maria)'],
    ['openai-organization', 'Maria Gonzalez'],
    ['x-client-request-id', 'gonzalez'],
    ['user-agent', 'Eleanor Whitcombe 60518224'],
    ['user-agent', 'app/1.0 (MRN 60518224)'],
  ])('a known field %s with a value that is not of its shape stays in the pod', (name, value) => {
    const { fields, dropped } = upstreamFields([[name, value]], false);
    expect(fields.map(([known]) => known)).not.toContain(name);
    expect(dropped).toBe(1);
  });

  it.each([
    'Anthropic/JS 1.12.0',
    'OpenAI/Python 3.54.0',
    'python-httpx/0.28.1',
    'curl/7.88.1',
    'Go-http-client/2.0',
    'claude-cli/2.0.1 (external, cli)',
    'AsyncAnthropic/Python 0.79.0',
  ])('the user agent %s goes upstream', (value) => {
    expect(upstreamFields([['user-agent', value]], false).fields).toContainEqual(['user-agent', value]);
  });

  it('T25: asks for an identity coding, whatever the client asked for', () => {
    const { fields } = upstreamFields([['accept-encoding', 'br, zstd']], true);
    expect(fields.filter(([name]) => name === 'accept-encoding')).toEqual([['accept-encoding', 'identity']]);
  });
});

describe('clientFields', () => {
  it('leaves out hop-by-hop fields, those that Connection lists, and the way to HTTP/3', () => {
    const kept = clientFields([
      ['connection', 'X-Hop, keep-alive'],
      ['x-hop', '1'],
      ['alt-svc', 'h3=":443"'],
      ['transfer-encoding', 'chunked'],
      ['request-id', 'req_1'],
    ]);
    expect(kept).toEqual([['request-id', 'req_1']]);
  });
});

describe('singleField', () => {
  it('tells absent, single and repeated apart', () => {
    expect(singleField([['A', '1']], 'a')).toBe('1');
    expect(singleField([], 'a')).toBeNull();
    expect(
      singleField(
        [
          ['a', '1'],
          ['A', '1'],
        ],
        'a',
      ),
    ).toBe(SEVERAL);
  });
});
