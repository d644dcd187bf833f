import { LIMIT } from '#contract/limit.ts';

/** Memory taken from the budget; give it back once. */
export interface Share {
  release(): void;
}

const NO_SHARE: Share = { release: () => undefined };

/** The clock of a wait: calls back once after so many milliseconds unless cancelled. */
export type Timer = (ms: number, then: () => void) => { cancel(): void };

/**
 * Bounds the request bodies in flight together. A body that does not fit waits in line; a wait that is too long
 * ends in `busy`, so that memory is bounded and nobody hangs.
 */
export class BodyBudget {
  readonly #limit: number;
  readonly #waitMs: number;
  readonly #timer: Timer;
  #used = 0;
  readonly #line: { readonly bytes: number; readonly enter: () => void }[] = [];
  /** Ends with the turn that was given last. */
  #turn: Promise<void> = Promise.resolve();
  /** Ends when the large body that was let in last is done with. */
  #entry: Promise<void> = Promise.resolve();

  constructor(limit: number, waitMs: number, timer: Timer) {
    this.#limit = limit;
    this.#waitMs = waitMs;
    this.#timer = timer;
  }

  /** Bytes taken now. */
  get used(): number {
    return this.#used;
  }

  /**
   * @param bytes what the body may take; more than the whole budget is refused at once
   * @returns the share, or null when it did not become free in time
   */
  async take(bytes: number): Promise<Share | null> {
    if (bytes > this.#limit) return null;
    if (this.#line.length === 0 && this.#used + bytes <= this.#limit) return this.#grant(bytes);
    return await new Promise((resolve) => {
      const entry = {
        bytes,
        enter: () => {
          wait.cancel();
          resolve(this.#grant(bytes));
        },
      };
      const wait = this.#timer(this.#waitMs, () => {
        this.#line.splice(this.#line.indexOf(entry), 1);
        resolve(null);
        this.#admit();
      });
      this.#line.push(entry);
    });
  }

  /**
   * Lets large bodies be read one after the other, so that one that waits for its turn waits at its sender and not in memory. A
   * sender that takes its time holds up the others only so long (`LIMIT.largeBodyWaitMs`): then they are read beside it.
   * @param bytes as declared; small bodies pass by
   * @returns the entry; whoever has it must release it when the body is done with
   */
  async enter(bytes: number): Promise<Share> {
    if (bytes <= LIMIT.largeBodyBytes) return NO_SHARE;
    const before = this.#entry;
    const own = Promise.withResolvers<void>();
    this.#entry = own.promise;
    const late = Promise.withResolvers<void>();
    const wait = this.#timer(LIMIT.largeBodyWaitMs, late.resolve);
    await Promise.race([before, late.promise]);
    wait.cancel();
    return { release: own.resolve };
  }

  /**
   * Lets large bodies be examined and recorded one after the other: meanwhile each takes many times its size, and two at once
   * would not be done sooner. Small ones pass by.
   * @returns the turn; whoever has it must release it
   */
  async turn(bytes: number): Promise<Share> {
    if (bytes <= LIMIT.largeBodyBytes) return NO_SHARE;
    const before = this.#turn;
    const own = Promise.withResolvers<void>();
    this.#turn = own.promise;
    await before;
    return { release: own.resolve };
  }

  #grant(bytes: number): Share {
    this.#used += bytes;
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#used -= bytes;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (let next = this.#line[0]; next !== undefined && this.#used + next.bytes <= this.#limit; next = this.#line[0]) {
      this.#line.shift();
      next.enter();
    }
  }
}
