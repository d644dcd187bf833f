import type { KeyObject } from 'node:crypto';
import type { ChainId } from './brand.ts';
import { type ChainHead, genesis, nextHead } from './chain.ts';
import type { Finding, FindingCode } from './chain-finding.ts';
import { parseSegmentStart } from './chain-segment.ts';
import { publicKeySchema, thumbprint, verifyingKey, verifySigned } from './chain-signature.ts';
import { findFrame, type Frame, FRAME_TYPE, parseFrame } from './record-frame.ts';
import { readRecord, type StoredRecord } from './record-read.ts';
import { parsePartName } from './seal.ts';

/** A place that somebody signed for: the chain must pass through it. */
export interface SignedPlace {
  readonly seq: number;
  /** base64url */
  readonly hash: string;
  /** Who signed: stands in the detail. */
  readonly by: 'receipt' | 'manifest' | 'expectation';
}

/** What a chain is verified against. */
export interface ChainProof {
  readonly places: readonly SignedPlace[];
  /** Key ids that the collector attested. */
  readonly attested: ReadonlySet<string>;
}

interface Walk {
  readonly chain: ChainId;
  readonly proof: ChainProof;
  readonly findings: Finding[];
  head: ChainHead;
  /** Damage was just reported; that the next record does not link to it says nothing new. */
  hurt: boolean;
  /** The process's key, from its open record. */
  key: KeyObject | null;
  readonly kids: string[];
  /** The last record closed the chain. */
  closed: boolean;
  /** Records that were not where they belong: from and to, both missing. */
  gaps: { from: number; to: number; at: number }[];
  readonly running: Map<string, number>;
  /** Places that the chain passed through. */
  readonly passed: Set<SignedPlace>;
  last: number;
}

/**
 * Verifies one chain over the exact stored bytes: every record links to all before it, every signature is by
 * the key of the process that wrote it, and the chain passes through every place that was signed for.
 *
 * An adversary who edits a record can make the links right again up to the next signed record, but not past it; who cuts the
 * end must also take back the collector's receipt; who removes the whole chain, the manifest and the controller's registry.
 * @param segments the chain's segment files in order of their names, read one at a time
 * @returns findings in the order of the chain; none for an untouched one
 */
export function verifyChain(
  chain: ChainId,
  segments: Iterable<{ readonly bytes: Uint8Array; readonly last: boolean }>,
  proof: ChainProof,
): readonly Finding[] {
  const walk: Walk = {
    chain,
    proof,
    findings: [],
    head: genesis(chain),
    hurt: false,
    key: null,
    kids: [],
    closed: false,
    gaps: [],
    running: new Map(),
    passed: new Set(),
    last: 0,
  };
  for (const { bytes, last } of segments) walkSegment(walk, bytes, last);
  checkEnd(walk);
  checkKeys(walk);
  return walk.findings;
}

function report(walk: Walk, finding: FindingCode, seq: number | null, detail: string): void {
  walk.findings.push({ finding, chain: walk.chain, seq, detail });
}

function walkSegment(walk: Walk, bytes: Uint8Array, last: boolean): void {
  const start = parseSegmentStart(bytes);
  if (start === null) return report(walk, 'edited', walk.head.seq + 1, 'a segment has no readable header');
  if (start.header.chain_id !== walk.chain)
    return report(walk, 'foreign_record', null, 'a segment belongs to another chain');
  checkStart(walk, start.head);
  for (let at: number | null = start.next; at !== null; ) {
    const parsed = parseFrame(bytes, at);
    if (parsed.kind === 'frame') {
      checkFrame(walk, parsed.frame);
      at = parsed.frame.next;
      continue;
    }
    if (at === bytes.length) return;
    const onward = findFrame(bytes, at + 1);
    if (parsed.kind !== 'damaged' && onward === null) return checkTail(walk, bytes.length - at, last);
    report(walk, 'edited', walk.head.seq + 1, 'a frame is damaged: its checksum or its length does not fit');
    walk.hurt = true;
    at = onward;
  }
}

function checkStart(walk: Walk, start: ChainHead): void {
  const { head } = walk;
  if (start.seq > head.seq) {
    walk.gaps.push({ from: head.seq + 1, to: start.seq, at: walk.findings.length });
    report(walk, 'gap', head.seq + 1, `records ${head.seq + 1} to ${start.seq} are missing`);
  } else if (start.seq < head.seq)
    misplaced(walk, start.seq + 1, 'fork', 'a second segment claims these places of the chain');
  else if (!start.hash.equals(head.hash) && !walk.hurt)
    report(walk, 'edited', head.seq, 'the next segment does not link to what stands before it');
  walk.hurt = false;
  walk.head = start;
}

/** A record before its place: it was moved when its place was missed before, else it is a second one. */
function misplaced(walk: Walk, seq: number, otherwise: FindingCode, detail: string): void {
  const gap = walk.gaps.find(({ from, to }) => seq >= from && seq <= to);
  if (gap === undefined) return report(walk, otherwise, seq, detail);
  walk.findings[gap.at] = {
    finding: 'reordered',
    chain: walk.chain,
    seq: gap.from,
    detail: 'records stand after later ones',
  };
}

