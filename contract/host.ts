import type { Host } from './brand.ts';

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * Brings a host name to normal form (RFC 1035 §2.3.1, RFC 5891: A-labels only).
 * @param text a name as it stands in SNI, `Host` or `:authority`, without a port
 * @returns the name in lower case without trailing dot, or null for an address literal, an empty or a malformed name
 */
export function parseHost(text: string): Host | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length === 0 || name.length > 253) return null;
  const labels = name.split('.');
  if (!labels.every((label) => LABEL.test(label))) return null;
  // A last label of digits is an IPv4 literal to every URL parser (WHATWG URL §3.5), whatever stands before it.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels[labels.length - 1] ?? '')) return null;
  return name as Host;
}

/** `host` or `host:port` as in an HTTP authority (RFC 9110 §7.2). @returns null when it is not exactly that. */
export function parseAuthority(
  text: string,
  defaultPort: number,
): { readonly host: Host; readonly port: number } | null {
  const match = /^([^:@/?#[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] === undefined ? null : parseHost(match[1]);
  if (host === null) return null;
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}

/**
 * Whether a pattern covers a host: an exact name, or `*.x` for one or more labels below x, never x itself.
 */
export function hostMatches(pattern: string, host: Host): boolean {
  return pattern.startsWith('*.')
    ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
    : host === pattern;
}
