import { LIMIT } from '#contract/limit.ts';

/** What a ClientHello says in clear. */
export interface ClientHello {
  /** The host_name of server_name as sent (RFC 6066 §3); null when there is none. */
  readonly serverName: string | null;
  /** ALPN protocols in the client's order (RFC 7301 §3.1). */
  readonly alpn: readonly string[];
  /** Whether encrypted_client_hello is present; real or GREASE cannot be told apart, so it decides nothing. */
  readonly ech: boolean;
}

export type HelloOutcome =
  | { readonly state: 'complete'; readonly hello: ClientHello }
  | { readonly state: 'incomplete' }
  | { readonly state: 'invalid' };

const INVALID: HelloOutcome = { state: 'invalid' };
const INCOMPLETE: HelloOutcome = { state: 'incomplete' };
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;
/** RFC 8446 §5.1: at most 2^14 bytes of plaintext in one record. */
const RECORD_BYTES = 1 << 14;
const SERVER_NAME = 0;
const ALPN = 16;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/** Whether bytes can be the beginning of a TLS handshake record (RFC 8446 §5.1). */
export function looksLikeTls(bytes: Uint8Array): boolean {
  return bytes[0] === HANDSHAKE && (bytes.length < 2 || bytes[1] === 3);
}

/**
 * Parses the ClientHello at the beginning of a TLS connection, however it was cut into records and segments
 * (RFC 8446 §4.1.2, §5.1). Never throws; holds nothing.
 * @param bytes everything received so far
 * @returns `invalid` for what no ClientHello of at most `LIMIT.clientHelloBytes` begins with
 */
export function parseClientHello(bytes: Uint8Array): HelloOutcome {
  if (bytes.length > 0 && !looksLikeTls(bytes)) return INVALID;
  const message = reassemble(bytes);
  if (message === 'invalid') return INVALID;
  if (message === 'incomplete') return bytes.length >= LIMIT.clientHelloBytes ? INVALID : INCOMPLETE;
  const hello = parseMessage(message);
  return hello === null ? INVALID : { state: 'complete', hello };
}

/** Joins the fragments of the first handshake message. @returns its body, without the four bytes of its header */
function reassemble(bytes: Uint8Array): Uint8Array | 'incomplete' | 'invalid' {
  const parts: Uint8Array[] = [];
  let have = 0;
  let need = Number.POSITIVE_INFINITY;
  for (let at = 0; have < need; ) {
    const header = bytes.subarray(at, at + RECORD_HEADER);
    if ((header.length > 0 && header[0] !== HANDSHAKE) || (header.length > 1 && header[1] !== 3)) return 'invalid';
    if (header.length < RECORD_HEADER) return 'incomplete';
    const length = ((header[3] ?? 0) << 8) | (header[4] ?? 0);
    // Handshake fragments are never empty (RFC 8446 §5.1); an endless row of empty ones would stall the parser.
    if (length === 0 || length > RECORD_BYTES) return 'invalid';
    const fragment = bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length);
    parts.push(fragment);
    have += fragment.length;
    if (need === Number.POSITIVE_INFINITY && have > 0) {
      const head = joinStart(parts, 4);
      if (head[0] !== CLIENT_HELLO) return 'invalid';
      if (head.length === 4) need = 4 + (((head[1] ?? 0) << 16) | ((head[2] ?? 0) << 8) | (head[3] ?? 0));
      if (need > LIMIT.clientHelloBytes && need !== Number.POSITIVE_INFINITY) return 'invalid';
    }
    if (fragment.length < length) return have >= need ? 'invalid' : 'incomplete';
    at += RECORD_HEADER + length;
  }
  // A record must not hold bytes after the ClientHello: the client has nothing to say yet (RFC 8446 §5.1).
  return have === need ? joinStart(parts, need).subarray(4) : 'invalid';
}

function joinStart(parts: readonly Uint8Array[], length: number): Uint8Array {
  const first = parts[0];
  if (first !== undefined && first.length >= length) return first.subarray(0, length);
  return Buffer.concat(parts).subarray(0, length);
}

/** Reads vectors in order; `failed` once a length leaves the message, and every later read is empty. */
class Reader {
  failed = false;
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.failed ? 0 : this.bytes.length - this.at;
  }
  take(length: number): Uint8Array {
    if (this.failed || length > this.bytes.length - this.at) {
      this.failed = true;
      return new Uint8Array(0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  number(size: 1 | 2): number {
    return this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }
  vector(size: 1 | 2): Uint8Array {
    return this.take(this.number(size));
  }
}

function parseMessage(body: Uint8Array): ClientHello | null {
  const reader = new Reader(body);
  reader.take(2 + 32);
  const session = reader.vector(1);
  const suites = reader.vector(2);
  const compression = reader.vector(1);
  if (reader.failed || session.length > 32 || suites.length < 2 || suites.length % 2 === 1 || compression.length === 0)
    return null;
  // Before TLS 1.3 extensions may be left out altogether (RFC 5246 §7.4.1.2).
  if (reader.left === 0) return { serverName: null, alpn: [], ech: false };
  const extensions = new Reader(reader.vector(2));
  return reader.failed || reader.left > 0 ? null : parseExtensions(extensions);
}

function parseExtensions(reader: Reader): ClientHello | null {
  const seen = new Set<number>();
  let serverName: string | null = null;
  let alpn: readonly string[] = [];
  while (reader.left > 0) {
    const type = reader.number(2);
    const data = reader.vector(2);
    // Two extensions of one type are forbidden (RFC 8446 §4.2): two readers could take different ones.
    if (reader.failed || seen.has(type)) return null;
    seen.add(type);
    if (type === SERVER_NAME) {
      serverName = parseServerName(data);
      if (serverName === null) return null;
    } else if (type === ALPN) {
      const protocols = parseAlpn(data);
      if (protocols === null) return null;
      alpn = protocols;
    }
  }
  return reader.failed ? null : { serverName, alpn, ech: seen.has(ENCRYPTED_CLIENT_HELLO) };
}

/** RFC 6066 §3: a list with exactly one host_name; other name types are not defined. */
function parseServerName(data: Uint8Array): string | null {
  const outer = new Reader(data);
  const list = new Reader(outer.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  if (outer.failed || outer.left > 0 || list.failed || list.left > 0 || type !== 0 || name.length === 0) return null;
  return Buffer.from(name).toString('latin1');
}

function parseAlpn(data: Uint8Array): readonly string[] | null {
  const outer = new Reader(data);
  const list = new Reader(outer.vector(2));
  const names: string[] = [];
  while (list.left > 0) names.push(Buffer.from(list.vector(1)).toString('latin1'));
  const broken = outer.failed || outer.left > 0 || list.failed || names.length === 0 || names.includes('');
  return broken ? null : names;
}
