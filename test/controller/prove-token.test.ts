import { expect, test } from 'vitest';
import type { ApiRequest } from '#controller/api-request.ts';
import { createTokenProver } from '#controller/prove-token.ts';

const POD = {
  'authentication.kubernetes.io/pod-name': ['triage-0'],
  'authentication.kubernetes.io/pod-uid': ['uid-1'],
};

function answering(
  status: number,
  review: unknown,
): { readonly api: ApiRequest; readonly asked: Parameters<ApiRequest>[0][] } {
  const asked: Parameters<ApiRequest>[0][] = [];
  return {
    asked,
    api: (request) => {
      asked.push(request);
      return Promise.resolve({ status, body: { status: review } });
    },
  };
}
const vouched = (given: object = {}) => ({
  authenticated: true,
  audiences: ['lazaret.dev'],
  user: { username: 'system:serviceaccount:clinic:default', extra: POD },
  ...given,
});

test('a token is reviewed for our audience and proves its pod', async () => {
  const { api, asked } = answering(201, vouched());
  expect(await createTokenProver(api)('the-token')).toEqual({
    namespace: 'clinic',
    name: 'triage-0',
    uid: 'uid-1',
    serviceAccount: 'default',
  });
  expect(asked).toMatchObject([
    {
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body: { kind: 'TokenReview', spec: { token: 'the-token', audiences: ['lazaret.dev'] } },
    },
  ]);
});

test.each([
  ['not authenticated', { authenticated: false, error: 'expired' }],
  ['of another audience', vouched({ audiences: ['https://kubernetes.default.svc'] })],
  ['of no pod', vouched({ user: { username: 'system:serviceaccount:clinic:default', extra: {} } })],
  ['of a person', vouched({ user: { username: 'admin', extra: POD } })],
  ['without a status', undefined],
])('a token that is %s proves nothing', async (_, review) => {
  expect(await createTokenProver(answering(201, review).api)('the-token')).toBeNull();
});

test('an API server that does not review is a fault, and the fault does not hold the token', async () => {
  const prove = createTokenProver(answering(403, null).api);
  await expect(prove('the-token')).rejects.toThrow(
    /^the API server answered a TokenReview with 403: check the controller's role$/,
  );
});
