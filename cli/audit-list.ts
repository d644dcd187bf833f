import { z } from 'zod';
import type { ChainId } from '#contract/brand.ts';
import { readRecord, type StoredRecord } from '#contract/record-read.ts';
import { STAGES } from '#contract/record-build.ts';
import { parseArguments } from './arguments.ts';
import { type AuditStore, framesOf, openStore } from './audit-store.ts';
import { type CommandIo, UsageError } from './io.ts';

/** `lazaret audit list`: records in the order of their chains. */
export async function auditList(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, {
    store: 'value',
    chain: 'value',
    stage: 'values',
    id: 'value',
    provider: 'value',
    reason: 'value',
    since: 'value',
    until: 'value',
    all: 'switch',
    json: 'switch',
  });
  if (given.positionals.length > 0)
    throw new UsageError('lazaret audit list takes options only: see lazaret audit --help');
  const stages = given.values('stage');
  const unknown = stages.find((stage) => !STAGES.some((known) => known === stage));
  if (unknown !== undefined) throw new UsageError(`--stage takes one of ${STAGES.join(', ')}`);
  const store = openStore(given.required('store'));
  const since = timeOf(given.value('since'), 'since');
  const until = timeOf(given.value('until'), 'until');
  const wanted = (record: StoredRecord): boolean => {
    const facts = factsOf(record);
    if (stages.length > 0 ? !stages.includes(record.stage) : record.stage === 'checkpoint' && !given.has('all'))
      return false;
    if (given.value('id') !== undefined && given.value('id') !== record.id) return false;
    if (given.value('provider') !== undefined && given.value('provider') !== facts.provider) return false;
    if (given.value('reason') !== undefined && given.value('reason') !== facts.reason) return false;
    return wallMs(record) >= since && wallMs(record) < until;
  };
  for (const record of recordsOf(store, given.value('chain'))) {
    if (wanted(record)) io.stdout(given.has('json') ? `${JSON.stringify(record)}\n` : `${line(record)}\n`);
  }
  return 0;
}

/** Every readable record of a store, or of one chain. */
function* recordsOf(store: AuditStore, chain?: string): Generator<StoredRecord> {
  const chains: readonly ChainId[] = chain === undefined ? store.chains : store.chains.filter((each) => each === chain);
  for (const each of chains) {
    for (const { frame } of framesOf(store, each)) {
      const record = readRecord(frame)?.record;
      if (record !== undefined) yield record;
    }
  }
}

const factsSchema = z.object({
  recipient: z.object({ provider: z.string().nullish(), host: z.string().nullish() }).optional(),
  call: z.object({ model: z.string().nullish() }).optional(),
  decision: z.object({ action: z.string().nullish(), reason: z.string().nullish() }).optional(),
  actor: z.object({ workload: z.string().nullish(), attribution: z.string().nullish() }).optional(),
  phi: z.record(z.string(), z.number()).optional(),
  outcome: z.string().nullish(),
  reason: z.string().nullish(),
  status: z.number().nullish(),
});

interface Facts {
  readonly provider: string | null;
  readonly reason: string | null;
  readonly words: readonly string[];
}

function factsOf(record: StoredRecord): Facts {
  const parsed = factsSchema.safeParse(record);
  if (!parsed.success) return { provider: null, reason: null, words: [] };
  const { recipient, call, decision, actor, phi, outcome, reason, status } = parsed.data;
  const counts = Object.entries(phi ?? {}).map(([entity, count]) => `${entity}:${count}`);
  const words = [
    recipient?.host,
    call?.model,
    decision?.action,
    decision?.reason,
    ...counts,
    outcome,
    status,
    reason,
    actor?.workload,
  ];
  return {
    provider: recipient?.provider ?? null,
    reason: reason ?? decision?.reason ?? null,
    words: words.filter((word) => word !== null && word !== undefined).map(String),
  };
}

/** A record as one line of text: when, where in its chain, what. */
function line(record: StoredRecord): string {
  const when = new Date(wallMs(record)).toISOString();
  return [
    when,
    `${record.chain}:${record.seq}`,
    record.stage.padEnd(10),
    record.id ?? '-',
    ...factsOf(record).words,
  ].join(' ');
}

function wallMs(record: StoredRecord): number {
  return /^\d{1,20}$/.test(record.time.wall_ns) ? Number(BigInt(record.time.wall_ns) / 1_000_000n) : 0;
}

function timeOf(text: string | undefined, name: 'since' | 'until'): number {
  if (text === undefined) return name === 'since' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new UsageError(`--${name} takes a time as in 2026-08-31T12:00:00Z`);
  return time;
}
