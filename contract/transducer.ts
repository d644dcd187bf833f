/**
 * A stream stage without I/O. The driver owns the stream; where the input was cut must not matter:
 * for every way to cut the same input, the concatenated output is the same.
 */
export interface Transducer<In, Out> {
  /** Takes the next piece of input. @returns what is certain now, in order. */
  push(chunk: In): readonly Out[];
  /** No more input will come. @returns what was still held. */
  end(): readonly Out[];
}
