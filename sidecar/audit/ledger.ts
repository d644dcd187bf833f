import { LIMIT } from '#contract/limit.ts';
import { buildOutcome, type SealedSizes } from '#contract/record-build.ts';
import type { OutcomeFacts } from '#contract/record.ts';
import { AuditUnavailable, type Ledger } from '#sidecar/exchange/evidence.ts';
import type { Spool } from './spool.ts';
import type { SpoolEntry } from './spool-entry.ts';

/** What a ledger is told about its exchange. */
export interface LedgerFacts {
  readonly exchange: string;
  readonly stream: boolean;
  /** Called once, when the outcome is written or can no longer be. */
  readonly onEnd: () => void;
}

/** The record of one running exchange: seals what the provider answers, in parts, and its outcome. */
export class ExchangeLedger implements Ledger {
  readonly #spool: Spool;
  readonly #facts: LedgerFacts;
  readonly #partBytes: number;
  #pieces: Uint8Array[] = [];
  #pending = 0;
  #received = 0;
  #parts = 0;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;
  /** A part was not taken: the record is not whole, so the answer may not end as if it were. */
  #fault: AuditUnavailable | null = null;

  constructor(spool: Spool, facts: LedgerFacts) {
    this.#spool = spool;
    this.#facts = facts;
    this.#partBytes = facts.stream ? LIMIT.streamPartBytes : LIMIT.partBytes;
  }

  async part(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return;
    this.#received += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + this.#partBytes - this.#pending);
      this.#pieces.push(piece);
      this.#pending += piece.length;
      at += piece.length;
      if (this.#pending >= this.#partBytes) {
        this.#append([this.#seal()]);
        await this.#spool.room();
      }
    }
    if (this.#facts.stream && this.#pending > 0)
      this.#timer ??= setTimeout(() => this.#age(), LIMIT.streamPartMs).unref();
    if (this.#fault !== null) throw this.#fault;
  }

  async finish(outcome: OutcomeFacts): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const entries: SpoolEntry[] = this.#pending > 0 ? [this.#seal()] : [];
    const content: SealedSizes = this.#parts > 0 ? { received: { bytes: this.#received, parts: this.#parts } } : {};
    const whole = this.#fault === null ? content : { ...content, truncated: true };
    entries.push({
      kind: 'record',
      signed: false,
      build: (place) => buildOutcome(place, this.#facts.exchange, outcome, whole),
    });
    try {
      await this.#spool.append(entries, 'past');
    } finally {
      this.#facts.onEnd();
    }
    if (this.#fault !== null) throw this.#fault;
  }

  #age(): void {
    this.#timer = null;
    if (!this.#ended && this.#pending > 0) this.#append([this.#seal()]);
  }

  #append(entries: readonly SpoolEntry[]): void {
    this.#spool.append(entries, 'past').catch((error: unknown) => {
      this.#fault ??=
        error instanceof AuditUnavailable ? error : new AuditUnavailable('the answer could not be sealed');
    });
  }

  #seal(): SpoolEntry {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const plain = this.#pieces;
    this.#pieces = [];
    this.#pending = 0;
    return { kind: 'part', name: { record: this.#facts.exchange, kind: 'received', part: this.#parts++ }, plain };
  }
}
