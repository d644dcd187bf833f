import { parseHost } from './host.ts';

/**
 * Whether a host pattern of policy is well formed: a name in normal form, or `*.` and a name of two labels or more,
 * so that no entry covers a whole top-level domain.
 */
export function isHostPattern(text: string): boolean {
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return parseHost(name) === name && (name === text || name.includes('.'));
}

/** Whether every host that `inner` covers is covered by `outer` too. */
export function hostPatternCovers(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  return outer.startsWith('*.') && inner.endsWith(outer.slice(1)) && inner.length > outer.length - 1;
}

const SEGMENT = /^(\*|[A-Za-z0-9._~!$&'()+,;=:@-]+)$/;

/** Whether an operation is well formed: a method and a path, `*` standing for exactly one whole path segment. */
export function isOperation(text: string): boolean {
  const path = /^[A-Z]+ \/(.*)$/.exec(text)?.[1];
  if (path === undefined || path === '') return path === '';
  return path.split('/').every((part) => SEGMENT.test(part) && part !== '.' && part !== '..');
}

/**
 * Whether an operation pattern covers a request. Text is compared as it was sent: a path that would need decoding or
 * dot removal first (RFC 3986 §6.2.2) is not covered, because the provider may read it in another way.
 * @param path the path as received, without the query
 */
export function operationMatches(pattern: string, method: string, path: string): boolean {
  const at = pattern.indexOf(' ');
  if (pattern.slice(0, at) !== method) return false;
  const want = pattern.slice(at + 1).split('/');
  const have = path.split('/');
  return (
    want.length === have.length && want.every((part, i) => (part === '*' ? isPlainSegment(have[i]) : part === have[i]))
  );
}

function isPlainSegment(text: string | undefined): boolean {
  return text !== undefined && text !== '' && text !== '.' && text !== '..' && !/%2f|%5c|\\/i.test(text);
}

/**
 * Whether a glob covers a text; `*` stands for any characters, none included, and nothing else is special.
 * Linear in the text for each `*`, whatever the text holds.
 */
export function globMatches(glob: string, text: string): boolean {
  const parts = glob.split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return text === glob;
  const last = parts[parts.length - 1] ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** @returns the first of the globs that covers the text, or null */
export function firstGlob(globs: readonly string[], text: string): string | null {
  return globs.find((glob) => globMatches(glob, text)) ?? null;
}
