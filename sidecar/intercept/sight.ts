import type { Host } from '#contract/brand.ts';
import { parseAuthority, parseHost } from '#contract/host.ts';
import { parseAddressLiteral } from '../policy/address.ts';
import type { Destination, Sight } from '../policy/connection-decision.ts';
import { looksLikeTls, parseClientHello } from './client-hello.ts';
import { beginsRequest, type HttpHead, parseHttpHead, valuesOf } from './http-head.ts';
import { HTTP2_PREFACE } from './http2-follower.ts';

/** A verdict on first bytes, with the length of a CONNECT head, which is consumed before looking further. */
export interface Sighted {
  readonly sight: Sight;
  readonly headBytes: number;
  /** The first bytes, when they were the last: they cannot be put back. */
  readonly lastWords?: Buffer;
}

const HTTP_PORT = 80;
/** The first line of the HTTP/2 preface, without its end. */
const HTTP2_LINE = 14;

/**
 * Says what the first bytes of a connection are.
 * @param bytes everything received so far, at least one byte
 * @returns null while more bytes are needed
 */
export function sightBytes(bytes: Buffer): Sighted | null {
  if (looksLikeTls(bytes)) return sightTls(bytes);
  const socks = sightSocks(bytes);
  if (socks !== 'no') return socks === 'incomplete' ? null : { sight: { kind: 'socks' }, headBytes: 0 };
  if (bytes.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE)) return { sight: { kind: 'http2' }, headBytes: 0 };
  if (bytes.length > HTTP2_LINE && beginsHttp2(bytes)) return null;
  const outcome = parseHttpHead(bytes);
  if (outcome.state === 'incomplete') return null;
  if (outcome.state === 'other') return { sight: { kind: 'other' }, headBytes: 0 };
  if (outcome.state === 'ambiguous') return { sight: { kind: 'ambiguous', of: 'http' }, headBytes: 0 };
  return { sight: sightRequest(outcome.head), headBytes: outcome.head.bytes };
}

/**
 * Whether first bytes that `sightBytes` cannot name yet are no more than the beginning of a line: what a text protocol without line ends
 * says, and a request that was cut within its first line.
 */
export function isUnfinishedLine(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').replace(/^[\r\n]+/, '');
  return !looksLikeTls(bytes) && sightSocks(bytes) === 'no' && !text.includes('\n') && beginsRequest(text);
}

/** Whether bytes are the beginning of HTTP/2's preface, the one thing that a client says to a server of HTTP that spoke first. */
export function beginsHttp2(bytes: Buffer): boolean {
  return HTTP2_PREFACE.subarray(0, bytes.length).equals(bytes);
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

const SOCKS4_BYTES = 9;

/**
 * Whether a connection begins as one to a SOCKS proxy does: the greeting of version 5 (RFC 1928 §3), or a request of
 * version 4, which ends with a zero byte. Other protocols begin with these bytes too, so all of it must fit exactly.
 */
function sightSocks(bytes: Buffer): 'yes' | 'no' | 'incomplete' {
  const [version, count] = bytes;
  if (version !== 5 && version !== 4) return 'no';
  if (count === undefined) return 'incomplete';
  if (version === 5) {
    const methods = bytes.subarray(2);
    const fits = count > 0 && methods.length <= count && methods.every((method) => method <= 9 || method >= 0x80);
    return !fits ? 'no' : methods.length === count ? 'yes' : 'incomplete';
  }
  if (count !== 1 && count !== 2) return 'no';
  if (bytes.length < SOCKS4_BYTES) return 'incomplete';
  return bytes.readUInt16BE(2) !== 0 && bytes.at(-1) === 0 ? 'yes' : 'no';
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
