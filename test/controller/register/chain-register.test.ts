import { describe, expect, test } from 'vitest';
import type { ChainId } from '#contract/brand.ts';
import { genesis } from '#contract/chain.ts';
import { type Expected, expectedSchema } from '#contract/chain-protocol.ts';
import { LIMIT } from '#contract/limit.ts';
import { ChainRegister } from '#controller/register/chain-register.ts';
import { guardedPod } from '#test/fake/cluster-view.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 10);
const A = 'chain-of-a' as ChainId;

function lines(register: ChainRegister): Readonly<Record<string, Expected['chains'][number]>> {
  const expected = expectedSchema.parse(JSON.parse(JSON.stringify(register.write(NOW))));
  return Object.fromEntries(expected.chains.map((line) => [line.chain, line]));
}
const manifest = (chain: ChainId, seq: number, head = 'h'.repeat(43)) => ({
  v: 1 as const,
  iat: 1,
  chains: [{ chain, seq, head }],
});

describe('the register of chains', () => {
  test('holds a pod that the collector never saw, with an empty chain', () => {
    const register = new ChainRegister(DAY);
    register.observe([guardedPod('a')], NOW);
    expect(lines(register)[A]).toEqual({
      chain: A,
      pod: 'clinic/a',
      from: '2026-01-01T00:00:00.000Z',
      to: null,
      seq: 0,
      head: genesis(A).hash.toString('base64url'),
    });
  });

  test('ends a chain when its pod is gone, failed or done, and not before', () => {
    for (const after of [[], [guardedPod('a', { phase: 'Failed' })], [guardedPod('a', { phase: 'Succeeded' })]]) {
      const register = new ChainRegister(DAY);
      register.observe([guardedPod('a')], NOW - 5);
      expect(lines(register)[A]?.to).toBeNull();
      register.observe(after, NOW);
      register.observe(after, NOW + 5);
      expect(lines(register)[A]?.to).toBe('2026-11-10T00:00:00.000Z');
    }
  });

  test('expects nothing of pods without a guard, or whose guard never ran', () => {
    const register = new ChainRegister(DAY);
    register.observe(
      [
        guardedPod('none', { chain: null }),
        guardedPod('waiting', { phase: 'Pending', ready: false }),
        guardedPod('evicted', { phase: 'Failed', ready: false }),
        guardedPod('odd', { chain: '../odd' }),
      ],
      NOW,
    );
    expect(lines(register)).toEqual({});
  });

  test('expects the chain of a pod whose guard runs while its other init containers do, and of a job that was over before we looked', () => {
    const register = new ChainRegister(DAY);
    register.observe(
      [guardedPod('init', { phase: 'Pending', ready: true }), guardedPod('job', { phase: 'Succeeded' })],
      NOW,
    );
    expect(Object.keys(lines(register))).toEqual(['chain-of-init', 'chain-of-job']);
    expect(lines(register)['chain-of-job']?.to).not.toBeNull();
  });

  test('goes on with the collector and never back', () => {
    const register = new ChainRegister(DAY);
    register.observe([guardedPod('a')], NOW);
    register.advance(manifest(A, 9));
    register.advance(manifest(A, 4, 'x'.repeat(43)));
    register.advance(manifest(A, 9, 'x'.repeat(43)));
    register.advance({ v: 1, iat: 2, chains: [] });
    expect(lines(register)[A]).toMatchObject({ seq: 9, head: 'h'.repeat(43) });
  });

  test('forgets a chain when its retention is over, never one that lives', () => {
    const register = new ChainRegister(DAY);
    register.observe([guardedPod('a'), guardedPod('b')], NOW);
    register.observe([guardedPod('b')], NOW);
    register.prune(NOW + DAY);
    expect(Object.keys(lines(register))).toEqual(['chain-of-a', 'chain-of-b']);
    register.prune(NOW + DAY + 1);
    expect(Object.keys(lines(register))).toEqual(['chain-of-b']);
    register.prune(NOW + 5_000 * DAY);
    expect(Object.keys(lines(register))).toEqual(['chain-of-b']);
  });

  test('goes on from the last list after a restart: what ended stays, what lives is found again', () => {
    const before = new ChainRegister(DAY);
    before.observe([guardedPod('a'), guardedPod('b'), guardedPod('c')], NOW);
    before.advance(manifest(A, 9));
    before.observe([guardedPod('b'), guardedPod('c')], NOW);
    const after = new ChainRegister(DAY);
    // The watch may be faster than the collector.
    after.observe([guardedPod('b')], NOW + 1_000);
    after.resume(before.write(NOW));
    after.observe([guardedPod('b')], NOW + 1_000);
    expect(lines(after)[A]).toEqual(lines(before)[A]);
    expect(lines(after)['chain-of-b']?.to).toBeNull();
    expect(lines(after)['chain-of-c']?.to).toBe('2026-11-10T00:00:01.000Z');
  });

  test('takes no more than its bound, counts what it refused, and drops nothing that stands', () => {
    const register = new ChainRegister(DAY);
    const pods = Array.from({ length: LIMIT.expectedChains + 3 }, (_, index) => guardedPod(`p${index}`));
    register.observe(pods, NOW);
    expect(register.size).toBe(LIMIT.expectedChains);
    expect(register.takeRefused()).toBe(3);
    expect(register.takeRefused()).toBe(0);
    register.observe([], NOW);
    expect(register.size).toBe(LIMIT.expectedChains);
  });

  test('of full size fits into what the collector takes', () => {
    const register = new ChainRegister(DAY);
    const long = 'n'.repeat(63);
    register.observe(
      Array.from({ length: LIMIT.expectedChains }, (_, index) =>
        guardedPod(`${long}-${index}`, { namespace: long, chain: `${'c'.repeat(38)}${index}` }),
      ),
      NOW,
    );
    expect((JSON.stringify(register.write(NOW)).length * 4) / 3).toBeLessThan(LIMIT.expectedBytes);
  });
});
