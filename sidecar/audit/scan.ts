import {
  copyFileSync,
  ftruncateSync,
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, genesis, nextHead } from '#contract/chain.ts';
import { parseSegmentStart, type SegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { parseFrame } from '#contract/record-frame.ts';
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
 * Reads the spool that a process before left (audit.md §3.2). An incomplete tail is cut: it was never durable. Any other
 * damage is quarantined with its bytes; intact frames before it stay. Nothing that could be evidence is deleted.
 * @throws Error when the folder holds another chain, or cannot be read
 */
export function scanSpool(dir: string, chain: ChainId): SpoolScan {
  const open = new Set<string>();
  const names = readdirSync(dir)
    .filter((name) => segmentOrdinal(name) !== null)
    .sort();
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

function scanSegment(dir: string, name: string, chain: ChainId, open: Set<string>): Scanned {
  const bytes = readFileSync(join(dir, name));
  const start = parseSegmentStart(bytes);
  if (start !== null && start.header.chain_id !== chain) {
    throw new Error('the spool folder holds the records of another chain: give every pod a folder of its own');
  }
  if (start === null) return withoutStart(dir, name, bytes);
  let end = start.head;
  for (const step of walkFrames(bytes, start.next, start.head)) {
    if (step.kind === 'frame') {
      end = step.head;
      follow(readRecord(step.frame)?.record, open);
      continue;
    }
    const segment = recovered(name, start, { bytes: step.at, head: end });
    if (step.why === 'end') return { segment, end, cut: bytes.length - step.at, quarantined: false };
    const beyond = step.why === 'damaged' && step.next !== null ? lastPlace(bytes, step.next, open) : null;
    if (step.why === 'damaged') keepCopy(dir, name);
    truncate(dir, name, step.at);
    return { segment, end: beyond ?? end, cut: bytes.length - step.at, quarantined: step.why === 'damaged' };
  }
  throw new Error('a walk over frames ends with a stop');
}

/** A file without a readable header: a create that was cut short holds no record, anything else is kept aside. */
function withoutStart(dir: string, name: string, bytes: Uint8Array): Scanned {
  const parsed = parseFrame(bytes, 0);
  if (parsed.kind === 'end' || parsed.kind === 'incomplete')
    return { segment: null, end: null, cut: bytes.length, quarantined: false };
  mkdirSync(join(dir, QUARANTINE), { recursive: true, mode: 0o700 });
  renameSync(join(dir, name), join(dir, QUARANTINE, name));
  syncFolder(join(dir, QUARANTINE));
  syncFolder(dir);
  const next = parsed.kind === 'frame' ? parsed.frame.next : parsed.next;
  return { segment: null, end: next === null ? null : lastPlace(bytes, next, new Set()), cut: 0, quarantined: true };
}

/**
 * Where the chain stands after damage: records say their own place, so the last intact one and what follows it tell.
 * @returns null when no record follows the damage: then the bytes were a torn write, and nothing after them is lost
 */
function lastPlace(bytes: Uint8Array, from: number, open: Set<string>): ChainHead | null {
  let place: ChainHead | null = null;
  let at = from;
  for (;;) {
    const parsed = parseFrame(bytes, at);
    if (parsed.kind === 'damaged' && parsed.next !== null) {
      at = parsed.next;
      continue;
    }
    if (parsed.kind !== 'frame') return place;
    const record = readRecord(parsed.frame)?.record;
    follow(record, open);
    const before: ChainHead | null =
      record === undefined ? place : { seq: record.seq - 1, hash: Buffer.from(record.prev, 'base64url') };
    place = before === null ? null : nextHead(before, parsed.frame.covered);
    at = parsed.frame.next;
  }
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
  keepCopy(dir, before.name);
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

function keepCopy(dir: string, name: string): void {
  mkdirSync(join(dir, QUARANTINE), { recursive: true, mode: 0o700 });
  copyFileSync(join(dir, name), join(dir, QUARANTINE, name));
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