/** Bytes beyond the last whole frame. The end of a chain that goes on may be an append in this moment. */
function checkTail(walk: Walk, bytes: number, last: boolean): void {
  const live = last && !walk.closed;
  const next = walk.head.seq + 1;
  report(walk, live ? 'incomplete_tail' : 'edited', next, `${bytes} bytes after the last whole frame are no frame`);
}

function checkFrame(walk: Walk, frame: Frame): void {
  const before = walk.head;
  walk.head = nextHead(before, frame.covered);
  if (frame.type === FRAME_TYPE.part && parsePartName(frame.payload) === null) {
    report(walk, 'foreign_record', walk.head.seq, 'a sealed part is none of ours');
  }
  if (frame.type === FRAME_TYPE.record || frame.type === FRAME_TYPE.signed) checkRecord(walk, frame, before);
  pass(walk);
}

/** Remembers the signed places that the chain goes through; with another hash it is another chain. */
function pass(walk: Walk): void {
  walk.last = Math.max(walk.last, walk.head.seq);
  for (const place of walk.proof.places) {
    if (place.seq === walk.head.seq && place.hash === walk.head.hash.toString('base64url')) walk.passed.add(place);
  }
}

function checkRecord(walk: Walk, frame: Frame, before: ChainHead): void {
  const read = readRecord(frame);
  if (read === null) return report(walk, 'edited', walk.head.seq, 'a record cannot be read');
  const { record, signed } = read;
  if (record.chain !== walk.chain)
    return report(walk, 'foreign_record', walk.head.seq, 'a record belongs to another chain');
  checkPlace(walk, record, before);
  // What a record says of its place is what later ones were linked to.
  walk.head = nextHead({ seq: record.seq - 1, hash: Buffer.from(record.prev, 'base64url') }, frame.covered);
  if (walk.closed && record.stage !== 'open')
    report(walk, 'foreign_record', record.seq, 'a record stands after the end of its process');
  if (signed !== null) {
    if (record.stage === 'open') takeKey(walk, record, signed.kid);
    if (walk.key === null || walk.kids.at(-1) !== signed.kid || !verifySigned(signed, walk.key)) {
      report(walk, 'bad_signature', record.seq, 'a signature is not by the key of the process that wrote it');
    }
  } else if (record.stage === 'open' || record.stage === 'close' || record.stage === 'checkpoint') {
    report(walk, 'bad_signature', record.seq, `the record of stage ${record.stage} is not signed`);
  }
  walk.closed = record.stage === 'close';
  follow(walk, record);
}

function checkPlace(walk: Walk, record: StoredRecord, before: ChainHead): void {
  const expected = before.seq + 1;
  const linked = record.prev === before.hash.toString('base64url');
  // How many frames damage took cannot be known; the record after it says where it stands, and is linked to by all that follow.
  if (walk.hurt && record.seq > walk.head.seq - 1) walk.hurt = false;
  else if (record.seq > expected) {
    walk.gaps.push({ from: expected, to: record.seq - 1, at: walk.findings.length });
    report(walk, 'gap', expected, `records ${expected} to ${record.seq - 1} are missing`);
  } else if (record.seq < expected)
    misplaced(walk, record.seq, 'foreign_record', 'frames were put in before this record');
  else if (!linked) report(walk, 'edited', before.seq, 'a record does not link to what stands before it');
}

function takeKey(walk: Walk, record: StoredRecord, kid: string): void {
  const key = publicKeySchema.safeParse(record.key);
  walk.key = key.success && thumbprint(key.data) === kid ? verifyingKey(key.data) : null;
  walk.kids.push(kid);
}

function follow(walk: Walk, record: StoredRecord): void {
  if (record.id === undefined) return;
  if (record.stage === 'request') walk.running.set(record.id, record.seq);
  if (record.stage === 'response' || record.stage === 'error') walk.running.delete(record.id);
}

function checkEnd(walk: Walk): void {
  const missed = walk.proof.places.filter((place) => !walk.passed.has(place));
  for (const place of missed) {
    if (place.seq > walk.last)
      report(walk, 'truncated_tail', walk.last + 1, `the ${place.by} goes on to record ${place.seq}`);
    else report(walk, 'edited', place.seq, `the ${place.by} names another record here`);
  }
  if (!walk.closed) return;
  for (const seq of walk.running.values())
    report(walk, 'missing_outcome', seq, 'the process ended in order, yet this exchange has no outcome');
}

/** A later key of the same chain vouches for an earlier one: its open record was signed over all that stood before. */
function checkKeys(walk: Walk): void {
  const { attested } = walk.proof;
  const lastAttested = walk.kids.findLastIndex((kid) => attested.has(kid));
  for (const [index, kid] of walk.kids.entries()) {
    if (attested.has(kid)) continue;
    if (index < lastAttested)
      report(
        walk,
        'attested_late',
        null,
        'a process ended before its key was enrolled; the next one signed its records',
      );
    else report(walk, 'untrusted_key', null, 'the collector never attested the key of a process');
  }
  if (walk.kids.length === 0) report(walk, 'bad_signature', null, 'the chain has no open record');
}
