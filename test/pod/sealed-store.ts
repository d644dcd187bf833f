import { readFileSync } from 'node:fs';
import type { JWK } from 'jose';
import { framesOf, openStore } from '#cli/audit-store.ts';
import { FRAME_TYPE } from '#contract/record-frame.ts';
import { readRecord } from '#contract/record-read.ts';
import { openContentKey, openPart, parsePartName } from '#contract/seal.ts';

/** What a store holds of one exchange. */
export interface StoredExchange {
  /** The bytes that the record says were sent, opened with the auditor's key. */
  sent: Buffer;
  readonly stages: string[];
}

/** Opens everything that was sealed as sent, from the files alone. */
export async function openSent(store: string, keyFile: string): Promise<ReadonlyMap<string, StoredExchange>> {
  const key = JSON.parse(readFileSync(keyFile, 'utf8')) as JWK;
  const opened = openStore(store);
  const exchanges = new Map<string, StoredExchange>();
  const of = (id: string): StoredExchange => {
    const known = exchanges.get(id) ?? { sent: Buffer.alloc(0), stages: [] };
    exchanges.set(id, known);
    return known;
  };
  for (const chain of opened.chains) {
    let secret: Uint8Array = new Uint8Array();
    for (const { frame } of framesOf(opened, chain)) {
      if (frame.type === FRAME_TYPE.key) ({ secret } = await openContentKey(frame.payload, key));
      const name = frame.type === FRAME_TYPE.part ? parsePartName(frame.payload) : null;
      if (name?.kind === 'sent') {
        const exchange = of(name.record);
        exchange.sent = Buffer.concat([exchange.sent, await openPart(frame.payload, secret)]);
      }
      const record = name === null ? readRecord(frame)?.record : undefined;
      if (record?.id !== undefined) of(record.id).stages.push(record.stage);
    }
  }
  return exchanges;
}
