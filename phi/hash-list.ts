/**
 * A set of 32-bit hashes as text: sorted, differences as LEB128, base64. Holds no readable word.
 * The differences of a set are small, so a word costs about three bytes.
 */
export function encodeHashes(hashes: Iterable<number>): string {
  const sorted = Uint32Array.from(new Set([...hashes].map((hash) => hash >>> 0))).sort();
  const bytes: number[] = [];
  let last = 0;
  for (const hash of sorted) {
    let rest = hash - last;
    last = hash;
    while (rest > 127) {
      bytes.push((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param text as {@link encodeHashes} made it. @param each is called with every hash as a signed 32-bit number */
export function decodeHashes(text: string, each: (hash: number) => void): void {
  const bytes = Buffer.from(text, 'base64');
  let last = 0;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    value += (byte & 127) * scale;
    if (byte > 127) {
      scale *= 128;
    } else {
      last += value;
      each(last | 0);
      value = 0;
      scale = 1;
    }
  }
}
