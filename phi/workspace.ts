import { LIMIT } from '#contract/limit.ts';
import { createTokens, roomOf, type Tokens } from './tokens.ts';

/**
 * Arrays that one examination fills and the next may use again: to allocate and free them costs more than to examine a prompt.
 * What they hold of the text before is hashes and offsets, never its characters, and nothing reads behind `tokens.count`.
 */
export interface Workspace {
  readonly tokens: Tokens;
  /** One byte for the low bits of each learnt word's hash; all 0 at the beginning. */
  readonly sieve: Uint8Array;
}

/** A power of two. */
export const SIEVE = 4_096;
const MIN_TOKENS = 1_024;

let kept: Workspace | undefined;

/** @param size tokens expected. An examination inside another one (base64) gets arrays of its own. */
export function takeWorkspace(size: number): Workspace {
  const workspace = kept ?? { tokens: createTokens(Math.max(MIN_TOKENS, size)), sieve: new Uint8Array(SIEVE) };
  kept = undefined;
  workspace.tokens.count = 0;
  workspace.sieve.fill(0);
  return workspace;
}

/** Gives the arrays back; after this nobody may look at them. Large ones are freed. */
export function giveWorkspace(workspace: Workspace): void {
  if (roomOf(workspace.tokens) <= LIMIT.keptTokens) kept = workspace;
}
