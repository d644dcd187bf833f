import type { DialectId } from '#llm/dialect.ts';
import { parseRequest } from '#llm/parse-request.ts';
import type { Fields, ParsedRequest } from '#llm/request.ts';
import { bytes } from './bytes.ts';

interface Extra {
  readonly allowMedia?: boolean;
  readonly headers?: Fields;
}

/** Parses a body that must be readable. */
export function requestOf(dialect: DialectId, body: unknown, extra: Extra = {}): ParsedRequest {
  const parse = parseRequest(dialect, {
    body: bytes(body),
    headers: extra.headers ?? [],
    allowMedia: extra.allowMedia ?? false,
  });
  if (parse.kind === 'refused') throw new Error(`refused: ${parse.refusal.reason} at ${parse.refusal.where ?? ''}`);
  return parse.request;
}

/** Parses a body that must be refused. @returns `reason at where` */
export function refusalOf(dialect: DialectId, body: unknown, extra: Extra = {}): string {
  const parse = parseRequest(dialect, {
    body: body instanceof Uint8Array ? body : bytes(body),
    headers: extra.headers ?? [],
    allowMedia: extra.allowMedia ?? false,
  });
  return parse.kind === 'parsed' ? 'parsed' : `${parse.refusal.reason} at ${parse.refusal.where ?? ''}`;
}

/** @returns the smallest Anthropic body around a message's content */
export function anthropic(content: unknown, rest: object = {}): object {
  return { model: 'claude-sonnet-5', max_tokens: 64, messages: [{ role: 'user', content }], ...rest };
}

/** @returns the smallest Chat Completions body around messages */
export function chat(messages: readonly unknown[], rest: object = {}): object {
  return { model: 'gpt-5', messages, ...rest };
}

/** @returns every text that the guard examines: sites, locked texts, schema texts */
export function examined(request: ParsedRequest): string {
  return JSON.stringify([request.sites.map((site) => site.text), request.locked, request.schemaTexts]);
}
