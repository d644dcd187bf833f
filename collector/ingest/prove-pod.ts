import { hash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EnrolClaim } from '#contract/chain-protocol.ts';

/** Decides who enrols. @returns the pod's workload identity as the platform states it, or null to refuse */
export type ProvePod = (bearer: string, claim: EnrolClaim) => Promise<string | null>;

/**
 * Proof by a token that the operator gave to both sides. The workload is then the pod's own word: whoever holds the token
 * could enrol under any name, so this is for one machine; in a cluster a TokenReview answers.
 * @param path file with the token, read at each enrolment because tokens rotate
 */
export function proveByToken(path: string): ProvePod {
  return async (bearer, claim) => {
    const token = (await readFile(path, 'utf8')).trim();
    const same = timingSafeEqual(hash('sha256', bearer, 'buffer'), hash('sha256', token, 'buffer'));
    return same && token.length >= 16 ? claim.workload : null;
  };
}
