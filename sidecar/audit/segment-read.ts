import { open } from 'node:fs/promises';
import type { ChainHead } from '#contract/chain.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';

/** Each place in a segment's bytes where a whole frame ends, with the head of the chain there. */
export function* stepsOf(bytes: Uint8Array): Generator<{ readonly next: number; readonly head: ChainHead }> {
  const start = parseSegmentStart(bytes);
  if (start === null) return;
  yield { next: start.next, head: start.head };
  for (const step of walkFrames(bytes, start.next, start.head)) {
    if (step.kind === 'frame') yield { next: step.frame.next, head: step.head };
  }
}

/** Reads a range of a segment file. @throws when the file is shorter */
export async function readRange(path: string, from: number, to: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
      if (bytesRead === 0) throw new Error('a segment is shorter than what was written');
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
