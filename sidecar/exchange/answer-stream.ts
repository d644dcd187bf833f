import type { Refusal } from '#contract/reason.ts';
import { createStreamRestorer, type StreamRestorer } from '#llm/stream.ts';
import { createRestorer, type Restorer } from '#phi/restore.ts';
import type { Answering } from './answer.ts';
import { cutAnswer } from './answer-fault.ts';
import { clientFields } from './header-fields.ts';
import { outcomeFacts } from './record-facts.ts';
import type { Run } from './run-exchange.ts';
import { ThinkingBlocks } from './thinking-memory.ts';

/** One stream while it is restored. */
interface Relay {
  readonly stage: StreamRestorer;
  readonly restorers: readonly Restorer[];
  readonly thinking: ThinkingBlocks;
  held: number;
}

/**
 * An event stream: each piece is kept for the record, restored and released as it comes. Only the event that ends the
 * stream waits, until the outcome is durable; a stream that breaks off is cut after what it held (T5).
 */
export async function answerStream(run: Run, answering: Answering): Promise<void> {
  const { reply, tally, ports } = run;
  const { operation, prepared, response } = answering;
  const restorers: Restorer[] = [];
  const thinking = new ThinkingBlocks();
  const stage = createStreamRestorer(operation.dialect, {
    documents: prepared.documents,
    onLocked: (text, block) => thinking.add(text, block),
    restorer: (form) => {
      const restorer = createRestorer(prepared.vault, form);
      restorers.push(restorer);
      return restorer;
    },
  });
  const relay: Relay = { stage, restorers, thinking, held: 0 };
  tally.stream = true;
  run.progress.headSent = true;
  reply.head(response.status, [...clientFields(response.headers), ['x-lazaret-exchange', tally.id]]);
  try {
    const refusal = await relayChunks(run, answering, relay);
    if (refusal !== null) return await cutAnswer(run, answering, refusal);
    await reply.end();
  } finally {
    ports.holdback(-relay.held);
  }
}

async function relayChunks(run: Run, answering: Answering, relay: Relay): Promise<Refusal | null> {
  const { tally } = run;
  const { stage } = relay;
  for await (const chunk of answering.response.body) {
    tally.answerBytes += chunk.length;
    await answering.ledger.part(chunk);
    const step = tally.time('restore', () => stage.push(chunk));
    note(run, relay);
    if (step.fault !== undefined) return await release(run, step.out, { reason: step.fault });
    if (stage.meta.terminal !== 'none') return await releaseLast(run, answering, { relay, out: step.out });
    await release(run, step.out, null);
  }
  const step = tally.time('restore', () => stage.end());
  note(run, relay);
  if (step.fault !== undefined) return await release(run, step.out, { reason: step.fault });
  if (stage.meta.terminal !== 'none') return await releaseLast(run, answering, { relay, out: step.out });
  // Over without its terminal event: what is there is released, and the reason says that the rest is missing.
  return await release(run, step.out, { reason: 'upstream_unreachable' });
}

async function release(
  { reply, tally }: Run,
  out: readonly Uint8Array[],
  refusal: Refusal | null,
): Promise<Refusal | null> {
  for (const piece of out) {
    tally.returnedBytes += piece.length;
    await reply.write(piece);
  }
  return refusal;
}

/** The stream is complete: its outcome is made durable, and only then does the client learn of the end. */
async function releaseLast(
  run: Run,
  { ledger, prepared }: Answering,
  { relay, out }: { readonly relay: Relay; readonly out: readonly Uint8Array[] },
): Promise<null> {
  const { tally, ports } = run;
  for (const text of relay.thinking.all()) ports.thinking.remember(text, prepared.vault);
  tally.outcome = 'completed';
  await tally.timeAsync('record', async () => await ledger.finish(outcomeFacts(tally)));
  await release(run, out, null);
  return null;
}

function note({ ports, tally }: Run, relay: Relay): void {
  const { meta, held } = relay.stage;
  ports.holdback(held - relay.held);
  relay.held = held;
  tally.restored = relay.restorers.reduce((sum, restorer) => sum + restorer.restored, 0);
  tally.servedModel = meta.model ?? null;
  tally.usage = meta.usage === undefined ? null : { input: meta.usage.input ?? 0, output: meta.usage.output ?? 0 };
}
