import type { ExchangeId } from '#contract/brand.ts';
import type { ExchangeDecision, HeadDecision } from '#contract/policy-facts.ts';
import type { Reason } from '#contract/reason.ts';
import type { EntityCounts, Outcome, PolicyMode } from '#contract/record.ts';
import type { Operation } from '#llm/dialect.ts';
import type { ExchangePorts, ExchangeReport } from './exchange-ports.ts';
import type { InboundRequest } from './ports.ts';

type Stage = keyof Omit<ExchangeReport['durations'], 'total'>;

/**
 * What is known of one exchange so far, for its report. It only counts and names; nothing is decided by it, and no
 * text of a request or response enters it.
 */
export class Tally {
  readonly id: ExchangeId;
  readonly started: number;
  provider = 'unknown';
  agreement: string | null = null;
  dialect = 'unknown';
  mode: PolicyMode = 'enforce';
  reason: Reason | null = null;
  would: Reason | null = null;
  outcome: Outcome | 'not_sent' = 'not_sent';
  status: number | null = null;
  stream = false;
  counts: EntityCounts = {};
  restored = 0;
  droppedFields = 0;
  received = 0;
  sent = 0;
  firstByte: number | null = null;
  checks: readonly string[] = [];
  usage: { readonly input: number; readonly output: number } | null = null;
  servedModel: string | null = null;
  answerBytes = 0;
  returnedBytes = 0;
  readonly #spent: Record<Stage, number> = { read: 0, redact: 0, record: 0, provider: 0, restore: 0 };
  readonly #mono: () => number;

  constructor(ports: Pick<ExchangePorts, 'mintId' | 'mono'>) {
    this.id = ports.mintId();
    this.#mono = ports.mono;
    this.started = ports.mono();
  }

  /** Takes over what a decision says of the provider and of the checks that were made. */
  decided(decision: HeadDecision | ExchangeDecision, operation: Operation | null): void {
    this.provider = decision.provider ?? 'unknown';
    this.agreement = decision.agreement;
    this.dialect = operation?.dialect ?? 'unknown';
    this.checks = decision.checks.map(({ name }) => name);
    if (decision.kind === 'refuse') return;
    this.mode = decision.mode;
    this.would = decision.would ?? null;
  }

  /** Adds the time of a piece of work to a stage. */
  time<T>(stage: Stage, work: () => T): T {
    const from = this.#mono();
    try {
      return work();
    } finally {
      this.#spent[stage] += this.#mono() - from;
    }
  }

  /** Adds the time of a piece of waiting to a stage. */
  async timeAsync<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const from = this.#mono();
    try {
      return await work();
    } finally {
      this.#spent[stage] += this.#mono() - from;
    }
  }

  /** Milliseconds since the request's head. */
  get elapsed(): number {
    return this.#mono() - this.started;
  }

  /** Milliseconds that the guard itself took. */
  get overhead(): number {
    const { redact, record, restore } = this.#spent;
    return redact + record + restore;
  }

  report({ connection }: Pick<InboundRequest, 'connection'>): ExchangeReport {
    return {
      exchange: this.id,
      connection: connection.id,
      provider: this.provider,
      host: connection.host,
      dialect: this.dialect,
      mode: this.mode,
      reason: this.reason,
      would: this.would,
      agreement: this.agreement,
      outcome: this.outcome,
      status: this.status,
      stream: this.stream,
      counts: this.counts,
      restored: this.restored,
      droppedFields: this.droppedFields,
      bytes: { received: this.received, sent: this.sent },
      durations: { total: this.elapsed, ...this.#spent },
    };
  }
}
