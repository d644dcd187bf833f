/**
 * What `lazaret audit verify` can say, closed. A finding means that evidence is not as it was written or not all of it;
 * a notice says what was not checked, or what explains itself.
 */
export const FINDINGS = {
  edited: 'finding',
  gap: 'finding',
  reordered: 'finding',
  foreign_record: 'finding',
  fork: 'finding',
  truncated_tail: 'finding',
  missing_chain: 'finding',
  missing_outcome: 'finding',
  missing_receipt: 'finding',
  bad_signature: 'finding',
  untrusted_key: 'finding',
  attested_late: 'notice',
  incomplete_tail: 'notice',
  not_yet_shipped: 'notice',
  trust_not_checked: 'notice',
  expectation_not_signed: 'notice',
} as const;
export type FindingCode = keyof typeof FINDINGS;

/** One thing that verification found: where, and a sentence of closed words and numbers. */
export interface Finding {
  readonly finding: FindingCode;
  /** Null when it concerns the store. */
  readonly chain: string | null;
  /** The first record it concerns; null when it concerns the whole chain. */
  readonly seq: number | null;
  readonly detail: string;
}
