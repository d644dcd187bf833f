/** Of bytes that are no UTF-8: so many must be ASCII for them to be text of an older encoding. */
const MIN_ASCII = 0.85;
/** Text of the formats of an older day has a form feed or a field separator now and then. */
const MAX_CONTROL = 0.02;

/**
 * The text that bytes hold: UTF-8, UTF-16, or an encoding of one byte a character.
 * @param cut whether the bytes may end within a character
 * @returns undefined for an image, a compressed document, a key
 */
export function decodeText(bytes: Uint8Array, cut = false): string | undefined {
  if (bytes.length === 0 || isDocument(bytes)) return undefined;
  const wide = wideEncoding(bytes);
  if (wide !== undefined) return textOf(new TextDecoder(wide).decode(bytes, { stream: cut }));
  try {
    return textOf(new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: cut }));
  } catch {
    let ascii = 0;
    for (const byte of bytes) if (byte < 128) ascii++;
    return ascii < MIN_ASCII * bytes.length ? undefined : textOf(new TextDecoder('windows-1252').decode(bytes));
  }
}

/** `%PDF`: most of its text is compressed. */
function isDocument(bytes: Uint8Array): boolean {
  return bytes[0] === 0x25 && bytes[1] === 0x50 && bytes[2] === 0x44 && bytes[3] === 0x46;
}

/** Every second byte of Latin text in UTF-16 is 0. */
function wideEncoding(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes.length < 4) return undefined;
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) zeros[i % 2] = (zeros[i % 2] as number) + 1;
  const [even = 0, odd = 0] = zeros;
  if (odd > 0.4 * bytes.length && even < 0.02 * bytes.length) return 'utf-16le';
  return even > 0.4 * bytes.length && odd < 0.02 * bytes.length ? 'utf-16be' : undefined;
}

function textOf(text: string): string | undefined {
  let control = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 32 && (code < 9 || code > 13)) || code === 0xfffd || (code >= 0x7f && code < 0xa0)) control++;
  }
  return text.length > 0 && control <= MAX_CONTROL * text.length ? text : undefined;
}
