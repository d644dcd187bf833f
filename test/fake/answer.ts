import { setImmediate as nextTurn } from 'node:timers/promises';

/** What a stand-in provider received, byte for byte. */
export interface ReceivedRequest {
  /** The name of the TLS handshake. */
  readonly host: string;
  readonly protocol: 'h1' | 'h2';
  readonly method: string;
  /** Origin form. */
  readonly target: string;
  /** In order, names as received. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** One thing that a scripted provider does after the response head. */
export type Step =
  | { readonly do: 'write'; readonly bytes: Uint8Array }
  /** Waits for something, for a test that must see what came before. */
  | { readonly do: 'wait'; readonly until: Promise<unknown> }
  /** Never does anything again on this connection. */
  | { readonly do: 'stall' }
  /** Ends in a TCP reset (h1) or RST_STREAM (h2). */
  | { readonly do: 'reset' };

/** A response that a test has written out. It ends cleanly behind its last step. */
export interface ScriptedAnswer {
  readonly status?: number;
  /** A `content-length` here is sent as it is, true or not. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly steps: readonly Step[];
}

/** Bytes that go to the socket instead of a response (HTTP/1.1 only): for what no server would send. */
export interface RawAnswer {
  readonly raw: readonly Step[];
}

/** Chooses the answer to a request; null leaves it to the mock. */
export type Script = (request: ReceivedRequest) => ScriptedAnswer | RawAnswer | null;

/** Where the steps' bytes go. */
export interface StepSink {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly reset: () => void;
}

/** Plays steps. @returns whether the answer may now be ended cleanly */
export async function playSteps(steps: readonly Step[], sink: StepSink): Promise<boolean> {
  for (const step of steps) {
    if (step.do === 'write') await sink.write(step.bytes);
    else if (step.do === 'wait') await step.until;
    else if (step.do === 'reset') {
      sink.reset();
      return false;
    } else return false;
    // One turn of the event loop, so that two writes are two packets where the network allows it.
    await nextTurn();
  }
  return true;
}

/** @param bytes cut at the given offsets, each piece one write */
export function cutAt(bytes: Uint8Array | string, offsets: readonly number[] = []): readonly Step[] {
  const whole = Buffer.from(bytes);
  const edges = [0, ...offsets.filter((offset) => offset > 0 && offset < whole.length), whole.length];
  return edges.slice(1).map((edge, index) => ({ do: 'write', bytes: whole.subarray(edges[index], edge) }));
}

/** Cuts into pieces of one size. */
export function cutEvery(bytes: Uint8Array | string, size: number): readonly Step[] {
  const { length } = Buffer.from(bytes);
  return cutAt(
    bytes,
    Array.from({ length: Math.ceil(length / size) }, (_, index) => index * size),
  );
}
