import type { ChainHead } from '#contract/chain.ts';
import { LIMIT } from '#contract/limit.ts';
import { AuditUnavailable, type EvidenceState } from '#sidecar/exchange/evidence.ts';
import { type ChainStart, ChainWriter, type SpoolItem, type SpoolWrite, type Tense } from './chain-writer.ts';
import type { Segment } from './segment.ts';
import { SegmentFile } from './segment-file.ts';
import { sizeOf, type SpoolEntry } from './spool-entry.ts';
import type { SpoolOptions, SpoolStatus } from './spool-options.ts';
import { faultCode, Late, unavailable } from './spool-fault.ts';

const REFUSING = 'the spool volume does not take writes';
const FULL = 'the spool is full';

/** The spool: one chain, one writer, segments on a disk volume. A flush starts at once; what arrives while one runs shares the next. */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #writer: ChainWriter;
  /** Up to here the chain is durable. */
  #durable: ChainHead;
  /** Encoded, not durable. */
  readonly #open = new Set<SpoolItem>();
  /** Waiting for a segment, in order. */
  #held: SpoolItem[] = [];
  #state: 'moving' | 'open' | 'closed' = 'moving';
  /** The volume failed twice in a row, or did not answer in time. */
  #failed = false;
  #slow = false;
  #lost = 0;
  #flushing: Promise<void> | null = null;
  #round = Promise.withResolvers<void>();
  #flushingBytes = 0;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: SpoolOptions, start: ChainStart) {
    this.#options = options;
    this.#writer = new ChainWriter(options.identity, options.keys, start);
    this.#durable = start.head;
  }

  /** Segments in order, oldest first; the last one may still grow. */
  get segments(): readonly Segment[] {
    return this.#writer.segments;
  }

  /** Forgets a segment whose file was deleted. */
  forget(segment: Segment): void {
    this.#writer.forget(segment);
  }

  /** Begins the first segment of this process. What was appended before goes into it. */
  async begin(): Promise<void> {
    await this.#move();
    this.#flush();
  }

  /**
   * Gives entries their place and makes them durable.
   * @returns when they are durable, with the segment that holds the last of them
   * @throws AuditUnavailable when the spool is full, failed or slow. `past` entries are then still written as soon as the volume lets us
   */
  append(entries: readonly SpoolEntry[], tense: Tense): Promise<Segment> {
    const refusal = this.#refusal(sizeOf(entries), tense);
    if (refusal !== null) {
      if (tense === 'past') this.#lost += entries.length;
      return unavailable(refusal);
    }
    const item: SpoolItem = { entries, tense, durable: Promise.withResolvers(), done: 0 };
    // A caller that does not wait must not end the process.
    item.durable.promise.catch(() => undefined);
    if (this.#failed) item.durable.reject(new AuditUnavailable(REFUSING));
    if (this.#state === 'open') {
      this.#put(item);
      this.#flush();
    } else this.#held.push(item);
    return item.durable.promise;
  }

  /** Waits until so much is durable that more may be encoded. @throws AuditUnavailable when the volume does not take it */
  async room(): Promise<void> {
    while (this.#flushing !== null && this.#writer.pendingBytes + this.#flushingBytes > LIMIT.spoolPendingBytes) {
      if (this.#failed || this.#slow) throw new AuditUnavailable(REFUSING);
      await this.#round.promise;
    }
  }

  status(): SpoolStatus {
    const { quotaBytes } = this.#options;
    return {
      bytes: this.#usedBytes(),
      limit: quotaBytes,
      state: this.#evidenceState(),
      lost: this.#lost,
      frames: this.#writer.frames,
    };
  }

  /** Ends writing: waits for what was appended and takes nothing more. */
  async close(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    while (this.#flushing !== null) await this.#flushing;
    this.#state = 'closed';
    this.#failed = true;
    for (const segment of this.segments) {
      segment.file?.end();
      segment.file = null;
      segment.ended = true;
    }
  }

  #usedBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  #evidenceState(): EvidenceState {
    const share = this.#usedBytes() / this.#options.quotaBytes;
    if (this.#failed || this.#slow || share >= LIMIT.spoolRefuse) return 'refuse';
    return share >= LIMIT.spoolWarn ? 'warn' : 'ok';
  }

  // The last 15 % belong to exchanges that run; a record of what happened is taken as long as memory for it is bounded.
  #refusal(bytes: number, tense: Tense): string | null {
    const { quotaBytes } = this.#options;
    if (this.#state === 'closed') return REFUSING;
    if (tense === 'new') {
      if (this.#slow || this.#failed) return REFUSING;
      return this.#usedBytes() + bytes > quotaBytes * LIMIT.spoolRefuse ? FULL : null;
    }
    const waiting = this.#state === 'open' ? 0 : this.#held.reduce((sum, item) => sum + sizeOf(item.entries), 0);
    if (waiting + bytes > LIMIT.spoolPendingBytes) return REFUSING;
    return this.#usedBytes() + bytes > quotaBytes ? FULL : null;
  }

  #put(item: SpoolItem): void {
    this.#open.add(item);
    this.#writer.put(item);
  }

  #flush(): void {
    if (this.#flushing !== null || this.#writer.pendingBytes === 0) return;
    this.#flushing = this.#flushAll();
  }

  async #flushAll(): Promise<void> {
    let faults = 0;
    while (this.#writer.pendingBytes > 0) {
      try {
        await this.#store();
        faults = 0;
      } catch (error) {
        this.#retreat(error);
        if (++faults === 2) this.#block();
        else await this.#move();
      }
    }
    // In the same step as the last look at what is pending: an append after it begins a flush of its own.
    this.#flushing = null;
  }

  /** One round: writes and syncs what is encoded. */
  async #store(): Promise<void> {
    this.#flushingBytes = this.#writer.pendingBytes;
    const watchdog = this.#options.sync ? setTimeout(() => this.#lag(), LIMIT.durableMs).unref() : null;
    try {
      for (const write of this.#writer.take()) {
        const { dir, sync } = this.#options;
        write.segment.file ??= SegmentFile.create(dir, write.segment.name, sync);
        await write.segment.file.write(write.buffers, write.bytes);
        await write.segment.file.sync();
        this.#settle(write);
      }
      this.#failed = false;
      this.#slow = false;
    } finally {
      if (watchdog !== null) clearTimeout(watchdog);
      this.#flushingBytes = 0;
      this.#round.resolve();
      this.#round = Promise.withResolvers();
    }
  }

  #settle(write: SpoolWrite): void {
    const { segment } = write;
    segment.durableBytes += write.bytes;
    segment.durableHead = write.head;
    this.#durable = write.head;
    if (segment.ended && segment.durableBytes === segment.bytes) {
      segment.file?.end();
      segment.file = null;
    }
    for (const item of write.items) {
      item.done++;
      if (item.done < item.entries.length) continue;
      this.#open.delete(item);
      item.durable.resolve(segment);
    }
    this.#options.onDurable();
  }

  /** The volume takes its time: nobody waits longer, and nothing new starts until it has answered. */
  #lag(): void {
    this.#slow = true;
    this.#options.onFault('slow');
    for (const item of this.#open) item.durable.reject(new Late('the spool volume did not answer in time'));
    this.#round.resolve();
  }

  /** After a fault nothing of the round counts: back to what is durable, everything else is to be written anew. */
  #retreat(error: unknown): void {
    this.#options.onFault(faultCode(error));
    this.#state = 'moving';
    this.#held = [...this.#open, ...this.#held];
    this.#open.clear();
    this.#writer.rewind(this.#durable);
  }

  async #move(): Promise<void> {
    const key = await this.#options.keys.next();
    if (this.#state === 'closed') return;
    this.#writer.begin(key);
    this.#state = 'open';
    for (const item of this.#held.splice(0)) this.#put(item);
  }

  /** A new segment failed too: refuse, and try again later with what must not be lost. */
  #block(): void {
    this.#failed = true;
    this.#held = this.#held.filter((item) => {
      item.durable.reject(new AuditUnavailable(REFUSING));
      return item.tense === 'past';
    });
    this.#retry = setTimeout(() => this.#again(), LIMIT.spoolRetryMs).unref();
  }

  #again(): void {
    this.begin().catch((error: unknown) => this.#options.onFault(faultCode(error)));
  }
}
