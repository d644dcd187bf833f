import { TOKEN_AUDIENCE } from '#contract/labels.ts';
import { parsePodProof } from '#contract/pod-proof.ts';
import { type ApiRequest, memberOf } from './api-request.ts';
import type { ProveToken } from './ports.ts';

const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';

/**
 * Proves pods by TokenReview (Kubernetes API `authentication.k8s.io/v1`): the token must have been made for our audience and be
 * bound to a pod that still exists. The token goes into the review and nowhere else.
 */
export function createTokenProver(api: ApiRequest): ProveToken {
  return async (token) => {
    const answer = await api({
      method: 'POST',
      path: PATH,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: [TOKEN_AUDIENCE] },
      },
    });
    if (answer.status !== 200 && answer.status !== 201)
      throw new Error(`the API server answered a TokenReview with ${answer.status}: check the controller's role`);
    return parsePodProof(memberOf(answer.body, 'status'), TOKEN_AUDIENCE);
  };
}
