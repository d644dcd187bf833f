import { mkdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainId } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import {
  buildBlocked,
  buildCheckpoint,
  buildClose,
  buildConnection,
  buildOpen,
  buildOutcome,
  buildRequest,
  buildRestartOutcome,
  type CheckpointFacts,
} from '#contract/record-build.ts';
import type { ConnectionRecordFacts, ExchangeContent, RefusedFacts, RequestFacts } from '#contract/record.ts';
import { AuditUnavailable, type Evidence, type EvidenceState, type Ledger } from '#sidecar/exchange/evidence.ts';
import { type AuditClock, systemClock } from './clock.ts';
import { ContentKeys } from './content-key.ts';
import { cutOutcome } from './cut-outcome.ts';
import { ExchangeLedger } from './ledger.ts';
import { partsOf, sizesOf } from './part-entry.ts';
import type { Recipient } from './recipients.ts';
import { scanSpool, spoolFolder, type SpoolScan } from './scan.ts';
import { SigningKey } from './signing-key.ts';
import { Spool } from './spool.ts';
import type { SpoolEntry } from './spool-entry.ts';
import { Late } from './spool-fault.ts';
import { memoryVolume } from './volume.ts';

/** What the evidence of a pod needs to know. */
export interface EvidenceOptions {
  /** Folder of the spool, this pod's alone, on a disk volume. Made when it is missing. */
  readonly dir: string;
  readonly chain: ChainId;
  readonly workload: string;
  readonly version: string;
  /** SHA-256 of the configuration, base64url. */
  readonly config: string;
  readonly recipients: readonly Recipient[];
  readonly quotaBytes?: number;
  /** `false` only in a benchmark: records are then not durable. */
  readonly sync?: boolean;
  /** Only tests may put the spool into memory. */
  readonly allowMemory?: boolean;
  readonly clock?: AuditClock;
  /** Told each fault of the volume by its code (`ENOSPC`, `EIO`, `slow`). */
  readonly onFault?: (code: string) => void;
}

/**
 * Opens the evidence of this pod: reads what a process before left, makes a signing key, writes the durable open record
 * and the outcome of exchanges that were cut. A volume that does not take writes does not throw here: `state` refuses.
 * @throws Error when the folder cannot be read or lies in memory
 */
export async function openEvidence(options: EvidenceOptions): Promise<PodEvidence> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const memory = memoryVolume(options.dir);
  if (memory !== null && options.allowMemory !== true) {
    throw new Error(
      `the spool folder lies on ${memory}, which is lost with the node's memory: mount a disk volume there`,
    );
  }
  const dir = spoolFolder(options.dir, options.chain);
  const scan = scanSpool(dir, options.chain);
  const evidence = new PodEvidence({ ...options, dir }, scan, SigningKey.create());
  await evidence.begin(scan);
  return evidence;
}

/** The evidence of this pod. */
export class PodEvidence implements Evidence {
  readonly signing: SigningKey;
  readonly spool: Spool;
  /** Where the segments lie. */
  readonly dir: string;
  readonly #options: EvidenceOptions;
  readonly #keys: ContentKeys;
  /** Called when bytes became durable: the sender looks for what is new. */
  onDurable: () => void = () => undefined;
  readonly #running = new Set<ExchangeLedger>();
  #timer: NodeJS.Timeout | null = null;
  #checkpointFrames = 0;
  #checkpointMs = 0;

  constructor(options: EvidenceOptions, scan: SpoolScan, signing: SigningKey) {
    this.#options = options;
    this.dir = options.dir;
    this.#keys = new ContentKeys(options.recipients);
    this.signing = signing;
    const identity = { chain: options.chain, signing, clock: options.clock ?? systemClock };
    this.spool = new Spool(
      {
        dir: options.dir,
        quotaBytes: options.quotaBytes ?? LIMIT.spoolBytes,
        sync: options.sync ?? true,
        identity,
        keys: this.#keys,
        onDurable: () => this.onDurable(),
        onFault: (code) => options.onFault?.(code),
      },
      scan,
    );
  }

  /** Writes the first records. The open record follows the head of the process before, so this key countersigns that chain. */
  async begin(scan: SpoolScan): Promise<void> {
    const { workload, version, config } = this.#options;
    const { kid, public: key } = this.signing;
    const recovered = { cut: scan.cut, quarantined: scan.quarantined, orphans: scan.orphans.length };
    const open: SpoolEntry = {
      kind: 'record',
      signed: true,
      build: (place) => buildOpen(place, { key, kid, workload, version, config, mode: 'strict', recovered }),
    };
    const cut = scan.orphans.map(
      (id): SpoolEntry => ({ kind: 'record', signed: false, build: (place) => buildRestartOutcome(place, id) }),
    );
    const opened = this.spool.append([open, ...cut], 'past');
    await this.spool.begin();
    // A volume that fails now shows in `state`; the records wait until it takes them.
    await opened.catch(() => undefined);
    this.#timer = setInterval(() => this.#tick(), LIMIT.checkpointMs).unref();
  }

