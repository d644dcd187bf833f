import type { Host } from '#contract/brand.ts';
import { parseAuthority, parseHost } from '#contract/host.ts';
import { parseAddressLiteral } from '../policy/address.ts';
import type { Destination, Sight } from '../policy/connection-decision.ts';
import { looksLikeTls, parseClientHello } from './client-hello.ts';
import { type HttpHead, parseHttpHead, valuesOf } from './http-head.ts';

/** A verdict on first bytes, with the length of a CONNECT head, which is consumed before looking further. */
export interface Sighted {
  readonly sight: Sight;
  readonly headBytes: number;
}

const HTTP_PORT = 80;

/**
 * Says what the first bytes of a connection are.
 * @param bytes everything received so far, at least one byte
 * @returns null while more bytes are needed
 */
export function sightBytes(bytes: Buffer): Sighted | null {
  if (looksLikeTls(bytes)) return sightTls(bytes);
  const outcome = parseHttpHead(bytes);
  if (outcome.state === 'incomplete') return null;
  if (outcome.state === 'other') return { sight: { kind: 'other' }, headBytes: 0 };
  if (outcome.state === 'ambiguous') return { sight: { kind: 'ambiguous', of: 'http' }, headBytes: 0 };
  return { sight: sightRequest(outcome.head), headBytes: outcome.head.bytes };
}

/** What a complete request head asks for; `ambiguous` when its target and its Host disagree. */
export function sightRequest(head: HttpHead): Sight {
  const { method, target } = head;
  const hostField = valuesOf(head.fields, 'host')[0];
  if (method === 'CONNECT') return { kind: 'connect', target: parseDestination(target, null) };
  // Lower-case `connect` is a tunnel to some proxies and an unknown method to others.
  if (method.toUpperCase() === 'CONNECT') return { kind: 'ambiguous', of: 'http' };
  const named = hostField === undefined ? null : parseDestination(hostField, HTTP_PORT);
  if (hostField !== undefined && hostField !== '' && named === null) return { kind: 'ambiguous', of: 'http' };
  if (target.startsWith('/') || target === '*')
    return { kind: 'http', method, path: target, host: hostOf(named), absolute: null };
  const url = /^http:\/\/([^/?#]+)(.*)$/i.exec(target);
  const absolute = url?.[1] === undefined ? null : parseDestination(url[1], HTTP_PORT);
  if (absolute === null || (named !== null && !isSame(named, absolute))) return { kind: 'ambiguous', of: 'http' };
  return {
    kind: 'http',
    method,
    path: url?.[2]?.startsWith('/') ? url[2] : `/${url?.[2] ?? ''}`,
    host: hostOf(absolute),
    absolute,
  };
}

/**
 * Reads `host:port`, `address:port` or `[address]:port`.
 * @param defaultPort used when there is no port; null when one is required (CONNECT, RFC 9110 §9.3.6)
 */
function parseDestination(text: string, defaultPort: number | null): Destination | null {
  const literal = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const port = literal?.[2] === undefined ? defaultPort : Number(literal[2]);
  if (literal?.[1] === undefined || port === null || port < 1 || port > 65_535) return null;
  const address = parseAddressLiteral(literal[1]);
  return address === null ? parseAuthority(text, port) : { address, port };
}

function sightTls(bytes: Buffer): Sighted | null {
  const outcome = parseClientHello(bytes);
  if (outcome.state === 'incomplete') return null;
  if (outcome.state === 'invalid') return { sight: { kind: 'ambiguous', of: 'tls' }, headBytes: 0 };
  const { serverName } = outcome.hello;
  return { sight: { kind: 'tls', host: serverName === null ? null : parseHost(serverName) }, headBytes: 0 };
}

function hostOf(destination: Destination | null): Host | null {
  return destination !== null && 'host' in destination ? destination.host : null;
}

function isSame(one: Destination, other: Destination): boolean {
  const name = (it: Destination): string => ('host' in it ? it.host : it.address);
  return name(one) === name(other) && one.port === other.port;
}
