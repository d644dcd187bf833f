/** The world of a command: what `lazaret` reads and writes, so that a test can be the world. */
export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  stdout(text: string): void;
  stderr(text: string): void;
  readFile(path: string): Promise<string>;
  writeFile(path: string, data: string | Uint8Array, mode: number): Promise<void>;
}

/** Wrong usage or input (exit code 2). The message is one sentence that says what to do, and holds nothing confidential. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
