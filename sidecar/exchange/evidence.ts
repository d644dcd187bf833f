import type {
  ConnectionRecordFacts,
  ExchangeContent,
  OutcomeFacts,
  RefusedFacts,
  RequestFacts,
} from '#contract/record.ts';

/** The audit record cannot be made durable, so nothing may leave (`audit_unavailable`). The message holds no content. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable';
}

/** Whether new exchanges may start: `warn` from 70 % of the spool's quota, `refuse` from 85 % or when it cannot be written. */
export type EvidenceState = 'ok' | 'warn' | 'refuse';

/** The evidence of this pod: what the flow of an exchange may ask of the audit room. */
export interface Evidence {
  /**
   * Seals, chains and makes the request record durable (fdatasync).
   * @throws AuditUnavailable when the spool is full, unwritable, failed or slow: then nothing may leave
   */
  request(facts: RequestFacts, content: ExchangeContent): Promise<Ledger>;
  /**
   * Writes the durable record of a refusal: nothing left the pod and no content is kept.
   * @throws AuditUnavailable when it cannot be made durable; the refusal stands all the same
   */
  refused(facts: RefusedFacts): Promise<void>;
  /** Records a splice, an opaque pass or a refused connection, PHI-free. Does not wait and never throws. */
  connection(facts: ConnectionRecordFacts): void;
  /** Whether a new exchange may start now. */
  state(): EvidenceState;
}

/** The record of one running exchange. */
export interface Ledger {
  /**
   * Takes response bytes as the provider sent them, in order; the caller does not change them afterwards. They are sealed
   * in parts (at most 64 KiB or 1 s old while streaming, 1 MiB otherwise).
   * @returns at once, or when the spool has caught up (back-pressure)
   * @throws AuditUnavailable when the spool has failed: the answer must be cut
   */
  part(bytes: Uint8Array): Promise<void>;
  /**
   * Makes the outcome durable; awaited before the last chunk is released to the client. A second call does nothing.
   * @throws AuditUnavailable when it cannot be made durable: the last chunk must not be released
   */
  finish(outcome: OutcomeFacts): Promise<void>;
}
