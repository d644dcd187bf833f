import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainHead } from '#contract/chain.ts';
import type { Receipt } from '#contract/chain-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import type { CollectorClient, ShipAnswer } from './collector-client.ts';
import type { Segment } from './segment.ts';
import { readRange, stepsOf } from './segment-read.ts';
import type { Spool } from './spool.ts';
import { faultCode } from './spool-fault.ts';

/** What shipping is given. */
export interface ShipOptions {
  readonly dir: string;
  readonly spool: Spool;
  readonly client: CollectorClient;
  /** Number in [0, 1): spreads the retries of many pods. */
  readonly random?: () => number;
  /** Told what keeps evidence from leaving: `unreachable`, `enrolment_refused`, `http_503`, `receipt_mismatch`, `segment_lost`. */
  readonly onAlert?: (why: string) => void;
}

/** Sends durable frames to the collector until it has signed for them, and deletes a segment only then. */
export class Shipper {
  readonly #options: ShipOptions;
  readonly #random: () => number;
  /** Segments that the collector does not take as they are, and until when they wait (monotonic ms). */
  readonly #held = new Map<Segment, number>();
  #enrolled = false;
  #failures = 0;
  /** Everything that was durable then is receipted (monotonic ms). */
  #caughtUpMs = performance.now();
  /** An interval runs that news does not shorten. */
  #quiet = false;
  #closing: PromiseWithResolvers<void> | null = null;
  #stopping = false;
  #wake = Promise.withResolvers<void>();
  #loop: Promise<void> | null = null;

  constructor(options: ShipOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Begins sending, and goes on until `close`. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** There may be something new to send. */
  wake(): void {
    if (!this.#quiet) this.#wake.resolve();
  }

  /** Age of the oldest durable record without a receipt, at most: 0 when there is none. */
  get lagMs(): number {
    return this.drained ? 0 : performance.now() - this.#caughtUpMs;
  }

  /** Whether every durable byte is receipted. */
  get drained(): boolean {
    return this.#options.spool.segments.every((segment) => segment.receiptedBytes >= segment.durableBytes);
  }

  /** Sends what it can until the deadline and ends. @returns whether everything is receipted */
  async close(deadlineMs: number): Promise<boolean> {
    const done = Promise.withResolvers<void>();
    const timer = setTimeout(done.resolve, deadlineMs);
    this.#closing = done;
    this.#failures = 0;
    this.#wake.resolve();
    if (this.#loop !== null) await done.promise;
    clearTimeout(timer);
    this.#stopping = true;
    this.#wake.resolve();
    await this.#options.client.close();
    await this.#loop;
    return this.drained;
  }

  /** A backlog goes out without pauses. */
  get #backlogged(): boolean {
    return this.#options.spool.segments.some(
      (segment) => segment.durableBytes - segment.receiptedBytes > LIMIT.shipBacklogBytes,
    );
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const segment = this.#next();
      if (segment === null) {
        if (this.drained) this.#caughtUpMs = performance.now();
        if (this.drained) this.#closing?.resolve();
        await this.#sleep(LIMIT.shipBackoffMs);
        continue;
      }
      const waitMs = await this.#step(segment).catch(() => (this.#stopping ? 0 : this.#backoff('unreachable', 0)));
      this.#quiet = this.#closing === null;
      if (waitMs > 0 && !this.#stopping) await this.#sleep(waitMs);
      this.#quiet = false;
    }
  }

  #next(): Segment | null {
    const now = performance.now();
    return (
      this.#options.spool.segments.find(
        (segment) => segment.receiptedBytes < segment.durableBytes && (this.#held.get(segment) ?? 0) <= now,
      ) ?? null
    );
  }

