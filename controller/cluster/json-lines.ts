/** Cuts a byte stream into lines, wherever its chunks were cut. A transducer: no line is given before its end was seen. */
export class LineSplitter {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param limit bytes of the longest line */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns the lines that ended. @throws RangeError when a line is longer than the limit */
  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, at));
      lines.push(this.#parts.length === 1 ? (this.#parts[0] ?? chunk) : Buffer.concat(this.#parts));
      this.#parts = [];
      this.#bytes = 0;
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#limit) throw new RangeError(`a line is longer than ${this.#limit} bytes`);
    this.#parts.push(part);
  }
}
