import { LIMIT } from '#contract/limit.ts';

/** Work that is done over and over: one round at a time, when asked, when its time comes, and again after a fault. */
export interface Rounds {
  /** Asks for a round; many questions are one. */
  ask(): void;
  /** No further round begins. */
  close(): void;
  /** When nothing is in work and nothing was asked for. */
  settled(): Promise<void>;
}

/** How rounds are made. */
export interface RoundTerms {
  /** @returns ms until the next round that nobody has to ask for */
  readonly round: () => Promise<number>;
  /** The shortest time between the beginnings of two rounds. */
  readonly gapMs: number;
  /** The wait after a round that threw. */
  readonly retryMs: number;
  /** @param lasting whether every round has thrown for longer than `patienceMs`: what starts beside us may not be there yet */
  readonly onFault: (fault: unknown, lasting: boolean) => void;
  /** Default `LIMIT.turnMs`. */
  readonly patienceMs?: number;
}

/** What of a round's fault may be told: our own words, or a transport's code. */
export function wordsOf(fault: unknown): string {
  if (fault instanceof RoundFault) return fault.message;
  return fault instanceof Error && 'code' in fault && typeof fault.code === 'string' ? fault.code : 'no answer';
}

/** A fault of which the message is of our own making, and says what to do or what was answered. */
export class RoundFault extends Error {
  override readonly name = 'RoundFault';
}

/** Starts with a round at once. */
export function startRounds(terms: RoundTerms): Rounds {
  const runner = new RoundRunner(terms);
  runner.ask();
  return runner;
}

class RoundRunner implements Rounds {
  readonly #terms: RoundTerms;
  readonly #settled: (() => void)[] = [];
  #closed = false;
  #asked = false;
  #working = false;
  #beganAt = Number.NEGATIVE_INFINITY;
  /** When the first of the rounds began that all threw. */
  #faultySince: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(terms: RoundTerms) {
    this.#terms = terms;
  }

  ask(): void {
    this.#asked = true;
    this.#plan(0);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#settle();
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      if (this.#closed || (!this.#working && !this.#asked)) this.#settle();
    });
  }

  #plan(wait: number): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#working) return;
    const least = this.#beganAt + this.#terms.gapMs - performance.now();
    const delay = Math.min(Math.max(wait, least, 0), LIMIT.turnMs);
    this.#timer = setTimeout(() => void this.#work(), delay).unref();
  }

  async #work(): Promise<void> {
    this.#asked = false;
    this.#working = true;
    this.#beganAt = performance.now();
    const wait = await this.#terms.round().then(
      (ms) => {
        this.#faultySince = null;
        return ms;
      },
      (fault: unknown) => this.#tell(fault),
    );
    this.#working = false;
    if (!this.#asked) this.#settle();
    this.#plan(this.#asked ? 0 : wait);
  }

  #tell(fault: unknown): number {
    const { onFault, patienceMs = LIMIT.turnMs, retryMs } = this.#terms;
    this.#faultySince ??= this.#beganAt;
    onFault(fault, performance.now() - this.#faultySince > patienceMs);
    return retryMs;
  }

  #settle(): void {
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}