  /** One request to the collector. @returns how long to wait before the next */
  async #step(segment: Segment): Promise<number> {
    if (!this.#enrolled) {
      this.#enrolled = await this.#options.client.enrol();
      if (!this.#enrolled) return this.#backoff('enrolment_refused', 0);
    }
    const batch = await this.#read(segment).catch((error: unknown) => this.#unreadable(segment, error));
    if (batch === null) return LIMIT.shipIntervalMs;
    const answer = await this.#options.client.send({
      segment: segment.name,
      offset: segment.receiptedBytes,
      bytes: batch.bytes,
    });
    return this.#judge(segment, answer, batch.end);
  }

  async #judge(
    segment: Segment,
    answer: ShipAnswer,
    sent: { readonly bytes: number; readonly head: ChainHead },
  ): Promise<number> {
    switch (answer.kind) {
      case 'unknown_key': {
        // A collector restored from a backup has forgotten us: once more from the start, then with patience.
        const first = this.#enrolled && this.#failures === 0;
        this.#enrolled = false;
        return first ? ((this.#failures = 1), 0) : this.#backoff('enrolment_refused', 0);
      }
      case 'retry':
        // What does not verify may be signed by a new key of the collector: an enrolment says which keys it has.
        if (answer.status === 200 || answer.status === 409) this.#enrolled = false;
        return this.#backoff(answer.status === 200 ? 'receipt_mismatch' : `http_${answer.status}`, answer.afterMs);
      case 'held':
        return this.#hold(segment, `http_${answer.status}`);
      case 'forgotten':
        if (segment.receiptedBytes === 0) return this.#hold(segment, 'receipt_mismatch');
        segment.receiptedBytes = 0;
        return LIMIT.shipIntervalMs;
      case 'receipt':
        break;
    }
    const { receipt } = answer;
    // The collector may hold another length: more after our restart, less after its own.
    const head = receipt.bytes === sent.bytes ? sent.head : await this.#headAt(segment, receipt.bytes);
    if (head === null || !matches(receipt, head)) return this.#hold(segment, 'receipt_mismatch');
    const moved = receipt.bytes !== segment.receiptedBytes;
    segment.receiptedBytes = receipt.bytes;
    if (!moved) return this.#backoff('receipt_mismatch', 0);
    this.#failures = 0;
    await this.#release();
    return this.#closing === null && !this.#backlogged ? LIMIT.shipIntervalMs : 0;
  }

  /** Deletes whole segments that are receipted to their end. The last one stays: it says where the chain goes on. */
  async #release(): Promise<void> {
    const { spool, dir } = this.#options;
    const last = spool.segments.at(-1);
    const done = spool.segments.filter((segment) => segment !== last && segment.ended && segment.running === 0);
    for (const segment of done) {
      if (segment.receiptedBytes < segment.bytes) continue;
      await unlink(join(dir, segment.name)).catch(() => undefined);
      this.#held.delete(segment);
      spool.forget(segment);
    }
  }

  /** Reads the next durable frames, whole ones, with the head of the chain after them. */
  async #read(
    segment: Segment,
  ): Promise<{ readonly bytes: Uint8Array; readonly end: { readonly bytes: number; readonly head: ChainHead } }> {
    const { durableBytes, durableHead, receiptedBytes: from } = segment;
    if (durableBytes - from <= LIMIT.shipBytes) {
      return {
        bytes: await readRange(join(this.#options.dir, segment.name), from, durableBytes),
        end: { bytes: durableBytes, head: durableHead },
      };
    }
    const all = await readRange(join(this.#options.dir, segment.name), 0, durableBytes);
    let end = { bytes: from, head: segment.start };
    for (const step of stepsOf(all)) {
      if (step.next > from && step.next - from > LIMIT.shipBytes && end.bytes > from) break;
      end = { bytes: step.next, head: step.head };
    }
    return { bytes: all.subarray(from, end.bytes), end };
  }

  /** Somebody removed evidence, or the volume fails: the others must not wait for it. */
  #unreadable(segment: Segment, error: unknown): null {
    if (faultCode(error) === 'ENOENT') {
      this.#options.onAlert?.('segment_lost');
      this.#options.spool.forget(segment);
    } else this.#hold(segment, 'segment_unreadable');
    return null;
  }

  async #headAt(segment: Segment, bytes: number): Promise<ChainHead | null> {
    if (bytes === 0) return segment.start;
    if (bytes > segment.durableBytes) return null;
    const all = await readRange(join(this.#options.dir, segment.name), 0, bytes);
    let last: { readonly next: number; readonly head: ChainHead } | null = null;
    for (const step of stepsOf(all)) last = step;
    return last?.next === bytes ? last.head : null;
  }

  #hold(segment: Segment, why: string): number {
    this.#options.onAlert?.(why);
    this.#held.set(segment, performance.now() + LIMIT.shipBackoffMs);
    return LIMIT.shipIntervalMs;
  }

  /** Full jitter: pods that lost their collector together do not come back together. */
  #backoff(why: string, atLeastMs: number): number {
    this.#options.onAlert?.(why);
    this.#failures++;
    const limit = this.#closing === null ? LIMIT.shipBackoffMs : LIMIT.shipRetryMs;
    const ceiling = Math.min(limit, LIMIT.shipRetryMs * 2 ** Math.min(this.#failures, 16));
    return Math.max(atLeastMs, Math.ceil(this.#random() * ceiling), 1);
  }

  async #sleep(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#wake.resolve(), ms);
    if (this.#closing === null) timer.unref();
    await this.#wake.promise;
    clearTimeout(timer);
    this.#wake = Promise.withResolvers();
  }
}

function matches(receipt: Receipt, head: ChainHead): boolean {
  return receipt.up_to_seq === head.seq && receipt.head_hash === head.hash.toString('base64url');
}
