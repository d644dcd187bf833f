/** A stretch of a text, UTF-16 units, and what takes its place. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

/** Puts edits into a text and leaves every other unit of it as it is. Edits must not overlap; their order is free. */
export function splice(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text;
  const pieces: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    pieces.push(text.slice(at, edit.start), edit.insert);
    at = edit.end;
  }
  pieces.push(text.slice(at));
  return pieces.join('');
}

/** UTF-8 to text. @returns null when the bytes are not valid UTF-8; a byte order mark stays and is no JSON. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

const encoder = new TextEncoder();

/** @returns the text as UTF-8 */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
