import { parseArgs } from 'node:util';

/** What the caller of `npm run image` wants. */
export interface ImageOptions {
  /** An OCI archive, or a reference that buildah can pull; undefined: the base that this tool makes itself. */
  readonly base: string | undefined;
  /** Where archives and `images.values.yaml` go. */
  readonly out: string;
  /** `HOST[:PORT][/PATH]`; undefined: archives only. */
  readonly push: string | undefined;
}

/** A registry and the path in it, as image references begin. */
const REGISTRY = /^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?(?:\/[a-z0-9._-]+)*$/;

/**
 * Reads the words behind `npm run image --`.
 * @param out where archives go when nobody says so
 * @throws Error with one sentence that says what to write
 */
export function parseImageOptions(words: readonly string[], out: string): ImageOptions {
  const usage = 'usage: npm run image -- [--base ARCHIVE.tar|IMAGE] [--out DIR] [--push REGISTRY[/PATH]]';
  const parsed = readWords(words);
  if (parsed === null) throw new Error(usage);
  if (parsed.push !== undefined && !REGISTRY.test(parsed.push))
    throw new Error(`--push takes a registry such as registry.example.org:5000/team; ${usage}`);
  return { base: parsed.base, out: parsed.out ?? out, push: parsed.push };
}

function readWords(words: readonly string[]) {
  try {
    const options = { base: { type: 'string' }, out: { type: 'string' }, push: { type: 'string' } } as const;
    return parseArgs({ args: [...words], options }).values;
  } catch {
    return null;
  }
}

/** Whether a registry is this machine: plain HTTP is spoken with no other. */
export function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?(?:\/|$)/.test(registry);
}
