import type { Host } from '#contract/brand.ts';
import { parseAuthority } from '#contract/host.ts';
import type { ConnectionFacts, Fields } from '../exchange/ports.ts';
import { valuesOf } from './http-head.ts';

/** What of a request is let through to be examined. */
export interface CheckedRequest {
  readonly method: string;
  /** Origin form. */
  readonly target: string;
  readonly headers: Fields;
}

/** A fault names the rule from a closed list; it becomes `protocol_not_allowed`. */
export type CheckOutcome = { readonly ok: CheckedRequest } | { readonly fault: string };

/** Fields that speak about one connection (RFC 9110 §7.6.1), and what is answered here. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  'host',
]);

/** Node's flat list of names and values as pairs. */
export function pairFields(flat: readonly string[]): Fields {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) fields.push([flat[at] ?? '', flat[at + 1] ?? '']);
  return fields;
}

/**
 * Checks an HTTP/1 request that Node's parser has accepted for what that parser lets pass (two Host fields, a target with another
 * authority, codings before `chunked`, chunks in HTTP/1.0), and takes hop-by-hop fields away.
 */
export function checkHttp1(
  request: { readonly method: string; readonly url: string; readonly version: string; readonly fields: Fields },
  facts: ConnectionFacts,
): CheckOutcome {
  const { method, version, fields } = request;
  // Node's parser also takes 0.9 and 2.0 for versions of this protocol.
  if (version !== '1.1' && version !== '1.0') return { fault: 'version' };
  const hosts = valuesOf(fields, 'host');
  if (hosts.length !== 1) return { fault: 'host' };
  if (!isOwnAuthority(hosts[0] ?? '', facts)) return { fault: 'authority' };
  const target = originForm(request.url, facts);
  if (target === null) return { fault: 'target' };
  if (method === 'CONNECT') return { fault: 'connect' };
  if (valuesOf(fields, 'upgrade').length > 0) return { fault: 'upgrade' };
  const codings = valuesOf(fields, 'transfer-encoding');
  const plainChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked' && version === '1.1';
  if (codings.length > 0 && !plainChunked) return { fault: 'transfer-encoding' };
  if (codings.length > 0 && valuesOf(fields, 'content-length').length > 0) return { fault: 'framing' };
  if (valuesOf(fields, 'content-length').length > 1) return { fault: 'framing' };
  if (hasControl(fields)) return { fault: 'field' };
  return { ok: { method, target, headers: endToEnd(fields) } };
}

/**
 * Checks an HTTP/2 request (RFC 9113 §8.2, §8.3). nghttp2 refuses most of this by itself; these checks stand without it.
 * @param fields all fields in order, pseudo fields included
 */
export function checkHttp2(fields: Fields, facts: ConnectionFacts): CheckOutcome {
  const pseudo = pseudoFields(fields);
  if (pseudo === null) return { fault: 'pseudo' };
  const { method = '', path = '', scheme, authority } = pseudo;
  if (method === 'CONNECT') return { fault: 'connect' };
  if (scheme !== (facts.secure ? 'https' : 'http')) return { fault: 'scheme' };
  const regular = fields.filter(([name]) => !name.startsWith(':'));
  const hosts = valuesOf(regular, 'host');
  const named = authority ?? hosts[0];
  if (named === undefined || hosts.length > 1) return { fault: 'host' };
  if (!isOwnAuthority(named, facts) || (hosts[0] !== undefined && !isOwnAuthority(hosts[0], facts)))
    return { fault: 'authority' };
  if (!path.startsWith('/') || !isTarget(path)) return { fault: 'target' };
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) return { fault: 'method' };
  const lengths = valuesOf(regular, 'content-length');
  if (lengths.length > 1 || (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0]))) return { fault: 'framing' };
  const specific = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];
  if (regular.some(([name]) => specific.includes(name) || name !== name.toLowerCase()))
    return { fault: 'connection-specific' };
  if (valuesOf(regular, 'te').some((value) => value.toLowerCase() !== 'trailers')) return { fault: 'te' };
  if (hasControl(regular)) return { fault: 'field' };
  return { ok: { method, target: path, headers: joinCookies(endToEnd(regular)) } };
}

/** Fields of an answer that framing and the connection decide, not the handler. */
export function answerFields(headers: Fields): Fields {
  return endToEnd(headers).filter(([name]) => name.toLowerCase() !== 'content-length');
}

interface PseudoFields {
  readonly method?: string;
  readonly path?: string;
  readonly scheme?: string;
  readonly authority?: string;
}

/** @returns null when one is repeated, unknown, or stands after a regular field */
function pseudoFields(fields: Fields): PseudoFields | null {
  const found = new Map<string, string>();
  let regular = false;
  for (const [name, value] of fields) {
    if (!name.startsWith(':')) regular = true;
    else if (regular || found.has(name) || !/^:(?:method|path|scheme|authority)$/.test(name)) return null;
    else found.set(name, value);
  }
  return Object.fromEntries([...found].map(([name, value]) => [name.slice(1), value]));
}

function endToEnd(fields: Fields): Fields {
  const named = valuesOf(fields, 'connection').flatMap((value) =>
    value.split(',').map((name) => name.trim().toLowerCase()),
  );
  return fields.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !named.includes(name.toLowerCase()));
}

/** HTTP/1 knows one Cookie field only (RFC 9113 §8.2.3). */
function joinCookies(fields: Fields): Fields {
  const cookies = valuesOf(fields, 'cookie');
  if (cookies.length < 2) return fields;
  return [...fields.filter(([name]) => name !== 'cookie'), ['cookie', cookies.join('; ')]];
}

function isOwnAuthority(text: string, facts: ConnectionFacts): boolean {
  const authority = parseAuthority(text, facts.secure ? 443 : 80);
  return authority !== null && isOwn(authority, facts);
}

function isOwn(authority: { readonly host: Host; readonly port: number }, facts: ConnectionFacts): boolean {
  return authority.host === facts.host && authority.port === facts.port;
}

/** A target in absolute form that names this very connection is what proxies send; anything else is another place's. */
function originForm(url: string, facts: ConnectionFacts): string | null {
  if (!isTarget(url)) return null;
  if (url.startsWith('/')) return url;
  const absolute = /^(https?):\/\/([^/?#]+)([/?].*)?$/i.exec(url);
  const scheme = facts.secure ? 'https' : 'http';
  if (absolute?.[2] === undefined || absolute[1]?.toLowerCase() !== scheme || !isOwnAuthority(absolute[2], facts))
    return null;
  const rest = absolute[3] ?? '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Visible ASCII without a fragment: what else a target holds, servers read differently. */
function isTarget(text: string): boolean {
  return /^[\x21\x22\x24-\x7e]+$/.test(text);
}

function hasControl(fields: Fields): boolean {
  return fields.some(([, value]) => /[\r\n\0]/.test(value));
}