  async request(facts: RequestFacts, content: ExchangeContent): Promise<Ledger> {
    const parts = [
      ...partsOf(facts.exchange, 'sent', content.sent),
      ...partsOf(facts.exchange, 'vault', Buffer.from(content.vault)),
    ];
    if (content.user !== undefined) parts.push(...partsOf(facts.exchange, 'user', Buffer.from(content.user)));
    const sizes = sizesOf(parts);
    const record: SpoolEntry = { kind: 'record', signed: false, build: (place) => buildRequest(place, facts, sizes) };
    const last = parts.length <= 3 ? [...parts, record] : [...(await this.#sealAhead(parts)), record];
    const appended = this.spool.append(last, 'new');
    const segment = await appended.catch((error: unknown) => {
      if (error instanceof Late) this.#abandon(facts.exchange);
      throw error;
    });
    const unpin = segment.pin();
    const onEnd = (): void => {
      unpin();
      this.#running.delete(ledger);
      this.onDurable();
    };
    const ledger = new ExchangeLedger(this.spool, { exchange: facts.exchange, stream: facts.stream, onEnd });
    this.#running.add(ledger);
    return ledger;
  }

  async refused(facts: RefusedFacts): Promise<void> {
    await this.spool.append([{ kind: 'record', signed: false, build: (place) => buildBlocked(place, facts) }], 'new');
  }

  connection(facts: ConnectionRecordFacts): void {
    const id = `connection-${this.signing.kid.slice(0, 8)}-${facts.connection}`;
    const parts = facts.listed || facts.host === null ? [] : partsOf(id, 'host', Buffer.from(facts.host));
    const sizes = sizesOf(parts);
    this.spool
      .append(
        [...parts, { kind: 'record', signed: false, build: (place) => buildConnection(place, id, facts, sizes) }],
        'past',
      )
      .catch(() => undefined);
  }

  state(): EvidenceState {
    return this.spool.status().state;
  }

  /** Ends what still runs as cut, writes the close record and ends the spool. What is durable may still be sent. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    // Exchanges that outlived the drain: that they were cut is their outcome.
    const cut = [...this.#running].map((ledger) => ledger.finish(cutOutcome('cut', 'internal_error')));
    await Promise.allSettled(cut);
    const close: SpoolEntry = {
      kind: 'record',
      signed: true,
      build: (place) => buildClose(place, this.#checkpointFacts()),
    };
    await this.spool.append([close], 'past').catch(() => undefined);
    await this.spool.close();
  }

  /** Seals all but the last parts of a large request, a turn of the event loop each, and waits for the disk where it is ahead. */
  async #sealAhead(parts: readonly SpoolEntry[]): Promise<readonly SpoolEntry[]> {
    let refused: unknown = null;
    for (const part of parts.slice(0, -1)) {
      await this.#keys.prepared();
      await this.spool.room();
      this.spool.append([part], 'new').catch((error: unknown) => {
        refused ??= error;
      });
      await nextTurn();
      if (refused !== null)
        throw refused instanceof AuditUnavailable ? refused : new AuditUnavailable('the request could not be sealed');
    }
    return parts.slice(-1);
  }

  /** The request record may have reached the disk after its deadline: say that nothing left. */
  #abandon(exchange: string): void {
    const entry: SpoolEntry = {
      kind: 'record',
      signed: false,
      build: (place) => buildOutcome(place, exchange, cutOutcome('refused', 'audit_unavailable'), {}),
    };
    this.spool.append([entry], 'past').catch(() => undefined);
  }

  #tick(): void {
    const { frames, bytes, limit } = this.spool.status();
    const now = Number((this.#options.clock ?? systemClock).mono() / 1_000_000n);
    const due = frames > this.#checkpointFrames || now - this.#checkpointMs >= LIMIT.checkpointIdleMs;
    if (!due || bytes > limit) return;
    const entry: SpoolEntry = {
      kind: 'record',
      signed: true,
      build: (place) => buildCheckpoint(place, this.#checkpointFacts()),
    };
    this.spool.append([entry], 'past').catch(() => undefined);
    this.#checkpointFrames = this.spool.status().frames;
    this.#checkpointMs = now;
  }

  #checkpointFacts(): CheckpointFacts {
    const { bytes, limit, lost, frames } = this.spool.status();
    return { records: frames, running: this.#running.size, spool: { bytes, limit }, lost };
  }
}
