/**
 * Text that may identify a patient. It cannot be printed by accident: every implicit conversion says `[phi]`.
 * The only way to the text is {@link Phi.reveal}, so that each place that handles it can be found by its name.
 */
export class Phi {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  /** @returns the clear text. Callers must not log, label, or put it in an error. */
  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return '[phi]';
  }
  toJSON(): string {
    return '[phi]';
  }
  [Symbol.toPrimitive](): string {
    return '[phi]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[phi]';
  }
}
