const NEWLINE = 10;

/**
 * Cuts a stream of bytes into lines (`\n`, a carriage return before it is dropped), each given on as soon as it ends.
 * @param limit bytes of one line; a longer one is not kept
 * @returns each line as text, or null for one that was too long; what follows the last `\n` is a line unless it is empty
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<string | null> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array) => {
    length += part.byteLength;
    if (length <= limit) parts.push(part);
    else parts = [];
  };
  const take = () => {
    const line = length > limit ? null : Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    if (start < chunk.byteLength) keep(chunk.slice(start));
  }
  if (length > 0) yield take();
}
