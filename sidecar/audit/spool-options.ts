import type { EvidenceState } from '#sidecar/exchange/evidence.ts';
import type { ContentKeys } from './content-key.ts';
import type { SpoolIdentity } from './spool-entry.ts';

/** What a spool is given. */
export interface SpoolOptions {
  readonly dir: string;
  readonly quotaBytes: number;
  /** False only where a benchmark measures everything but the disk: records are then not durable. */
  readonly sync: boolean;
  readonly identity: SpoolIdentity;
  readonly keys: ContentKeys;
  /** Called when bytes became durable. */
  readonly onDurable: () => void;
  /** Called with the error code of a volume that failed; the words of the error may hold a path and are not passed on. */
  readonly onFault: (code: string) => void;
}

/** What the spool tells metrics and checkpoints. */
export interface SpoolStatus {
  readonly bytes: number;
  readonly limit: number;
  readonly state: EvidenceState;
  /** Entries that were not taken: a full volume, or one that failed for too long. */
  readonly lost: number;
  /** Frames written since the process began. */
  readonly frames: number;
}
