import { decodeText } from './bytes.ts';

/** A run of base64 or hexadecimal digits in a text (RFC 4648 §4, §5, §8; line breaks as RFC 2045 §6.8 has them). */
export interface EncodedRun {
  readonly start: number;
  readonly end: number;
  /** `text`: decodes to text; `binary`: an image, a document, a key; `other`: an ordinary word, path or number. */
  readonly kind: 'text' | 'binary' | 'other';
  /** What it decodes to when that is text. */
  readonly text: string;
}

/** Shorter runs are words: four letters hold three. */
const MIN_LENGTH = 16;
/** Runs from this length on that decode to no text are binary: numbers inside them say nothing. */
const MIN_BINARY = 64;
const MIN_HEX = 24;
/** Enough of a run to see that it is no text. A multiple of four. */
const SAMPLE = 256;
/** Lines of a wrapped body are at least this long. */
const MIN_LINE = 60;

/**
 * @param at a unit inside the run
 * @returns the run around it
 */
export function encodedAt(text: string, at: number): EncodedRun {
  let start = at;
  while (isDigit64(text.charCodeAt(start - 1))) start--;
  let end = lineEnd(text, start);
  // Lines of a wrapped body are all of one length, and may be indented.
  while (end - start >= MIN_LINE && isBreak(text.charCodeAt(end))) {
    const next = nextLine(text, end);
    const stop = lineEnd(text, next);
    if (stop - next < 4 || text.charCodeAt(end - 1) === 61) break;
    end = stop;
  }
  const raw = text.slice(start, end);
  const other = { start, end, kind: 'other', text: '' } as const;
  if (raw.length < MIN_LENGTH) return other;
  const isHex = HEX.test(raw);
  if (isHex ? raw.length < MIN_HEX || raw.length % 2 === 1 : !looksEncoded(raw)) return other;
  const decoded = decodeSample(raw, isHex) === undefined ? undefined : decodeText(bytesOf(raw, isHex) ?? NONE);
  if (decoded !== undefined) return { start, end, kind: 'text', text: decoded };
  return isHex || raw.length < MIN_BINARY ? other : { start, end, kind: 'binary', text: '' };
}

/** @param text all of a value that its field says is encoded. @returns undefined where it is no text, or not encoded */
export function decodeEncoded(text: string): string | undefined {
  const raw = text.replaceAll(/\s/g, '');
  const bytes = bytesOf(raw, HEX.test(raw) && raw.length % 2 === 0) ?? bytesOf(raw, false);
  return bytes === undefined ? undefined : decodeText(bytes);
}

/** What can be read in the bytes of a run, whatever they are: names in the properties of a document. */
export function readableIn(raw: string): string {
  const bytes = bytesOf(raw, false);
  return bytes === undefined ? '' : new TextDecoder('windows-1252').decode(bytes);
}

const NONE = new Uint8Array();
const HEX = /^(?:[0-9a-f\s]+|[0-9A-F\s]+)$/;

/** Words are of one case but for their first letter; base64 is of both, and of digits. */
function looksEncoded(raw: string): boolean {
  if (!/[a-z]/.test(raw) || !/[A-Z]/.test(raw)) return false;
  return /[\d+/=]/.test(raw) || /[a-z][A-Z].*[a-z][A-Z]/.test(raw.slice(0, SAMPLE));
}

function lineEnd(text: string, from: number): number {
  let end = from;
  while (isDigit64(text.charCodeAt(end))) end++;
  const digits = end;
  while (end > from && end - digits < 2 && text.charCodeAt(end) === 61) end++;
  return end;
}

function isBreak(code: number): boolean {
  return code === 10 || code === 13;
}

/** Behind a line end and the indentation of the next line. */
function nextLine(text: string, at: number): number {
  let next = at + (text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10 ? 2 : 1);
  while (text.charCodeAt(next) === 32 || text.charCodeAt(next) === 9) next++;
  return next;
}

function isDigit64(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    ((code | 32) >= 97 && (code | 32) <= 122) ||
    code === 43 ||
    code === 47 ||
    code === 45 ||
    code === 95
  );
}

function decodeSample(raw: string, isHex: boolean): string | undefined {
  const bytes = bytesOf(raw.slice(0, SAMPLE), isHex);
  return bytes === undefined ? undefined : decodeText(bytes, raw.length > SAMPLE);
}

function bytesOf(raw: string, isHex: boolean): Uint8Array | undefined {
  if (isHex) return Uint8Array.from(raw.replaceAll(/\s/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const plain = raw.replaceAll(/[\s=]/g, '').replaceAll('-', '+').replaceAll('_', '/');
  if (plain.length === 0 || !/^[A-Za-z0-9+/]+$/.test(plain)) return undefined;
  // One digit too many is a cut run: what is before it can be read.
  const whole = plain.length % 4 === 1 ? plain.slice(0, -1) : plain;
  return Uint8Array.from(atob(whole), (char) => char.charCodeAt(0));
}
