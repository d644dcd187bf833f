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

/** What takes the place of a stretch of JSON text: another text, as it is or as a JSON string of it. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly as: 'string' | 'raw';
}

/** From this length on a text is encoded in pieces: joined and escaped copies of it would be garbage of many times its size. */
const LARGE_TEXT = 256 * 1024;
const PIECE = 64 * 1024;
/** The most that one UTF-16 unit becomes: `\\u` and four digits. */
const UNIT_BYTES = 6;

/**
 * Puts edits into a text, left to right, and encodes the whole as UTF-8.
 * @param edits sorted, not overlapping; every other unit of the text stays as it is
 * @returns bytes in memory of their own
 */
export function spliceUtf8(text: string, edits: readonly TextEdit[]): Uint8Array {
  if (text.length < LARGE_TEXT) {
    return encodeUtf8(
      splice(
        text,
        edits.map((edit) => ({ ...edit, insert: edit.as === 'string' ? JSON.stringify(edit.text) : edit.text })),
      ),
    );
  }
  const out = createWriter(
    edits.reduce((size, edit) => size + edit.text.length - (edit.end - edit.start), text.length),
  );
  let at = 0;
  for (const edit of edits) {
    writePieces(text, at, edit.start, out.write);
    if (edit.as === 'raw') writePieces(edit.text, 0, edit.text.length, out.write);
    else {
      out.write('"');
      writePieces(edit.text, 0, edit.text.length, (piece) => out.write(JSON.stringify(piece).slice(1, -1)));
      out.write('"');
    }
    at = edit.end;
  }
  writePieces(text, at, text.length, out.write);
  return out.end();
}

/** Never cuts a surrogate pair: its halves alone would be encoded as something else. */
function writePieces(text: string, start: number, end: number, write: (piece: string) => void): void {
  for (let at = start; at < end; ) {
    const bound = Math.min(at + PIECE, end);
    const cut = bound < end && (text.charCodeAt(bound - 1) & 0xfc00) === 0xd800 ? bound - 1 : bound;
    write(text.slice(at, cut));
    at = cut;
  }
}

/** @param expected bytes, as a guess */
function createWriter(expected: number) {
  let bytes = new Uint8Array(expected + Math.ceil(expected / 32) + PIECE * UNIT_BYTES);
  let size = 0;
  return {
    write: (piece: string): void => {
      if (size + piece.length * 3 > bytes.length) {
        const larger = new Uint8Array(Math.ceil(bytes.length * 1.25) + piece.length * 3);
        larger.set(bytes.subarray(0, size));
        bytes = larger;
      }
      size += encoder.encodeInto(piece, bytes.subarray(size)).written;
    },
    end: (): Uint8Array => bytes.subarray(0, size),
  };
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
