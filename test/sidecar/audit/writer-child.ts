import { writeSync } from 'node:fs';
import type { ChainId } from '#contract/brand.ts';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { evidenceOptions, outcomeFacts, requestFacts } from './facts.ts';

/**
 * Writes exchanges through the evidence of a pod until it is killed, and says on stdout what was acknowledged, a line each:
 * `R id` after the request record, `O id` after the outcome, `X` for a refusal, `S state`. Arguments: folder, chain, exchanges at
 * once, how many (0: for ever), quota in bytes.
 */
const [dir = '', chain = '', parallel = '1', count = '0', quota = '0'] = process.argv.slice(2);
const say = (text: string): void => void writeSync(1, `${text}\n`);
const own = Number(quota) > 0 ? { quotaBytes: Number(quota) } : {};
const evidence = await openEvidence(
  evidenceOptions(dir, { chain: chain as ChainId, ...own, onFault: (code) => say(`F ${code}`) }),
);
say(`S ${evidence.state()}`);
let ordinal = 0;

async function exchange(): Promise<void> {
  const id = `x${process.pid}-${String(++ordinal).padStart(8, '0')}`;
  try {
    const ledger = await evidence.request(requestFacts(id, { stream: ordinal % 2 === 0 }), {
      sent: Buffer.alloc(2_600, 'a'),
      vault: '[]',
    });
    say(`R ${id}`);
    for (let part = 0; part < ordinal % 4; part++) await ledger.part(Buffer.alloc(20_000, 'b'));
    await ledger.finish(outcomeFacts());
    say(`O ${id}`);
  } catch (error) {
    say(`X ${id} ${error instanceof Error ? error.name : 'unknown'}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

async function lane(): Promise<void> {
  for (let done = 0; Number(count) === 0 || done < Number(count); done++) await exchange();
}
await Promise.all(Array.from({ length: Number(parallel) }, lane));
say(`S ${evidence.state()}`);
await evidence.close();
