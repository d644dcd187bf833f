import { CollectorClient, type CollectorOptions } from './collector-client.ts';
import { type EvidenceOptions, openEvidence, type PodEvidence } from './evidence.ts';
import { Shipper } from './ship.ts';
import type { SpoolStatus } from './spool-options.ts';

/** What the audit room of a sidecar is given. */
export interface AuditOptions {
  readonly evidence: EvidenceOptions;
  readonly collector: CollectorOptions;
  /** Told what keeps evidence from leaving, in closed words: `unreachable`, `enrolment_refused`, `http_503`, `receipt_mismatch`. */
  readonly onAlert?: (why: string) => void;
}

/** The running audit room. */
export interface Audit {
  readonly evidence: PodEvidence;
  /** For metrics: the spool, and how long the oldest record has waited for its receipt. */
  status(): SpoolStatus & { readonly lagSeconds: number };
  /** Writes the close record and sends what it can within the deadline. @returns whether everything is receipted */
  close(deadlineMs: number): Promise<boolean>;
}

/**
 * Opens the evidence of this pod and begins to send it. The collector need not be there.
 * @throws Error as `openEvidence` does
 */
export async function startAudit(options: AuditOptions): Promise<Audit> {
  const evidence = await openEvidence(options.evidence);
  const { chain, workload } = options.evidence;
  const client = new CollectorClient(options.collector, { chain, workload, signing: evidence.signing });
  const onAlert = (why: string): void => options.onAlert?.(why);
  const shipper = new Shipper({ dir: evidence.dir, spool: evidence.spool, client, onAlert });
  evidence.onDurable = () => shipper.wake();
  shipper.start();
  return {
    evidence,
    status: () => ({ ...evidence.spool.status(), lagSeconds: shipper.lagMs / 1_000 }),
    close: async (deadlineMs) => {
      const end = performance.now() + deadlineMs;
      await within(evidence.close(), deadlineMs);
      return shipper.close(Math.max(0, end - performance.now()));
    },
  };
}

/** Waits for work, but no longer than a deadline: a disk that hangs must not hold up the end of a pod. */
async function within(work: Promise<void>, deadlineMs: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, deadlineMs);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
