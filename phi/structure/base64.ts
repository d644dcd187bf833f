/** A run of base64 in a text (RFC 4648 §4, §5; line breaks as RFC 2045 §6.8 has them). */
export interface Base64Run {
  readonly start: number;
  readonly end: number;
  /** `text`: decodes to text; `binary`: an image, a document, a key; `other`: an ordinary word, path or number. */
  readonly kind: 'text' | 'binary' | 'other';
  /** What it decodes to when that is text. */
  readonly text: string;
}

const MIN_LENGTH = 24;
/** Runs from this length on that decode to no text are binary: numbers inside them say nothing. */
const MIN_BINARY = 64;
/** Enough of a run to see that it is no text. A multiple of four. */
const SAMPLE = 256;

/**
 * @param at a unit inside the run
 * @returns the run around it
 */
export function base64At(text: string, at: number): Base64Run {
  let start = at;
  while (isDigit64(text.charCodeAt(start - 1))) start--;
  let end = lineEnd(text, start);
  // Lines of a wrapped body are all of one length.
  while (end - start >= 60 && (text.charCodeAt(end) === 10 || text.charCodeAt(end) === 13)) {
    const next = text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? end + 2 : end + 1;
    const stop = lineEnd(text, next);
    if (stop - next < 4) break;
    end = stop;
  }
  const raw = text.slice(start, end);
  if (raw.length < MIN_LENGTH || !/[a-z]/.test(raw) || !/[A-Z]/.test(raw) || !/[\d+/=_-]/.test(raw))
    return { start, end, kind: 'other', text: '' };
  const decoded = decode(raw.slice(0, SAMPLE)) === undefined ? undefined : decode(raw);
  if (decoded !== undefined) return { start, end, kind: 'text', text: decoded };
  return { start, end, kind: raw.length < MIN_BINARY ? 'other' : 'binary', text: '' };
}

function lineEnd(text: string, from: number): number {
  let end = from;
  while (isDigit64(text.charCodeAt(end))) end++;
  while (end > from && text.charCodeAt(end) === 61) end++;
  return end;
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

function decode(raw: string): string | undefined {
  const plain = raw
    .replaceAll(/[\r\n=]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/');
  if (plain.length % 4 === 1) return undefined;
  try {
    const bytes = Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
    // A sample may end within a character.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: raw.length === SAMPLE });
    return isText(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** No control characters but white space. */
function isText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) return false;
  }
  return text.length > 0;
}
