import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { BodyBudget, type Share, type Timer } from '#sidecar/exchange/body-budget.ts';

/** A clock that stands still until told. */
function manualTimer(): { readonly timer: Timer; readonly expire: () => void } {
  const waits = new Set<() => void>();
  return {
    timer: (_ms, then) => {
      waits.add(then);
      return { cancel: () => waits.delete(then) };
    },
    expire: () => {
      for (const then of waits) {
        waits.delete(then);
        then();
      }
    },
  };
}

/** A body that large ones wait for. */
const LARGE = LIMIT.largeBodyBytes + 1;

const settled = async () => await new Promise((resolve) => setImmediate(resolve));

describe('BodyBudget', () => {
  it('grants what fits and makes the rest wait in line', async () => {
    const { timer } = manualTimer();
    const budget = new BodyBudget(10, 1, timer);
    const first = await budget.take(8);
    let second: Share | null | undefined;
    const waiting = budget.take(5).then((share) => (second = share));
    await Promise.resolve();
    expect(second).toBeUndefined();
    first?.release();
    await waiting;
    expect(second).not.toBeNull();
    expect(budget.used).toBe(5);
  });

  it('a small body behind a waiting large one does not overtake it', async () => {
    const { timer } = manualTimer();
    const budget = new BodyBudget(10, 1, timer);
    const first = await budget.take(6);
    const order: string[] = [];
    const large = budget.take(9).then((share) => (order.push('large'), share));
    const small = budget.take(1).then((share) => (order.push('small'), share));
    first?.release();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  it('a wait that is too long ends in nothing, and those behind it are let in', async () => {
    const { timer, expire } = manualTimer();
    const budget = new BodyBudget(10, 1, timer);
    await budget.take(6);
    const large = budget.take(9);
    expire();
    expect(await large).toBeNull();
    expect(await budget.take(4)).not.toBeNull();
  });

  it('more than the whole budget is refused at once', async () => {
    expect(await new BodyBudget(10, 1, manualTimer().timer).take(11)).toBeNull();
  });

  it('a share that is released twice is given back once', async () => {
    const budget = new BodyBudget(10, 1, manualTimer().timer);
    const share = await budget.take(4);
    await budget.take(4);
    share?.release();
    share?.release();
    expect(budget.used).toBe(4);
  });

  it('lets large bodies in one after the other, and small ones past them', async () => {
    const budget = new BodyBudget(10, 1, manualTimer().timer);
    const first = await budget.enter(LARGE);
    let entered = false;
    const second = budget.enter(LARGE).then((entry) => ((entered = true), entry));
    (await budget.enter(LARGE - 1)).release();
    await settled();
    expect(entered).toBe(false);
    first.release();
    await second;
    expect(entered).toBe(true);
  });

  it('a large body whose sender takes its time does not keep the others out for longer than a wait', async () => {
    const { timer, expire } = manualTimer();
    const budget = new BodyBudget(10, 1, timer);
    const slow = await budget.enter(LARGE);
    const second = budget.enter(LARGE);
    expire();
    (await second).release();
    await budget.enter(LARGE);
    slow.release();
  });

  it('never holds more than its limit, whatever the order of bodies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 12 }), release: fc.boolean() }), { maxLength: 40 }),
        async (steps) => {
          const { timer, expire } = manualTimer();
          const budget = new BodyBudget(10, 1, timer);
          const held: Share[] = [];
          for (const { bytes, release } of steps) {
            void budget.take(bytes).then((share) => share !== null && held.push(share));
            await Promise.resolve();
            if (release) held.shift()?.release();
            expect(budget.used).toBeLessThanOrEqual(10);
          }
          expire();
          await settled();
          while (held.length > 0) {
            held.shift()?.release();
            await settled();
          }
          expect(budget.used).toBe(0);
        },
      ),
    );
  });
});
