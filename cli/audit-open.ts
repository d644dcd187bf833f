import type { JWK } from 'jose';
import { z } from 'zod';
import type { ChainId } from '#contract/brand.ts';
import { isExchangeId } from '#contract/chain.ts';
import { parseJson } from '#contract/chain-signature.ts';
import { FRAME_TYPE } from '#contract/record-frame.ts';
import { readRecord, type StoredRecord } from '#contract/record-read.ts';
import { openContentKey, openPart, parsePartName, type SealedKind } from '#contract/seal.ts';
import { parseArguments } from './arguments.ts';
import { type AuditStore, framesOf, openStore } from './audit-store.ts';
import { type CommandIo, UsageError } from './io.ts';

const privateKeySchema = z.looseObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** An exchange in clear. Bytes that are not UTF-8 stand in base64 under `<name>_base64`. */
interface OpenedExchange {
  readonly chain: ChainId;
  readonly records: readonly StoredRecord[];
  readonly content: ReadonlyMap<SealedKind, Uint8Array>;
}

interface Sealed {
  readonly kind: SealedKind;
  readonly part: number;
  readonly kid: string;
  readonly jwe: Uint8Array;
}

/** `lazaret audit open`: one exchange in clear, with the auditor's or the escrow's private key. */
export async function auditOpen(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { store: 'value', key: 'value', id: 'value', json: 'switch' });
  if (given.positionals.length > 0)
    throw new UsageError('lazaret audit open takes options only: see lazaret audit --help');
  const store = openStore(given.required('store'));
  const path = given.required('key');
  const id = given.required('id');
  if (!isExchangeId(id))
    throw new UsageError(
      '--id takes the id of an exchange: the x-lazaret-exchange header shows it, and lazaret audit list',
    );
  const text = await io.readFile(path).catch(() => {
    throw new UsageError(`${path} cannot be read: name a private key that you may read`);
  });
  const key = privateKeySchema.safeParse(parseJson(text));
  if (!key.success)
    throw new UsageError(`${path} is no private P-256 JWK: name auditor.private.jwk or escrow.private.jwk`);
  const opened = await openExchange(store, id, key.data);
  if (opened === null) {
    io.stderr('no record of this exchange is in the store\n');
    return 1;
  }
  if (opened === 'wrong_key') {
    io.stderr(
      'this key opens no record of this exchange: it was sealed to other recipients, or it was changed; see lazaret audit verify\n',
    );
    return 1;
  }
  io.stdout(given.has('json') ? `${JSON.stringify(jsonOf(id, opened))}\n` : readable(id, opened));
  return 0;
}

/** Finds and opens everything of one exchange. */
async function openExchange(store: AuditStore, id: string, key: JWK): Promise<OpenedExchange | 'wrong_key' | null> {
  for (const chain of store.chains) {
    const { records, sealed, wrapped } = collect(store, chain, id);
    if (records.length === 0) continue;
    const content = await unseal(sealed, wrapped, key);
    return content === null ? 'wrong_key' : { chain, records, content };
  }
  return null;
}

function collect(store: AuditStore, chain: ChainId, id: string) {
  const records: StoredRecord[] = [];
  const sealed: Sealed[] = [];
  const wrapped = new Map<string, Uint8Array>();
  let key: Uint8Array | null = null;
  for (const { frame } of framesOf(store, chain)) {
    if (frame.type === FRAME_TYPE.key) key = frame.payload;
    const name = frame.type === FRAME_TYPE.part ? parsePartName(frame.payload) : null;
    if (name?.record === id) {
      sealed.push({ kind: name.kind, part: name.part, kid: name.kid, jwe: frame.payload });
      if (key !== null) wrapped.set(name.kid, key);
    }
    const record = name === null ? readRecord(frame)?.record : undefined;
    if (record?.id === id) records.push(record);
  }
  return { records, sealed, wrapped };
}

async function unseal(
  sealed: readonly Sealed[],
  wrapped: ReadonlyMap<string, Uint8Array>,
  key: JWK,
): Promise<ReadonlyMap<SealedKind, Uint8Array> | null> {
  const secrets = new Map<string, Uint8Array>();
  const content = new Map<SealedKind, Uint8Array>();
  try {
    for (const [kid, jwe] of wrapped) {
      const opened = await openContentKey(jwe, key);
      if (opened.kid === kid) secrets.set(kid, opened.secret);
    }
    for (const { kind, kid, jwe } of [...sealed].sort((one, other) => one.part - other.part)) {
      const secret = secrets.get(kid);
      if (secret === undefined) return null;
      content.set(kind, Buffer.concat([content.get(kind) ?? new Uint8Array(), await openPart(jwe, secret)]));
    }
  } catch {
    // jose's words may name what was read; the caller says what it means.
    return null;
  }
  return content;
}

function jsonOf(id: string, { chain, records, content }: OpenedExchange): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = { exchange: id, chain };
  for (const record of records)
    fields[
      record.stage === 'request'
        ? 'request'
        : record.stage === 'response'
          ? 'outcome'
          : record.stage === 'error'
            ? 'outcome'
            : record.stage
    ] = record;
  for (const [kind, bytes] of content) {
    const text = textOf(bytes);
    if (text === null) fields[`${kind}_base64`] = Buffer.from(bytes).toString('base64');
    else fields[kind] = kind === 'vault' ? (parseJson(text) ?? text) : text;
  }
  return fields;
}

const TITLES: Readonly<Record<SealedKind, string>> = {
  sent: 'request, as it was sent to the provider',
  vault: 'vault: surrogates and what they stand for',
  user: 'user',
  received: 'response, as the provider sent it',
  host: 'host that the connection asked for',
};

function readable(id: string, { chain, records, content }: OpenedExchange): string {
  const parts = [`exchange ${id} of chain ${chain}\n`];
  for (const record of records)
    parts.push(`\n== record ${record.seq}, ${record.stage}\n${JSON.stringify(record, null, 2)}\n`);
  for (const [kind, bytes] of content)
    parts.push(
      `\n== ${TITLES[kind]} (${bytes.length} bytes)\n${textOf(bytes) ?? Buffer.from(bytes).toString('base64')}\n`,
    );
  return parts.join('');
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
