import { hash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, genesis, nextHead } from '#contract/chain.ts';
import { parseSegmentStart, type SegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { findFrame, parseFrame } from '#contract/record-frame.ts';
import { readRecord } from '#contract/record-read.ts';
import type { ChainStart } from './chain-writer.ts';
import { Segment, segmentOrdinal } from './segment.ts';
import { syncFolder } from './volume.ts';

const QUARANTINE = 'quarantine';

/** What the start-up scan found and where the chain goes on. */
export interface SpoolScan extends ChainStart {
  /** Bytes of incomplete tails that were cut. */
  readonly cut: number;
  /** Segments with other damage; their bytes are kept in the folder `quarantine`. */
  readonly quarantined: number;
  /** Exchanges with a request record and no outcome: the process before did not live to write it. */
  readonly orphans: readonly string[];
}

interface Scanned {
  readonly segment: Segment | null;
  /** The chain after the segment; null when not one frame of it could be placed. */
  readonly end: ChainHead | null;
  readonly cut: number;
  readonly quarantined: boolean;
}

/**
 * Chooses the folder of a chain. A folder in which another chain lies, because a pod before was given it too, gets a folder
 * of its own for this one: what the other pod could not send stays as it is.
 */
export function spoolFolder(dir: string, chain: ChainId): string {
  const foreign = segmentNames(dir).some((name) => {
    const start = parseSegmentStart(readFileSync(join(dir, name)));
    return start !== null && start.header.chain_id !== chain;
  });
  if (!foreign) return dir;
  mkdirSync(join(dir, chain), { recursive: true, mode: 0o700 });
  return join(dir, chain);
}

/**
 * Reads the spool that a process before left. An incomplete tail is cut: it was never durable. Any other
 * damage is quarantined with its bytes; intact frames before it stay. Nothing that could be evidence is deleted.
 * @throws Error when the folder holds another chain, or cannot be read
 */
export function scanSpool(dir: string, chain: ChainId): SpoolScan {
  const open = new Set<string>();
  const names = segmentNames(dir);
  let head = genesis(chain);
  let cut = 0;
  let quarantined = 0;
  const segments: Segment[] = [];
  for (const name of names) {
    const scanned = scanSegment(dir, name, chain, open);
    cut += scanned.cut;
    quarantined += scanned.quarantined ? 1 : 0;
    head = scanned.end ?? head;
    if (scanned.segment === null) continue;
    const before = segments.at(-1);
    if (before !== undefined) supersede(dir, before, scanned.segment);
    segments.push(scanned.segment);
  }
  const ordinal = names.reduce((last, name) => Math.max(last, segmentOrdinal(name) ?? 0), 0);
  return { head, ordinal, segments, cut, quarantined, orphans: [...open] };
}

function segmentNames(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => segmentOrdinal(name) !== null)
    .sort();
}

function scanSegment(dir: string, name: string, chain: ChainId, open: Set<string>): Scanned {
  const bytes = readFileSync(join(dir, name));
  const start = parseSegmentStart(bytes);
  if (start !== null && start.header.chain_id !== chain) {
    throw new Error('a segment of the spool belongs to another chain');
  }
  if (start === null) return withoutStart(dir, name, bytes, open);
  let end = start.head;
  for (const step of walkFrames(bytes, start.next, start.head)) {
    if (step.kind === 'frame') {
      end = step.head;
      follow(readRecord(step.frame)?.record, open);
      continue;
    }
    const segment = recovered(name, start, { bytes: step.at, head: end });
    const cut = bytes.length - step.at;
    if (step.why === 'end') return { segment, end, cut, quarantined: false };
    const beyond = lastPlace(bytes, step.at + 1, open);
    const quarantined = step.why === 'damaged' || beyond !== null;
    keepCopy(dir, name, quarantined ? bytes : bytes.subarray(step.at));
    truncate(dir, name, step.at);
    return { segment, end: beyond ?? end, cut, quarantined };
  }
  throw new Error('a walk over frames ends with a stop');
}

