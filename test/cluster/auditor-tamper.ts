// What people with the rights of the store, and without the collector's key, do to evidence.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { FRAME_TYPE } from '#contract/record-frame.ts';

/** Does something with a copy of an auditor's folder. The copy is gone afterwards. */
export async function withCopy<T>(folder: string, work: (copy: string) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'lazaret-tampered-'));
  try {
    await cp(folder, copy, { recursive: true });
    return await work(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const chainFolder = (folder: string, chain: string): string => join(folder, 'evidence/chains', chain);

/** The last segment of a chain: where its pod wrote last. */
async function lastSegment(folder: string, chain: string): Promise<string> {
  const names = (await readdir(chainFolder(folder, chain))).filter((name) => name.endsWith('.seg')).toSorted();
  return join(chainFolder(folder, chain), names.at(-1) ?? '');
}

/** The frames of a segment: where each begins and ends, and the number that the chain gives it. */
function framesOf(bytes: Buffer): readonly {
  readonly at: number;
  readonly next: number;
  readonly seq: number;
  readonly isRecord: boolean;
}[] {
  const start = parseSegmentStart(bytes);
  if (start === null) throw new Error('the segment has no header');
  return [...walkFrames(bytes, start.next, start.head)].flatMap((step) =>
    step.kind === 'frame'
      ? [
          {
            at: step.at,
            next: step.frame.next,
            seq: step.head.seq,
            isRecord: step.frame.type === FRAME_TYPE.record,
          },
        ]
      : [],
  );
}

/** Changes one byte in the first record of an exchange. @returns the number of that record */
export async function editByte(folder: string, chain: string): Promise<number> {
  const file = await lastSegment(folder, chain);
  const bytes = await readFile(file);
  const record = framesOf(bytes).find(({ isRecord }) => isRecord);
  if (record === undefined) throw new Error('the chain has no record of an exchange');
  const at = Math.floor((record.at + record.next) / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(file, bytes);
  return record.seq;
}

/** Takes the last frames of a chain away, whole. @returns the number of the first that is missing */
export async function cutTail(folder: string, chain: string, count: number): Promise<number> {
  const file = await lastSegment(folder, chain);
  const bytes = await readFile(file);
  const first = framesOf(bytes).at(-count);
  if (first === undefined) throw new Error(`the last segment has fewer than ${count} frames`);
  await writeFile(file, bytes.subarray(0, first.at));
  return first.seq;
}

/** Takes a pod's chain away. */
export function removeChain(folder: string, chain: string): Promise<void> {
  return rm(chainFolder(folder, chain), { recursive: true });
}

/** Puts a record of one pod behind the last one of another. @returns the number that it pretends to have */
export async function insertForeign(folder: string, from: string, into: string): Promise<number> {
  const source = await readFile(await lastSegment(folder, from));
  const record = framesOf(source).find(({ isRecord }) => isRecord);
  const file = await lastSegment(folder, into);
  const bytes = await readFile(file);
  const last = framesOf(bytes).at(-1);
  if (record === undefined || last === undefined) throw new Error('a chain has no record');
  await writeFile(file, Buffer.concat([bytes.subarray(0, last.next), source.subarray(record.at, record.next)]));
  return last.seq + 1;
}
