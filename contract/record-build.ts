import type { ChainLink } from './chain.ts';
import type { PublicKey } from './chain-signature.ts';
import { ENTITIES } from './entity.ts';
import { clearAddress, clearModel, clearOr, clearWord, clearWorkload, UNLISTED } from './record-clear.ts';
import type { ConnectionRecordFacts, EntityCounts, OutcomeFacts, RefusedFacts, RequestFacts } from './record.ts';

/** When a record was made: wall clock in nanoseconds since 1970 and the process's monotonic clock, both exceed JSON-safe integers. */
export interface RecordTime {
  readonly wall_ns: string;
  readonly mono_ns: string;
}

/** How much of each kind was sealed with a record: bytes before sealing, and parts. */
export type SealedSizes = Readonly<
  Partial<Record<'sent' | 'vault' | 'user' | 'received' | 'host', { readonly bytes: number; readonly parts: number }>>
>;

/** Where and when a record stands. */
export interface RecordPlace {
  readonly link: ChainLink;
  readonly time: RecordTime;
}

/** A record as JSON. Readers tolerate unknown fields; writers only make these. */
export type RecordJson = Readonly<Record<string, unknown>>;

/** The record of a request, durable before a byte of it leaves. */
export function buildRequest(place: RecordPlace, facts: RequestFacts, content: SealedSizes): RecordJson {
  return {
    ...envelope(place, 'request', facts.exchange),
    connection: facts.connection,
    actor: actorOf(facts),
    recipient: recipientOf(facts),
    call: { dialect: clearWord(facts.dialect), model: clearOr(facts.model, clearModel), stream: facts.stream },
    decision: {
      action: 'forward',
      mode: facts.mode,
      would: facts.would,
      policy: clearWord(facts.policy),
      checks: facts.checks.map(clearWord),
    },
    phi: countsOf(facts.phi),
    credential: clearOr(facts.credential, clearWord),
    disclosure: facts.disclosure,
    sizes: facts.sizes,
    content,
  };
}

/** The record of a refusal: nothing left the pod. */
export function buildBlocked(place: RecordPlace, facts: RefusedFacts): RecordJson {
  return {
    ...envelope(place, 'blocked', facts.exchange),
    connection: facts.connection,
    actor: actorOf(facts),
    recipient: recipientOf(facts),
    call: { dialect: clearOr(facts.dialect, clearWord), model: clearOr(facts.model, clearModel) },
    decision: {
      action: 'refuse',
      reason: facts.reason,
      policy: clearOr(facts.policy, clearWord),
      checks: facts.checks.map(clearWord),
    },
    phi: countsOf(facts.phi),
    credential: clearOr(facts.credential, clearWord),
  };
}

/** The record of an exchange's end: stage `response` when it completed, else `error`. */
export function buildOutcome(
  place: RecordPlace,
  exchange: string,
  facts: OutcomeFacts,
  content: SealedSizes,
): RecordJson {
  return {
    ...envelope(place, facts.outcome === 'completed' ? 'response' : 'error', exchange),
    outcome: facts.outcome,
    status: facts.status,
    reason: facts.reason,
    usage: facts.usage,
    model: clearOr(facts.model, clearModel),
    bytes: facts.bytes,
    durations_ms: facts.durations,
    restored: facts.restored,
    content,
  };
}

/** The outcome of an exchange that the process before this one did not live to record. */
export function buildRestartOutcome(place: RecordPlace, exchange: string): RecordJson {
  return { ...envelope(place, 'error', exchange), outcome: 'cut', reason: 'sidecar_restart' };
}

/** The record of a connection that carries no exchange. `id` names the sealed host, when there is one. */
export function buildConnection(
  place: RecordPlace,
  id: string,
  facts: ConnectionRecordFacts,
  content: SealedSizes,
): RecordJson {
  return {
    ...envelope(place, 'connection', id),
    connection: facts.connection,
    decision: { action: facts.decision, reason: facts.reason },
    recipient: {
      host: facts.listed ? clearOr(facts.host, clearWord) : null,
      address: clearAddress(facts.address),
      port: facts.port,
    },
    content,
  };
}

/** What the first record of a process says: the key that its signatures are checked with, and under what it runs. */
export interface OpenFacts {
  readonly key: PublicKey;
  readonly kid: string;
  readonly workload: string;
  readonly version: string;
  /** SHA-256 of the configuration, base64url. */
  readonly config: string;
  readonly mode: 'strict';
  /** What the start-up scan found: bytes cut from an incomplete tail, segments quarantined, exchanges without outcome. */
  readonly recovered: { readonly cut: number; readonly quarantined: number; readonly orphans: number };
}

/** The first record of a process. It follows the head of the process before, so its signature covers that chain too. */
export function buildOpen(place: RecordPlace, facts: OpenFacts): RecordJson {
  const { key, kid, mode, recovered } = facts;
  return {
    ...envelope(place, 'open'),
    kid,
    key,
    workload: clearWorkload(facts.workload),
    version: clearWord(facts.version),
    config: facts.config,
    mode,
    recovered,
  };
}

/** The state that a checkpoint or a close record signs. `lost` counts connection records that a full spool could not take. */
export interface CheckpointFacts {
  readonly records: number;
  readonly running: number;
  readonly spool: { readonly bytes: number; readonly limit: number };
  readonly lost: number;
}

/** A signed head while the process runs, and its sign of life. */
export function buildCheckpoint(place: RecordPlace, facts: CheckpointFacts): RecordJson {
  return { ...envelope(place, 'checkpoint'), ...facts };
}

/** The last record of a process that ended in order. */
export function buildClose(place: RecordPlace, facts: CheckpointFacts): RecordJson {
  return { ...envelope(place, 'close'), ...facts };
}

/** The stages a record may have. */
export const STAGES = ['open', 'close', 'checkpoint', 'request', 'response', 'error', 'blocked', 'connection'] as const;
export type Stage = (typeof STAGES)[number];

function envelope(place: RecordPlace, stage: Stage, id?: string): RecordJson {
  const { chain, seq, prev } = place.link;
  const head = { v: 1, chain, seq, prev, stage, time: place.time };
  return id === undefined ? head : { ...head, id };
}

function actorOf(facts: RequestFacts | RefusedFacts): RecordJson {
  return { workload: clearWorkload(facts.actor.workload), attribution: facts.actor.attribution };
}

const UNKNOWN_PROVIDER = 'unknown';

// A host without a known provider is a name that the caller may have invented.
function recipientOf(facts: RequestFacts | RefusedFacts): RecordJson {
  const { provider, host, port, agreement } = facts;
  return {
    provider: clearOr(provider, clearWord),
    host: provider === null || provider === UNKNOWN_PROVIDER ? UNLISTED : host,
    port,
    agreement: clearOr(agreement, clearWord),
  };
}

function countsOf(counts: EntityCounts): RecordJson {
  const known: Record<string, number> = {};
  for (const entity of ENTITIES) {
    const count = counts[entity];
    if (count !== undefined && count > 0) known[entity] = count;
  }
  return known;
}
