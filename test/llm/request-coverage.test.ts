import { describe, expect, it } from 'vitest';
import { parseRequest } from '#llm/parse-request.ts';
import { bytes } from './bytes.ts';
import { fullAnthropic, fullChat, mediaAnthropic, mediaChat } from './full-request.ts';
import { examined, requestOf } from './request-of.ts';

type Path = readonly (string | number)[];

function leaves(value: unknown, path: Path = []): readonly { readonly path: Path; readonly isKey: boolean }[] {
  if (typeof value === 'string') return [{ path, isKey: false }];
  if (Array.isArray(value)) return value.flatMap((item, index) => leaves(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    { path: [...path, key], isKey: true },
    ...leaves(item, [...path, key]),
  ]);
}

/** A copy in which the string (or the key) at `path` is the canary. */
function planted(body: unknown, path: Path, isKey: boolean): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return CANARY;
  if (Array.isArray(body))
    return body.map((item: unknown, index) => (index === step ? planted(item, rest, isKey) : item));
  return Object.fromEntries(
    Object.entries(body as Record<string, unknown>).map(([key, item]) => {
      if (key !== step) return [key, item];
      return isKey && rest.length === 0 ? [CANARY, item] : [key, planted(item, rest, isKey)];
    }),
  );
}

const CANARY = 'Zoe Canary, 078-05-1120';

describe.each([
  ['anthropic-messages', fullAnthropic],
  ['openai-chat', fullChat],
  ['anthropic-messages', mediaAnthropic],
  ['openai-chat', mediaChat],
] as const)('%s', (dialect, body) => {
  const all = leaves(body).map((leaf) => [`${leaf.isKey ? 'key' : 'text'} ${leaf.path.join('.')}`, leaf] as const);
  it.each(all)('T18, T22: %s is examined or the request is refused', (_, leaf) => {
    const canary = planted(body, leaf.path, leaf.isKey);
    const parse = parseRequest(dialect, { body: bytes(canary), headers: [], allowMedia: true });
    if (parse.kind === 'refused') expect(parse.refusal.where ?? '').not.toContain('Zoe');
    else {
      expect(examined(parse.request)).toContain('Zoe Canary');
      expect(parse.request.features.join()).not.toContain('Zoe');
    }
  });
});

describe.each([
  ['anthropic-messages', fullAnthropic],
  ['openai-chat', fullChat],
] as const)('%s', (dialect, full) => {
  it('a request that uses everything is read', () => {
    expect(requestOf(dialect, full).sites.length).toBeGreaterThan(15);
  });

  it('T18: rewriting every site leaves no trace of what stood there', () => {
    const request = requestOf(dialect, full);
    const sent = new TextDecoder().decode(
      request.rewrite(request.sites.map((site) => (site.format === 'json' ? '{"x":"S"}' : 'S'))),
    );
    const again = requestOf(dialect, JSON.parse(sent));
    expect(again.sites.filter((site) => site.text !== 'S' && site.text !== '{"x":"S"}')).toEqual([]);
    expect(again.sites.length).toBe(request.sites.length);
  });

  it('T32: sites come in the order system, tools, messages, the rest, whatever the order of the body', () => {
    const ordinals = requestOf(dialect, full).sites.map((site) => site.message);
    const inMessages = ordinals.filter((ordinal) => ordinal > 0);
    expect(inMessages).toEqual(inMessages.toSorted((a, b) => a - b));
    const first = ordinals.findIndex((ordinal) => ordinal > 0);
    expect(ordinals.slice(first, first + inMessages.length)).toEqual(inMessages);
    const turned = Object.fromEntries(Object.entries(full).toReversed());
    expect(requestOf(dialect, turned).sites).toEqual(requestOf(dialect, full).sites);
  });
});
