import { hash } from 'node:crypto';
import { type BatchClaim, batchSchema, enrolSchema, readStatement } from '#contract/chain-protocol.ts';
import { SIGNED_TYPE, thumbprint, verifyingKey, verifySigned } from '#contract/chain-signature.ts';
import type { ChainStore, Continuity, StoredSegment } from '../store/chain-store.ts';
import type { EvidenceStore } from '../store/evidence-store.ts';
import type { ProvePod } from './prove-pod.ts';
import { type FrameVerdict, verifyFrames } from './verify-frames.ts';

/** An answer to a pod: status, closed words, never anything that was sent. */
export interface Answer {
  readonly status: 200 | 400 | 401 | 403 | 409;
  readonly body: Readonly<Record<string, unknown>>;
  /** For the log and the metrics. */
  readonly finding: Exclude<Continuity, 'continuous'> | null;
}

/** Takes what pods send. */
export interface Receiver {
  enrol(bearer: string, statement: string): Promise<Answer>;
  batch(bearer: string, path: { readonly chain: string; readonly segment: string }, bytes: Uint8Array): Promise<Answer>;
}

/** @returns the receiver that verifies, stores and signs */
export function createReceiver(store: EvidenceStore, prove: ProvePod): Receiver {
  return {
    enrol: (bearer, statement) => enrol(store, prove, { bearer, statement }),
    async batch(bearer, path, bytes) {
      const read = readStatement(bearer, SIGNED_TYPE.batch, batchSchema);
      if (read === null) return refuse(401, 'unknown_key');
      const { claim, signed } = read;
      if (claim.chain !== path.chain || claim.segment !== path.segment) return refuse(400, 'wrong_path');
      if (claim.bytes !== bytes.length || claim.sha256 !== hash('sha256', bytes, 'base64url'))
        return refuse(400, 'wrong_bytes');
      const chain = await store.chain(claim.chain);
      const key = chain.keyOf(signed.kid);
      if (key === null || !verifySigned(signed, key)) return refuse(401, 'unknown_key');
      return chain.exclusively(() => place(store, chain, claim, bytes));
    },
  };
}

async function enrol(
  store: EvidenceStore,
  prove: ProvePod,
  given: { readonly bearer: string; readonly statement: string },
): Promise<Answer> {
  const read = readStatement(given.statement, SIGNED_TYPE.enrol, enrolSchema);
  if (read === null) return refuse(400, 'unreadable_statement');
  const key = verifyingKey(read.claim.key);
  const kid = thumbprint(read.claim.key);
  if (key === null || kid !== read.signed.kid || !verifySigned(read.signed, key)) return refuse(401, 'bad_signature');
  const enrolee = await prove(given.bearer, read.claim);
  if (enrolee === null) return refuse(401, 'identity_not_proven');
  const attestation = await store.attest(read.claim, kid, enrolee);
  // Whoever writes on a chain that is another pod's could bury that pod's records under a fork.
  if (attestation === null) return refuse(403, 'chain_of_another_pod');
  return { status: 200, body: { attestation, jwks: store.ownKeys }, finding: null };
}

async function place(store: EvidenceStore, chain: ChainStore, claim: BatchClaim, bytes: Uint8Array): Promise<Answer> {
  const known = await chain.segment(claim.segment);
  const held = known?.bytes ?? 0;
  if (claim.offset > held) return conflict(store, chain, known);
  const overlap = bytes.subarray(0, Math.min(bytes.length, held - claim.offset));
  if (overlap.length > 0 && !(await chain.holds(claim.segment, claim.offset, overlap))) {
    await chain.keepConflict(claim.segment, claim.offset, bytes);
    return { ...conflict(store, chain, known), finding: 'fork' };
  }
  const fresh = bytes.subarray(overlap.length);
  if (fresh.length === 0) return known === null ? refuse(400, 'empty_batch') : signFor(store, chain, known);
  const verdict = verifyFrames(fresh, {
    chain: chain.chain,
    head: known?.end ?? null,
    keyOf: (kid) => chain.keyOf(kid),
  });
  if (!verdict.ok) return refuse(400, verdict.fault);
  const { stored, continuity } = await chain.append(claim.segment, known, fresh, verdict);
  return { ...signFor(store, chain, stored), finding: continuity === 'continuous' ? null : continuity };
}

function signFor(store: EvidenceStore, chain: ChainStore, segment: StoredSegment): Answer {
  return { status: 200, body: { receipt: store.receipt(chain, segment) }, finding: null };
}

/** Says what is held instead, so that the pod can go on from there. */
function conflict(store: EvidenceStore, chain: ChainStore, known: StoredSegment | null): Answer {
  const body =
    known === null ? { error: 'unknown_segment' } : { error: 'position', receipt: store.receipt(chain, known) };
  return { status: 409, body, finding: null };
}

type Fault = Extract<FrameVerdict, { readonly ok: false }>['fault'];

function refuse(
  status: 400 | 401 | 403,
  error:
    | Fault
    | 'unknown_key'
    | 'wrong_path'
    | 'wrong_bytes'
    | 'unreadable_statement'
    | 'bad_signature'
    | 'identity_not_proven'
    | 'chain_of_another_pod'
    | 'empty_batch',
): Answer {
  return { status, body: { error }, finding: null };
}
