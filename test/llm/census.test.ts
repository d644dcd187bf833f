import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BLOCKS } from '#llm/anthropic-blocks.ts';
import { RESPONSE_BLOCKS } from '#llm/anthropic-response.ts';
import { DELTAS, EVENTS } from '#llm/anthropic-stream.ts';
import { ANTHROPIC_DELTAS, ANTHROPIC_REQUEST_BLOCKS, ANTHROPIC_RESPONSE_BLOCKS, OPENAI_PARTS } from '#llm/census.ts';
import { ANTHROPIC_TOOLS } from '#llm/features.ts';
import { PARTS, ROLES, TOOL_CALLS, TOOLS } from '#llm/openai-request.ts';
import { RESPONSE_TOOL_CALLS } from '#llm/openai-response.ts';

const root = new URL('../../node_modules/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
const messages = read('@anthropic-ai/sdk/resources/messages/messages.d.ts');
const beta = read('@anthropic-ai/sdk/resources/beta/messages/messages.d.ts');
const chat = read('openai/resources/chat/completions/completions.d.ts');

/** The literals of `tag` in the members of a union of the SDK's types. */
function tagsOf(source: string, union: string, tag = 'type'): readonly string[] {
  const members =
    new RegExp(`export type ${union} = ([^;]+);`)
      .exec(source)?.[1]
      ?.split('|')
      .map((name) => name.trim()) ?? [];
  return members.flatMap((member) => {
    const name = member.split('.').at(-1) ?? '';
    if (new RegExp(`export type ${name} = `).test(source)) return tagsOf(source, name, tag);
    const body = new RegExp(`interface ${name} (?:extends \\w+ )?\\{([^]*?)\\n\\s*\\}\\n`).exec(source)?.[1] ?? '';
    const literals = new RegExp(`^\\s*${tag}\\??: ([^;]+);`, 'm').exec(body)?.[1] ?? '';
    return [...literals.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '');
  });
}

function sorted(values: Iterable<string>): readonly string[] {
  return [...new Set(values)].toSorted();
}

describe('every type that the SDKs know is known here', () => {
  it('content blocks of a Messages request', () => {
    const inner = ['tool_reference', 'browser_state'];
    expect(sorted(Object.keys(ANTHROPIC_REQUEST_BLOCKS))).toEqual(
      sorted([...tagsOf(messages, 'ContentBlockParam'), ...tagsOf(beta, 'BetaContentBlockParam'), ...inner]),
    );
    expect(tagsOf(beta, 'BetaContentBlockParam').length).toBeGreaterThan(20);
  });

  it('content blocks of a Messages answer', () => {
    expect(sorted(Object.keys(ANTHROPIC_RESPONSE_BLOCKS))).toEqual(
      sorted([...tagsOf(messages, 'ContentBlock'), ...tagsOf(beta, 'BetaContentBlock')]),
    );
  });

  it('deltas and events of a Messages stream', () => {
    expect(sorted(Object.keys(ANTHROPIC_DELTAS))).toEqual(
      sorted([...tagsOf(messages, 'RawContentBlockDelta'), ...tagsOf(beta, 'BetaRawContentBlockDelta')]),
    );
    expect(sorted(Object.keys(EVENTS))).toEqual(
      sorted([...tagsOf(beta, 'BetaRawMessageStreamEvent'), 'ping', 'error']),
    );
  });

  it('tools of the Messages API', () => {
    const types = [...tagsOf(messages, 'ToolUnion'), ...tagsOf(beta, 'BetaToolUnion')].filter(
      (type) => type !== 'custom',
    );
    expect(types.length).toBeGreaterThan(20);
    expect(sorted(types.map((type) => type.replace(/_20\d{6}$/, '')))).toEqual(sorted(ANTHROPIC_TOOLS));
  });

  it('parts, roles, tools and tool calls of Chat Completions', () => {
    expect(sorted(Object.keys(OPENAI_PARTS))).toEqual(
      sorted([...tagsOf(chat, 'ChatCompletionContentPart'), 'refusal']),
    );
    expect(sorted(Object.keys(ROLES))).toEqual(sorted(tagsOf(chat, 'ChatCompletionMessageParam', 'role')));
    expect(sorted(Object.keys(TOOLS))).toEqual(sorted(tagsOf(chat, 'ChatCompletionTool')));
    expect(sorted(Object.keys(TOOL_CALLS))).toEqual(sorted(tagsOf(chat, 'ChatCompletionMessageToolCall')));
    expect(sorted(Object.keys(RESPONSE_TOOL_CALLS))).toEqual(sorted(Object.keys(TOOL_CALLS)));
  });
});

it('the census lists what the dialects read', () => {
  expect(sorted(Object.keys(ANTHROPIC_REQUEST_BLOCKS))).toEqual(sorted(Object.keys(BLOCKS)));
  expect(sorted(Object.keys(ANTHROPIC_RESPONSE_BLOCKS))).toEqual(sorted(Object.keys(RESPONSE_BLOCKS)));
  expect(sorted(Object.keys(ANTHROPIC_DELTAS))).toEqual(sorted(Object.keys(DELTAS)));
  expect(sorted(Object.keys(OPENAI_PARTS))).toEqual(sorted(Object.keys(PARTS)));
});
