import { expect, test } from 'vitest';
import { startRounds } from '#controller/rounds.ts';

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
