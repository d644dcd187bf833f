/** @returns a text, or a value as JSON, in UTF-8 */
export function bytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
}

/** @returns UTF-8 bytes as text */
export function text(chunks: Uint8Array | readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  if (chunks instanceof Uint8Array) return decoder.decode(chunks);
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('');
}
