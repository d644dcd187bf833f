import { hashWord, wordSet } from '../word-hash.ts';
import { GAP as GAPS } from '../character.ts';
import { distance, emit, endOf, gapBefore, lengthAt, startOf, type View, wordAt, hashAt } from '../view.ts';

// Bound here: view.ts says why.
const GAP = GAPS;

const WWW = hashWord('www');

/** E-mail addresses (F), URLs (N), IPv6 and MAC addresses (O), handles (R). */

const MAX_URL = 2_048;
const MAX_LOCAL = 64;

/** Called for a token with `@` directly before it. */
export function recognizeEmail(view: View, at: number): number {
  const sign = view.text.lastIndexOf('@', startOf(view, at));
  if (startOf(view, at) - sign !== 1 || sign < 0) return at;
  let start = sign;
  while (sign - start < MAX_LOCAL && isLocal(view.text.charCodeAt(start - 1))) start--;
  let last = at;
  while (
    last - at < 8 &&
    distance(view, last + 1) === 1 &&
    (gapBefore(view, last + 1) & (GAP.PERIOD | GAP.HYPHEN)) !== 0
  )
    last++;
  while (start < sign && (view.text.charAt(start) === '.' || view.text.charAt(start) === '-')) start++;
  const top = wordAt(view, last);
  if (start < sign && last > at && /^[\p{L}][\p{L}\d]+$/u.test(top)) {
    emit(view, 'email', [start, endOf(view, last)], 0.98);
    return last;
  }
  // `@jane_doe88`: a handle names its owner; `@dose` and decorators have no digit or underscore.
  const handle = /^[A-Za-z]\w*$/.test(view.text.slice(startOf(view, at), endOf(view, last))) && /\d/.test(top);
  if (start === sign && handle) emit(view, 'other', [sign, endOf(view, last)], 0.5);
  return at;
}

function isLocal(code: number): boolean {
  return code > 32 && code < 127
    ? !/["(),:;<>@[\\\]]/.test(String.fromCharCode(code))
    : code > 127 && /[\p{L}\p{N}\p{M}]/u.test(String.fromCharCode(code));
}

const PUBLIC_HOSTS =
  /^(?:[\w-]+\.)*(?:hl7\.org|loinc\.org|snomed\.info|w3\.org|nih\.gov|cdc\.gov|who\.int|fda\.gov|unitsofmeasure\.org|ihe\.net|schema\.org|json-schema\.org|regenstrief\.org|ama-assn\.org|rxnav\.nlm\.nih\.gov)(?:[/:]|$)/i;

/** Called for a token with `://` before it, or for `www`. */
export function recognizeUrl(view: View, at: number): number {
  const www = hashAt(view, at) === WWW && view.text.charCodeAt(endOf(view, at)) === 46;
  const scheme = view.text.startsWith('://', startOf(view, at) - 3) && distance(view, at) === 3;
  if (!www && !scheme) return at;
  let end = startOf(view, at);
  while (end - startOf(view, at) < MAX_URL && isUrlUnit(view.text.charCodeAt(end))) end++;
  while (end > startOf(view, at) && /[.,;:!?'")\]}>*]/.test(view.text.charAt(end - 1))) end--;
  const rest = view.text.slice(startOf(view, at), end);
  if (PUBLIC_HOSTS.test(rest)) return skipTo(view, at, end);
  emit(view, 'url', [scheme ? startOf(view, at - 1) : startOf(view, at), end], 0.95);
  return skipTo(view, at, end);
}

function skipTo(view: View, at: number, end: number): number {
  let last = at;
  while (last + 1 < view.to && startOf(view, last + 1) < end) last++;
  return last;
}

function isUrlUnit(code: number): boolean {
  return (
    code > 32 &&
    code !== 34 &&
    code !== 60 &&
    code !== 62 &&
    code !== 92 &&
    code !== 94 &&
    code !== 96 &&
    !(code >= 0x2000 && code <= 0x206f) &&
    code !== 0xa0
  );
}

const TOP_DOMAINS = wordSet(
  'com org net edu gov io info biz co us uk de fr ca au eu me tv app dev health clinic care ai ch nl it es se no dk fi pl cz ru br jp in cn',
);

/** `portal.example.org/jane`: a host with a known top domain, without a scheme. Called for a token with a dot before it. */
export function recognizeHost(view: View, at: number): number {
  if (distance(view, at) !== 1 || gapBefore(view, at) !== GAP.PERIOD || !TOP_DOMAINS.has(hashAt(view, at))) return at;
  if (!/[a-z]/.test(view.text.charAt(startOf(view, at)))) return at;
  let first = at;
  while (at - first < 6 && distance(view, first) === 1 && (gapBefore(view, first) & (GAP.PERIOD | GAP.HYPHEN)) !== 0)
    first--;
  if (first === at || lengthAt(view, at - 1) < 3 || view.text.charAt(startOf(view, first) - 1) === '@') return at;
  if (/^[.\w-]$/.test(view.text.charAt(endOf(view, at))) && view.text.charAt(endOf(view, at)) !== '.') return at;
  let end = endOf(view, at);
  if (view.text.charAt(end) === '.' && distance(view, at + 1) === 1) return at;
  if (view.text.charAt(end) === '/') {
    while (end - startOf(view, first) < MAX_URL && isUrlUnit(view.text.charCodeAt(end))) end++;
    while (/[.,;:!?'")\]}>*]/.test(view.text.charAt(end - 1))) end--;
  }
  if (!PUBLIC_HOSTS.test(view.text.slice(startOf(view, first), end)))
    emit(view, 'url', [startOf(view, first), end], 0.8);
  return skipTo(view, at, end);
}

/** IPv6 (RFC 4291 §2.2) and MAC: called for a token with a colon or hyphen on both sides of two hexadecimal digits or more. */
export function recognizeAddress(view: View, at: number): number {
  if (distance(view, at) === 1 && (gapBefore(view, at) & (GAP.COLON | GAP.HYPHEN)) !== 0) return at;
  const mark = view.text.charAt(endOf(view, at));
  if (mark !== ':' && mark !== '-') return at;
  let last = at;
  let letters = /[a-f]/.test(wordAt(view, at));
  while (last - at < 8 && isGroup(view, last + 1, mark)) {
    last++;
    letters ||= /[a-f]/.test(wordAt(view, last));
  }
  const count = last - at + 1;
  if (!/^[0-9a-f]{1,4}$/.test(wordAt(view, at)) || count < 3) return at;
  const text = view.text.slice(startOf(view, at), endOf(view, last));
  const mac = count === 6 && /^[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}$/.test(text);
  const v6 = mark === ':' && (count === 8 || (text.includes('::') && letters));
  if (!mac && !v6) return at;
  emit(view, 'ip', [startOf(view, at), endOf(view, last)], 0.9);
  return last;
}

function isGroup(view: View, at: number, mark: string): boolean {
  const far = distance(view, at);
  if (far < 1 || far > 2 || !/^[0-9a-f]{1,4}$/.test(wordAt(view, at))) return false;
  return view.text.slice(startOf(view, at) - far, startOf(view, at)) === mark.repeat(far);
}
