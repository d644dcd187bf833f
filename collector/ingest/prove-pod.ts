import { hash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EnrolClaim } from '#contract/chain-protocol.ts';
import { TOKEN_AUDIENCE } from '#contract/labels.ts';
import { parseAccountProof, parsePodProof, podNameOf, workloadOf } from '#contract/pod-proof.ts';
import type { Enrolee } from '../store/evidence-store.ts';
import type { ReviewToken } from './token-review.ts';

/** Decides who enrols. @returns the pod, or null to refuse. @throws when nobody could be asked: the pod is to come again */
export type ProvePod = (bearer: string, claim: EnrolClaim) => Promise<Enrolee | null>;

/** Whether a bearer is the controller. @throws when nobody could be asked */
export type ProveController = (bearer: string) => Promise<boolean>;

/**
 * Proof by a token that the operator gave to both sides. The workload is then the pod's own word: whoever holds the token
 * could enrol under any name, so this is for one machine; in a cluster a TokenReview answers.
 * @param path file with the token, read at each enrolment because tokens rotate
 */
export function proveByToken(path: string): ProvePod {
  return async (bearer, claim) => {
    const token = (await readFile(path, 'utf8')).trim();
    const same = timingSafeEqual(hash('sha256', bearer, 'buffer'), hash('sha256', token, 'buffer'));
    return same && token.length >= 16 ? { workload: claim.workload, pod: null, podUid: null } : null;
  };
}

/**
 * Proof by the API server: the token is bound to a pod and made for us, and the pod enrols under its own name and no other.
 * @throws when the API server did not answer
 */
export function proveByReview(review: ReviewToken): ProvePod {
  return async (bearer, claim) => {
    const proof = parsePodProof(await review(bearer), TOKEN_AUDIENCE);
    if (proof === null || claim.workload !== workloadOf(proof)) return null;
    return { workload: claim.workload, pod: podNameOf(proof), podUid: proof.uid };
  };
}

/**
 * The controller is one service account of the release namespace.
 * @param account `system:serviceaccount:NAMESPACE:NAME`
 * @throws when the API server did not answer
 */
export function proveAccount(review: ReviewToken, account: string): ProveController {
  return async (bearer) => {
    const proof = parseAccountProof(await review(bearer), TOKEN_AUDIENCE);
    return proof !== null && `system:serviceaccount:${proof.namespace}:${proof.serviceAccount}` === account;
  };
}
