import { LIMIT } from '#contract/limit.ts';
import { parseResponse } from '#llm/parse-response.ts';
import { createRestorer } from '#phi/restore.ts';
import type { Answering } from './answer.ts';
import { cutAnswer } from './answer-fault.ts';
import { clientFields } from './header-fields.ts';
import { outcomeFacts } from './record-facts.ts';
import type { Run } from './run-exchange.ts';

/** A whole answer: read, recorded, restored, its outcome durable, then released. */
export async function answerPlain(run: Run, answering: Answering): Promise<void> {
  const { reply, tally } = run;
  const { response, ledger } = answering;
  const raw = await tally.timeAsync('provider', async () => await readWhole(run, answering));
  const body = raw === null ? null : tally.time('restore', () => restoreWhole(run, answering, raw));
  if (body === null) return await cutAnswer(run, answering, { reason: 'response_unreadable' });
  tally.outcome = 'completed';
  tally.returnedBytes = body.length;
  await tally.timeAsync('record', async () => await ledger.finish(outcomeFacts(tally)));
  run.progress.headSent = true;
  reply.head(response.status, [...clientFields(response.headers), ['x-lazaret-exchange', tally.id]], body.length);
  await reply.write(body);
  await reply.end();
}

async function readWhole({ tally }: Run, { response, ledger }: Answering): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) {
    tally.answerBytes += chunk.length;
    if (tally.answerBytes > LIMIT.responseBytes) return null;
    await ledger.part(chunk);
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}

/** Restores the surrogates of this exchange in the content of an answer, and nowhere else in it (T16). */
function restoreWhole({ ports, tally }: Run, { operation, prepared }: Answering, raw: Uint8Array): Uint8Array | null {
  const parsed = parseResponse(operation.dialect, raw, { documents: prepared.documents });
  if (parsed.kind === 'refused') return null;
  const { meta, sites, locked } = parsed.response;
  for (const text of locked) ports.thinking.remember(text, prepared.vault);
  tally.servedModel = meta.model ?? null;
  tally.usage = meta.usage === undefined ? null : { input: meta.usage.input ?? 0, output: meta.usage.output ?? 0 };
  const texts = sites.map((site) => {
    const restorer = createRestorer(prepared.vault, site.form);
    const text = [...restorer.push(site.text), ...restorer.end()].join('');
    tally.restored += restorer.restored;
    return text;
  });
  return parsed.response.rewrite(texts);
}
