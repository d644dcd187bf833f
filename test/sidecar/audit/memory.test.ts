import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { evidenceOptions, outcomeFacts, refusedFacts, requestFacts } from './facts.ts';
import { folder } from './rig.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('T29 memory stays flat over 20,000 exchanges', async () => {
  const evidence = await openEvidence(evidenceOptions(folder(), { sync: false }));
  const body = Buffer.alloc(400, 'a');
  let ordinal = 0;
  const run = async (count: number): Promise<number> => {
    for (let at = 0; at < count; at++) {
      if (at % 50 === 0) await nextTurn();
      const id = `exchange-${String(++ordinal).padStart(8, '0')}`;
      if (ordinal % 5 === 0) await evidence.refused(refusedFacts(id));
      const ledger = await evidence.request(requestFacts(id, { stream: ordinal % 2 === 0 }), {
        sent: body,
        vault: '[]',
      });
      await ledger.part(body);
      await ledger.finish(outcomeFacts());
    }
    // Handles of ciphers are freed in turns of the loop after a collection.
    for (let round = 0; round < 3; round++) {
      collect();
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  const warm = await run(4_000);
  const after = await run(16_000);
  expect(after - warm).toBeLessThan(4 * 1024 * 1024);
  await evidence.close();
});
