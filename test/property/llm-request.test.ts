import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseRequest } from '#llm/parse-request.ts';
import { scanJson } from '#llm/json-scan.ts';
import { bytes, text } from '#test/llm/bytes.ts';
import { anthropic, chat, examined, requestOf } from '#test/llm/request-of.ts';
import { fullAnthropic, fullChat } from '#test/llm/full-request.ts';

const FULL = [
  ['anthropic-messages', fullAnthropic],
  ['openai-chat', fullChat],
] as const;

/** Writes a value as JSON in one of the ways that JSON allows: escapes and white space anywhere. */
function spelled(value: unknown, choices: readonly number[]): string {
  let at = 0;
  const next = (bound: number): number => {
    at += 1;
    return (choices[at % choices.length] ?? 0) % bound;
  };
  const space = (): string => ['', '', ' ', '\n', '\t\r\n'][next(5)] ?? '';
  const unit = (letter: string): string =>
    next(4) === 0 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(letter).slice(1, -1);
  const write = (item: unknown): string => {
    if (typeof item === 'string') return `"${item.split('').map(unit).join('')}"`;
    if (Array.isArray(item)) return `[${space()}${item.map((inner) => space() + write(inner) + space()).join(',')}]`;
    if (typeof item !== 'object' || item === null) return JSON.stringify(item);
    const members = Object.entries(item).map(
      ([key, inner]) => `${space()}${write(key)}${space()}:${space()}${write(inner)}${space()}`,
    );
    return `{${members.join(',')}}`;
  };
  return space() + write(value) + space();
}

it('the original texts give the original bytes, however the body is spelled', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { minLength: 5, maxLength: 50 }),
      fc.constantFrom(...FULL),
      (choices, [dialect, full]) => {
        const raw = spelled(full, choices);
        const request = requestOf(dialect, raw);
        expect(text(request.rewrite(request.sites.map((site) => site.text)))).toBe(raw);
        expect(request.sites.filter((site) => site.format === 'text')).toEqual(
          requestOf(dialect, full).sites.filter((site) => site.format === 'text'),
        );
      },
    ),
    { numRuns: 60 },
  );
});

it('any text comes out as it was put in, and the rest of the body stays equal', () => {
  const unicode = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', '\\', '\n', '\u0000', '\u2028', '😀', 'é', '/'),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(unicode, unicode, fc.json(), (before, after, json) => {
      const input = JSON.stringify(JSON.parse(json));
      const body = { ...anthropic([{ type: 'text', text: `a${before}` }]), system: 's' };
      const request = requestOf('anthropic-messages', body);
      expect(request.sites[1]?.text).toBe(`a${before}`);
      expect(JSON.parse(text(request.rewrite(['s', after])))).toEqual({
        ...anthropic([{ type: 'text', text: after }]),
        system: 's',
      });
      const call = (value: string): object => ({
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: value } }],
      });
      const args = requestOf('openai-chat', chat([call('{"a":1}')]));
      expect(JSON.parse(text(args.rewrite([input])))).toEqual(chat([call(input)]));
    }),
  );
});

it('T27: any JSON value in any place is examined or refused', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>([{ type: 'text', text: 7 }], { type: 'text', text: 'x' }),
  );
  const place = fc.constantFrom(
    'system',
    'tools',
    'messages',
    'metadata',
    'stop',
    'stop_sequences',
    'user',
    'tool_choice',
    'thinking',
    'new_field',
  );
  fc.assert(
    fc.property(value, place, fc.constantFrom(...FULL), (planted, field, [dialect, full]) => {
      const canary = 'Zoe 078-05-1120';
      const marked = JSON.parse(JSON.stringify(planted), (_, item: unknown) =>
        typeof item === 'string' ? `${canary}${item}` : item,
      ) as unknown;
      const parse = parseRequest(dialect, { body: bytes({ ...full, [field]: marked }), headers: [], allowMedia: true });
      if (parse.kind === 'refused' || !JSON.stringify(marked).includes(canary)) return;
      expect(examined(parse.request)).toContain(canary);
    }),
    { numRuns: 600 },
  );
});

it('a body cut off anywhere is refused', () => {
  const whole = bytes(fullChat);
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), (cut) => {
      expect(parseRequest('openai-chat', { body: whole.subarray(0, cut), headers: [], allowMedia: true }).kind).toBe(
        'refused',
      );
      expect(scanJson(text(whole.subarray(0, cut))).kind).toBe('fault');
    }),
  );
});