/** A file without a readable header: an empty one is a create that was cut short, anything else is kept aside. */
function withoutStart(dir: string, name: string, bytes: Uint8Array, open: Set<string>): Scanned {
  if (parseFrame(bytes, 0).kind === 'end') {
    unlinkSync(join(dir, name));
    return { segment: null, end: null, cut: bytes.length, quarantined: false };
  }
  const end = lastPlace(bytes, 0, open);
  keepCopy(dir, name, bytes);
  unlinkSync(join(dir, name));
  syncFolder(dir);
  return { segment: null, end, cut: 0, quarantined: true };
}

/**
 * Where the chain stands after damage: records say their own place, so the last intact one and what follows it tell.
 * @returns null when no record follows the damage: then the bytes were a torn write, and nothing after them is lost
 */
function lastPlace(bytes: Uint8Array, from: number, open: Set<string>): ChainHead | null {
  let place: ChainHead | null = null;
  for (let at = findFrame(bytes, from); at !== null; ) {
    const parsed = parseFrame(bytes, at);
    if (parsed.kind !== 'frame') {
      at = findFrame(bytes, at + 1);
      continue;
    }
    const record = readRecord(parsed.frame)?.record;
    follow(record, open);
    const before: ChainHead | null =
      record === undefined ? place : { seq: record.seq - 1, hash: Buffer.from(record.prev, 'base64url') };
    place = before === null ? null : nextHead(before, parsed.frame.covered);
    at = parsed.frame.next;
  }
  return place;
}

function follow(
  record: { readonly stage: string; readonly id?: string | undefined } | undefined,
  open: Set<string>,
): void {
  if (record?.id === undefined) return;
  if (record.stage === 'request') open.add(record.id);
  if (record.stage === 'response' || record.stage === 'error') open.delete(record.id);
}

function recovered(
  name: string,
  start: SegmentStart,
  end: { readonly bytes: number; readonly head: ChainHead },
): Segment {
  const segment = new Segment(name, start.head, null, 0);
  segment.bytes = end.bytes;
  segment.durableBytes = end.bytes;
  segment.durableHead = end.head;
  segment.ended = true;
  return segment;
}

/** After a failed sync records were written anew in the next segment; what the older file still holds beyond never counted. */
function supersede(dir: string, before: Segment, next: Segment): void {
  if (next.start.seq >= before.durableHead.seq) return;
  const bytes = readFileSync(join(dir, before.name)).subarray(0, before.bytes);
  const start = parseSegmentStart(bytes);
  if (start === null) return;
  const end = placeOf(bytes, start, next.start);
  if (end === null) return;
  keepCopy(dir, before.name, bytes);
  truncate(dir, before.name, end);
  before.bytes = end;
  before.durableBytes = end;
  before.durableHead = next.start;
}

/** @returns the byte after which the chain of a segment stands at a head, or null when it never does. */
function placeOf(bytes: Uint8Array, start: SegmentStart, head: ChainHead): number | null {
  if (start.head.hash.equals(head.hash)) return start.next;
  for (const step of walkFrames(bytes, start.next, start.head)) {
    if (step.kind === 'stop') return null;
    if (step.head.hash.equals(head.hash)) return step.frame.next;
  }
  return null;
}

/** Keeps bytes that the chain goes on without: they may be evidence, so they are never deleted here. */
function keepCopy(dir: string, name: string, bytes: Uint8Array): void {
  mkdirSync(join(dir, QUARANTINE), { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, QUARANTINE, `${name}.${hash('sha256', bytes).slice(0, 16)}`), bytes, {
    mode: 0o600,
    flush: true,
  });
  syncFolder(join(dir, QUARANTINE));
}

function truncate(dir: string, name: string, bytes: number): void {
  const fd = openSync(join(dir, name), 'r+');
  try {
    ftruncateSync(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
