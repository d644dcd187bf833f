import type { Fields } from '../exchange/ports.ts';
import { LIMIT } from '#contract/limit.ts';

/** How many bytes follow a request's head (RFC 9112 §6.3). */
export type BodyFraming = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

/** One HTTP/1 request head, unambiguous. */
export interface HttpHead {
  readonly method: string;
  /** As received: origin, absolute, authority or asterisk form. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  readonly fields: Fields;
  readonly framing: BodyFraming;
  /** The protocols asked for with `upgrade`, in lower case; null when there is none. */
  readonly upgrade: string | null;
  /** Length of the head with the blank line that ends it and any blank lines before it. */
  readonly bytes: number;
}

export type HeadOutcome =
  | { readonly state: 'complete'; readonly head: HttpHead }
  | { readonly state: 'incomplete' }
  /** These bytes are HTTP to some server, but not to every server the same request. */
  | { readonly state: 'ambiguous' }
  /** No HTTP/1 request begins so. */
  | { readonly state: 'other' };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_START = /^[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}(?:[ \t]|$)|$)/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e]+) HTTP\/1\.([01])$/;
/** What a forgiving server still takes for a request line: many split at any white space. */
const LOOSE_REQUEST_LINE = /^\s*[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s[^\n]*[\s\0]HTTP\/\d+(?:\.\d+)?\s*$/i;
const AMBIGUOUS: HeadOutcome = { state: 'ambiguous' };
const INCOMPLETE: HeadOutcome = { state: 'incomplete' };

/**
 * Parses the HTTP/1 request head at the beginning of `bytes` (RFC 9112 §2–§6), strictly: what two servers could read differently
 * is `ambiguous`. Never throws; bounded by `LIMIT.headerBytes`.
 * @param bytes everything received so far
 */
export function parseHttpHead(bytes: Buffer): HeadOutcome {
  const start = skipBlankLines(bytes);
  const lineEnd = bytes.indexOf(10, start);
  if (lineEnd === -1 || lineEnd - start > LIMIT.headerBytes) return startOnly(bytes.subarray(start));
  const line = bytes.toString('latin1', start, lineEnd);
  const parts = line.endsWith('\r') ? REQUEST_LINE.exec(line.slice(0, -1)) : null;
  if (parts === null) return isRequestLine(line) ? AMBIGUOUS : { state: 'other' };
  const end = bytes.indexOf('\r\n\r\n', lineEnd - 1, 'latin1');
  if ((end === -1 ? bytes.length : end) - start > LIMIT.headerBytes) return AMBIGUOUS;
  if (end === -1) return hasBareNewline(bytes, lineEnd) ? AMBIGUOUS : INCOMPLETE;
  const text = end < lineEnd ? '' : bytes.toString('latin1', lineEnd + 1, end);
  const fields = parseFields(text);
  const [, method = '', target = '', minor] = parts;
  const framing = fields === null ? null : framingOf(fields, minor === '1' ? 1 : 0);
  if (fields === null || framing === null) return AMBIGUOUS;
  const upgrade = valuesOf(fields, 'upgrade').join(',').toLowerCase() || null;
  return {
    state: 'complete',
    head: { method, target, minorVersion: minor === '1' ? 1 : 0, fields, framing, upgrade, bytes: end + 4 },
  };
}

/** All values of a field, in order. @param name in lower case */
export function valuesOf(fields: Fields, name: string): readonly string[] {
  return fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** Servers skip empty lines before a request (RFC 9112 §2.2), many any CR and LF, so they hide nothing from us either. */
function skipBlankLines(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) at += 1;
  return at;
}

/** Whether a request of HTTP/1 can begin with this text, which has no end of a line and no empty lines before it. */
export function beginsRequest(text: string): boolean {
  return REQUEST_START.test(text.slice(0, 40));
}

/** Whether some server takes a line, without its line feed, for the first one of a request. */
export function isRequestLine(line: string): boolean {
  return LOOSE_REQUEST_LINE.test(line);
}

function startOnly(bytes: Buffer): HeadOutcome {
  if (!beginsRequest(bytes.toString('latin1', 0, 40))) return { state: 'other' };
  return bytes.length > LIMIT.headerBytes ? AMBIGUOUS : INCOMPLETE;
}

/** A line that ends without CR, seen before the head is complete: some servers would take the head as complete. */
function hasBareNewline(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(10, from); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] !== 13) return true;
  }
  return false;
}

function parseFields(text: string): Fields | null {
  if (text === '') return [];
  const fields: [string, string][] = [];
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    // Folded lines, spaces before the colon, bare CR or LF and NUL are read differently by different servers (RFC 9112 §5).
    if (!TOKEN.test(name) || /[\r\n\0]/.test(line)) return null;
    fields.push([name, line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
  return fields;
}

/** @returns null when length and coding contradict, repeat or are not exactly defined (RFC 9112 §6.1, §6.3) */
function framingOf(fields: Fields, minorVersion: 0 | 1): BodyFraming | null {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (valuesOf(fields, 'host').length > 1) return null;
  if (codings.length > 0) {
    const chunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    return chunked && lengths.length === 0 && minorVersion === 1 ? { kind: 'chunked' } : null;
  }
  const [length = '0'] = lengths;
  return lengths.length <= 1 && /^\d{1,15}$/.test(length) ? { kind: 'length', bytes: Number(length) } : null;
}
