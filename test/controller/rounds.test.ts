import { expect, test } from 'vitest';
import { RoundFault, startRounds, wordsOf } from '#controller/rounds.ts';

const terms = { gapMs: 0, retryMs: 1, onFault: () => undefined };

test('many questions during a round are one further round', async () => {
  let count = 0;
  const gate = Promise.withResolvers<void>();
  const rounds = startRounds({
    ...terms,
    round: async () => {
      count++;
      if (count === 1) await gate.promise;
      return 60_000;
    },
  });
  await expect.poll(() => count).toBe(1);
  for (let asked = 0; asked < 5; asked++) rounds.ask();
  gate.resolve();
  await rounds.settled();
  expect(count).toBe(2);
  rounds.close();
});

test('a round that threw is told of and made again', async () => {
  let count = 0;
  const faults: unknown[] = [];
  const rounds = startRounds({
    ...terms,
    onFault: (fault) => faults.push(fault),
    round: () => {
      count++;
      return count < 3 ? Promise.reject(new Error(`round ${count}`)) : Promise.resolve(60_000);
    },
  });
  await expect.poll(() => count).toBe(3);
  expect(faults.map(String)).toEqual(['Error: round 1', 'Error: round 2']);
  rounds.close();
});

test('faults are lasting once every round has thrown for longer than the patience; a good round ends that', async () => {
  let broken = true;
  let good = 0;
  const told: boolean[] = [];
  const rounds = startRounds({
    ...terms,
    patienceMs: 250,
    onFault: (_, lasting) => told.push(lasting),
    round: () => {
      if (broken) return Promise.reject(new Error('no'));
      good++;
      return Promise.resolve(1);
    },
  });
  await expect.poll(() => told.at(-1)).toBe(true);
  expect(told[0]).toBe(false);
  broken = false;
  await expect.poll(() => good).toBeGreaterThan(0);
  const before = told.length;
  broken = true;
  await expect.poll(() => told.length).toBeGreaterThan(before);
  expect(told[before]).toBe(false);
  rounds.close();
});

test('what is told of a fault is our own words or a code', () => {
  expect(wordsOf(new RoundFault('the collector answered 403'))).toBe('the collector answered 403');
  expect(wordsOf(Object.assign(new Error('connect 10.0.0.1:8443'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  expect(wordsOf(new Error('quotes an object'))).toBe('no answer');
});

test('nothing begins after the end', async () => {
  let count = 0;
  const rounds = startRounds({ ...terms, round: () => Promise.resolve(count++) });
  await rounds.settled();
  rounds.close();
  const before = count;
  rounds.ask();
  await rounds.settled();
  expect(count).toBe(before);
});
