import type { Refusal } from '#contract/reason.ts';
import type { Answering } from './answer.ts';
import { outcomeFacts } from './record-facts.ts';
import { cutStream, sendRefusal } from './refusal.ts';
import type { Run } from './run-exchange.ts';

/** Withholds (the rest of) an answer: its outcome is recorded, the client gets the reason, and nothing that looks whole. */
export async function cutAnswer(run: Run, { ledger }: Pick<Answering, 'ledger'>, refusal: Refusal): Promise<void> {
  const { request, reply, tally, progress } = run;
  tally.reason = refusal.reason;
  tally.outcome = progress.headSent ? 'cut' : 'refused';
  await tally.timeAsync('record', async () => await ledger.finish(outcomeFacts(tally)));
  if (progress.headSent) return await cutStream(request, reply, refusal, tally.id);
  progress.headSent = true;
  await sendRefusal(request, reply, refusal, tally.id);
}
