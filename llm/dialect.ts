/** The API shapes that Lazaret reads completely. */
export type DialectId = 'anthropic-messages' | 'openai-chat';

/** One operation of a dialect. */
export interface Operation {
  readonly dialect: DialectId;
  /** Method and path as agreements list them. */
  readonly endpoint: string;
}

/** Whose error shape a client of a host understands. */
export type Family = 'anthropic' | 'openai' | 'plain';

const OPERATIONS: Readonly<Record<string, Operation & { readonly queries: readonly string[] }>> = {
  'POST /v1/messages': { dialect: 'anthropic-messages', endpoint: 'POST /v1/messages', queries: ['beta=true'] },
  'POST /v1/chat/completions': { dialect: 'openai-chat', endpoint: 'POST /v1/chat/completions', queries: [] },
};

/**
 * Names the operation that a request asks for. Paths are compared as they stand: what a server might take for the same
 * path (a trailing slash, escapes, another case) is not, and a query that the API does not define is no operation.
 * @param method HTTP method
 * @param target origin form: path and query
 * @returns null for everything that no dialect reads; the caller refuses it on a known LLM host
 */
export function dialectFor(method: string, target: string): Operation | null {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const key = `${method} ${path}`;
  const known = Object.hasOwn(OPERATIONS, key) ? OPERATIONS[key] : undefined;
  if (known === undefined) return null;
  if (mark >= 0 && !known.queries.includes(target.slice(mark + 1))) return null;
  return { dialect: known.dialect, endpoint: known.endpoint };
}

const OPENAI_PATH =
  /^\/(?:[a-z0-9._-]+\/){0,3}(?:chat\/completions|completions|responses|embeddings|moderations|models|files|images|audio|batches|assistants|threads|vector_stores|realtime|conversations)(?:[/?]|$)/;
const ANTHROPIC_PATH = /^\/(?:[a-z0-9._-]+\/){0,2}v1\/(?:messages|complete|skills)(?:[/?]|$)/;

/** @returns the error shape that a client of this host and path understands */
export function familyFor(host: string, target: string): Family {
  if (host === 'api.anthropic.com' || ANTHROPIC_PATH.test(target)) return 'anthropic';
  return host === 'api.openai.com' || host.endsWith('.api.openai.com') || OPENAI_PATH.test(target) ? 'openai' : 'plain';
}
