import type { Draft } from './draft.ts';
import { refuse } from './draft.ts';
import { decodeString, eachElement, kindOf, memberOf, stringOf } from './json-tree.ts';
import type { Fields } from './request.ts';

/** Tools of Anthropic by the base of their type; `name_YYYYMMDD` is the version of `name`. */
export const ANTHROPIC_TOOLS: ReadonlySet<string> = new Set([
  'bash',
  'text_editor',
  'memory',
  'web_search',
  'web_fetch',
  'code_execution',
  'computer',
  'computer_toolset',
  'browser_toolset',
  'tool_search_tool_bm25',
  'tool_search_tool_regex',
  'advisor',
  'mcp_toolset',
]);

const VERSIONED = /^([a-z_0-9]*?)(?:_(20\d{6}))?$/;
/** From this version on, web search and fetch filter their results with code that the model writes. */
const DYNAMIC_FILTERING = '20260209';
/** `name-2025-04-14`, and `claude-code-20250219`, which that client sends. */
const BETA = /^[a-z][a-z0-9-]{0,48}-20\d\d-?\d\d-?\d\d$/;

/**
 * Features of one entry of `tools`: `tool:web_search` without the version, so that a rule for it covers the next one.
 * An unknown type is refused here; an application's own function has no feature.
 */
export function addToolFeatures(draft: Draft, node: number): void {
  const declared = memberOf(draft.tree, node, 'type');
  if (declared === null || kindOf(draft.tree, declared) === 'null') return;
  const type = stringOf(draft.tree, declared);
  if (type === 'custom') return;
  const [, base, version] = VERSIONED.exec(type ?? '') ?? [];
  if (base === undefined || !ANTHROPIC_TOOLS.has(base)) {
    refuse(draft, 'feature_not_covered', 'unknown tool type');
    return;
  }
  draft.features.add(`tool:${base}`);
  if (base.startsWith('web_') && (version ?? '') >= DYNAMIC_FILTERING)
    draft.features.add(`tool:${base}:dynamic_filtering`);
}

/** A tool that model-written code may call is programmatic tool calling, whatever tool it is. */
export function addCallerFeatures(draft: Draft, node: number): void {
  const callers = memberOf(draft.tree, node, 'allowed_callers');
  if (callers === null) return;
  eachElement(draft.tree, callers, (value) => {
    const isDirect = kindOf(draft.tree, value) === 'string' && decodeString(draft.tree, value) === 'direct';
    if (!isDirect) draft.features.add('tool:programmatic_tool_calling');
  });
}

/**
 * Features that header fields switch on: `beta:<flag>` for each flag of each `anthropic-beta` line. A flag that does
 * not look like one is `beta:unknown`, so that a caller cannot write into what is recorded.
 */
export function headerFeatures(headers: Fields): readonly string[] {
  const found = new Set<string>();
  for (const [name, value] of headers) {
    if (name.toLowerCase() === 'openai-beta') found.add('header:openai-beta');
    if (name.toLowerCase() !== 'anthropic-beta') continue;
    for (const part of value.split(',')) {
      const flag = part.trim().toLowerCase();
      if (flag !== '') found.add(BETA.test(flag) ? `beta:${flag}` : 'beta:unknown');
    }
  }
  return [...found];
}
