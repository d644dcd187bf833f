import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequest } from '#llm/parse-request.ts';
import { parseResponse } from '#llm/parse-response.ts';
import { scanJson } from '#llm/json-scan.ts';

/** Text that is nearly JSON: pieces of JSON in any order. */
const nearJson = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '"b"',
      '\\',
      '\\u00',
      '\\ud83d',
      '1',
      '-',
      '0',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\n',
      'é',
      '😀',
      '\u0001',
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the scanner', () => {
  it('reads every text that JSON.stringify writes, and one value is one value', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent);
        expect(scanJson(text).kind).toBe('json');
        expect(scanJson(`${text},`).kind).toBe('fault');
      }),
    );
  });

  it('accepts what JSON.parse accepts and nothing else, but for duplicate keys', () => {
    fc.assert(
      fc.property(fc.oneof(nearJson, fc.string({ unit: 'binary' })), (text) => {
        const scan = scanJson(text);
        if (scan.kind === 'json') expect(parses(text)).toBe(true);
        else if (scan.fault === 'syntax') expect(parses(text)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the parsers', () => {
  it('never throw on arbitrary bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          nearJson.map((text) => new TextEncoder().encode(text)),
        ),
        (body) => {
          for (const dialect of ['anthropic-messages', 'openai-chat'] as const) {
            expect(parseRequest(dialect, { body, headers: [], allowMedia: true }).kind).toBe('refused');
            expect(['parsed', 'refused']).toContain(parseResponse(dialect, body).kind);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
