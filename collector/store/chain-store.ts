import type { KeyObject } from 'node:crypto';
import { hash } from 'node:crypto';
import { copyFile, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainId } from '#contract/brand.ts';
import { type ChainHead, genesis } from '#contract/chain.ts';
import { CHAIN_LAYOUT, chainFolder } from '#contract/chain-layout.ts';
import {
  type Attestation,
  attestationSchema,
  readStatement,
  receiptSchema,
  SEGMENT_NAME,
} from '#contract/chain-protocol.ts';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { SIGNED_TYPE, verifyingKey } from '#contract/chain-signature.ts';
import { LIMIT } from '#contract/limit.ts';
import { appendLine, makeFolder, orMissing, syncFolder, withFile } from './durable-file.ts';

/** What is stored of one segment. */
export interface StoredSegment {
  readonly name: string;
  readonly start: ChainHead;
  readonly bytes: number;
  readonly end: ChainHead;
}

/** How a new segment stands to what is stored: where the chain ends, after a hole, or beside another branch. */
export type Continuity = 'continuous' | 'gap' | 'fork';

/** One chain's evidence: append-only segment files, byte for byte as the pod wrote them. */
export class ChainStore {
  readonly chain: ChainId;
  readonly #dir: string;
  /** The segments in use lately; others are read again when a pod names them. */
  readonly #segments = new Map<string, StoredSegment>();
  readonly #keys = new Map<string, KeyObject>();
  /** The first attestation: the pod that the chain belongs to. */
  #owner: Attestation | null = null;
  #contiguous: ChainHead;
  #last: StoredSegment | null = null;
  #waiting = 0;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(chain: ChainId, dir: string) {
    this.chain = chain;
    this.#dir = dir;
    this.#contiguous = genesis(chain);
  }

  /** Reads what is stored of a chain: its keys, and its segments from the last written receipt on. */
  static async load(root: string, chain: ChainId): Promise<ChainStore> {
    const store = new ChainStore(chain, join(root, chainFolder(chain)));
    const names = (await orMissing(readdir(store.#dir))) ?? [];
    const receipt = readStatement(
      (await store.#text(CHAIN_LAYOUT.receipt)).trim(),
      SIGNED_TYPE.receipt,
      receiptSchema,
    )?.claim;
    if (receipt !== undefined)
      store.#contiguous = { seq: receipt.contiguous_seq, hash: Buffer.from(receipt.contiguous_hash, 'base64url') };
    const from = receipt?.segment ?? '';
    for (const name of names.filter((each) => SEGMENT_NAME.test(each) && each >= from).sort()) await store.#read(name);
    for (const line of (await store.#text(CHAIN_LAYOUT.attestations)).split('\n')) {
      const claim = readStatement(line, SIGNED_TYPE.attestation, attestationSchema)?.claim;
      if (claim !== undefined) store.#learn(claim);
    }
    return store;
  }

  /** Does one thing at a time for this chain: appends and their state never interleave. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const done = this.#turn.then(work).finally(() => this.#waiting--);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Whether something is being done or waits. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Whether this pod ever enrolled. */
  get known(): boolean {
    return this.#keys.size > 0;
  }

  /** @returns an enrolled key of this chain */
  keyOf(kid: string): KeyObject | null {
    return this.#keys.get(kid) ?? null;
  }

  /** @returns what is stored of a segment, or null */
  async segment(name: string): Promise<StoredSegment | null> {
    return this.#segments.get(name) ?? (await orMissing(this.#read(name)));
  }

  /** The last segment by name: where the pod writes. */
  get last(): StoredSegment | null {
    return this.#last;
  }

  /** Up to here the chain is stored without a hole, counted from its first record. */
  get contiguous(): ChainHead {
    return this.#contiguous;
  }

  /** The pod that enrolled first; null for a chain that is nobody's yet. */
  get owner(): { readonly workload: string; readonly podUid: string | null } | null {
    return this.#owner === null ? null : { workload: this.#owner.workload, podUid: this.#owner.pod_uid ?? null };
  }

  /** Keeps an enrolled key, durable. */
  async attest(claim: Attestation, jws: string): Promise<void> {
    if (this.#keys.has(claim.kid)) return;
    await makeFolder(this.#dir);
    await appendLine(join(this.#dir, CHAIN_LAYOUT.attestations), jws);
    this.#learn(claim);
  }

  /**
   * Appends verified frames to a segment and makes them durable. The caller holds the chain's turn.
   * @param known what is stored of the segment, null to begin it
   * @param ends the chain before and after the frames
   */
  async append(
    name: string,
    known: StoredSegment | null,
    bytes: Uint8Array,
    ends: { readonly start: ChainHead; readonly end: ChainHead },
  ): Promise<{ readonly stored: StoredSegment; readonly continuity: Continuity }> {
    const at = known?.bytes ?? 0;
    await makeFolder(this.#dir);
    await withFile(join(this.#dir, name), known === null ? 'wx' : 'r+', async (file) => {
      // Another writer of this store would be a fault of ours; evidence is never written over.
      if ((await file.stat()).size !== at) throw new Error('a stored segment is not as long as it was left');
      await file.write(bytes, 0, bytes.length, at);
      await file.datasync();
    });
    if (known === null) await syncFolder(this.#dir);
    const stored = { name, start: known?.start ?? ends.start, bytes: at + bytes.length, end: ends.end };
    const continuity = known === null ? this.#continuity(ends.start) : 'continuous';
    this.#keep(stored);
    return { stored, continuity };
  }

  /** Whether stored bytes of a segment are the same as these. */
  async holds(name: string, offset: number, bytes: Uint8Array): Promise<boolean> {
    const stored = await readFile(join(this.#dir, name));
    return stored.subarray(offset, offset + bytes.length).equals(bytes);
  }

  /** Keeps bytes that a pod sent where others are stored: two writers on one chain are evidence too. */
  async keepConflict(name: string, offset: number, bytes: Uint8Array): Promise<void> {
    const folder = join(this.#dir, CHAIN_LAYOUT.conflicts);
    await makeFolder(folder);
    if ((await readdir(folder)).length >= LIMIT.collectorConflicts) return;
    const path = join(folder, `${name}.${offset}.${hash('sha256', bytes).slice(0, 16)}`);
    if ((await orMissing(stat(path))) !== null) return;
    await withFile(path, 'wx', async (file) => {
      await file.writeFile(bytes);
      await file.datasync();
    });
    await syncFolder(folder);
  }

  #learn(claim: Attestation): void {
    const key = verifyingKey(claim.key);
    if (key !== null) this.#keys.set(claim.kid, key);
    this.#owner ??= claim;
  }

  async #text(name: string): Promise<string> {
    return (await orMissing(readFile(join(this.#dir, name), 'utf8'))) ?? '';
  }

  async #read(name: string): Promise<StoredSegment | null> {
    const bytes = await readFile(join(this.#dir, name));
    const start = parseSegmentStart(bytes);
    if (start === null) {
      // Not even the header came whole: the pod sends the segment again from its beginning.
      await rename(join(this.#dir, name), join(this.#dir, `${name}.cut`));
      return null;
    }
    let end = { bytes: start.next, head: start.head };
    let inside = false;
    for (const step of walkFrames(bytes, start.next, start.head)) {
      if (step.kind === 'stop') break;
      end = { bytes: step.frame.next, head: step.head };
      // The receipt on disk may be older than the frames: then the place where it stands lies in here.
      inside ||= sameHead(end.head, this.#contiguous);
    }
    await this.#cut(name, bytes.length, end.bytes);
    const stored = { name, start: start.head, bytes: end.bytes, end: end.head };
    if (inside) this.#contiguous = stored.end;
    this.#keep(stored);
    return stored;
  }

  /** An append that a crash cut short was never receipted: it is cut off, its bytes are kept aside. */
  async #cut(name: string, length: number, whole: number): Promise<void> {
    if (length === whole) return;
    await copyFile(join(this.#dir, name), join(this.#dir, `${name}.cut`));
    await withFile(join(this.#dir, name), 'r+', async (file) => {
      await file.truncate(whole);
      await file.sync();
    });
  }

  #continuity(start: ChainHead): Continuity {
    if (sameHead(start, this.#contiguous)) return 'continuous';
    return start.seq > this.#contiguous.seq ? 'gap' : 'fork';
  }

  #keep(stored: StoredSegment): void {
    const before = this.#segments.get(stored.name)?.end ?? stored.start;
    this.#segments.delete(stored.name);
    this.#segments.set(stored.name, stored);
    if (this.#last === null || stored.name >= this.#last.name) this.#last = stored;
    if (sameHead(before, this.#contiguous)) this.#contiguous = stored.end;
    this.#advance();
    const oldest = this.#segments.keys().next().value;
    if (this.#segments.size > LIMIT.collectorSegments && oldest !== undefined) this.#segments.delete(oldest);
  }

  /** A hole that is filled joins what was stored after it. */
  #advance(): void {
    for (;;) {
      const next = [...this.#segments.values()].find(
        ({ start, end }) => sameHead(start, this.#contiguous) && end.seq > start.seq,
      );
      if (next === undefined) return;
      this.#contiguous = next.end;
    }
  }
}

function sameHead(one: ChainHead, other: ChainHead): boolean {
  return one.seq === other.seq && one.hash.equals(other.hash);
}
