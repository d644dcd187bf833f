import { createHash } from 'node:crypto';
import { LIMIT } from '#contract/limit.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { SigningKeys } from '../ports.ts';

/**
 * What tells one bundle from another: the policy, the epoch and keys, and when it was signed. The revision is no part of it: it
 * grows with every write to a resource, our own writes of status among them, and a policy that stayed the same is not sent again.
 */
export interface BundleTag {
  /** Equal for bundles that say the same. */
  readonly content: string;
  /** Ms since the epoch. */
  readonly issuedAt: number;
}

/** The part of the tag that stands for policy and keys. */
export function contentTag(compiled: CompiledPolicy, keys: SigningKeys): string {
  return `${compiled.digest}.${keyTag(keys)}`;
}

const KEY_TAGS = new WeakMap<SigningKeys, string>();

function keyTag(keys: SigningKeys): string {
  const known = KEY_TAGS.get(keys);
  if (known !== undefined) return known;
  const { epoch, currentKid, next } = keys;
  const tag = createHash('sha256')
    .update(JSON.stringify([epoch, currentKid, next?.x, next?.y]))
    .digest('base64url');
  KEY_TAGS.set(keys, tag.slice(0, 16));
  return tag.slice(0, 16);
}

/** The tag as `etag` has it (RFC 9110 §8.8.3). */
export function formatTag({ content, issuedAt }: BundleTag): string {
  return `"${content}.${issuedAt.toString(36)}"`;
}

/**
 * Reads the tag that a caller gives back.
 * @returns null when it is none of ours, or says a time that has not come: such a caller is answered as one that has nothing
 */
export function parseTag(text: string | undefined, now: number): BundleTag | null {
  const [, content, time] = /^"([\w-]{43}\.[\w-]{16})\.([0-9a-z]{1,9})"$/.exec(text ?? '') ?? [];
  if (content === undefined || time === undefined) return null;
  const issuedAt = Number.parseInt(time, 36);
  return issuedAt <= now + LIMIT.clockSkewMs ? { content, issuedAt } : null;
}
