import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAccountProof, parsePodProof, podNameOf, workloadOf } from '#contract/pod-proof.ts';

const EXTRA = {
  'authentication.kubernetes.io/credential-id': ['JTI=7a0c2f0e-58a2-4f0a-8d3a-1ed0c9b3b7a1'],
  'authentication.kubernetes.io/node-name': ['node-1'],
  'authentication.kubernetes.io/pod-name': ['triage-5d8f9-x2x7c'],
  'authentication.kubernetes.io/pod-uid': ['0b8c4a52-3c1d-4b2e-9a64-6f1f7a1f2d11'],
};
const STATUS = {
  authenticated: true,
  audiences: ['lazaret.dev'],
  user: {
    username: 'system:serviceaccount:clinic:triage',
    uid: 'b1f4',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:clinic', 'system:authenticated'],
    extra: EXTRA,
  },
};
const POD = {
  namespace: 'clinic',
  serviceAccount: 'triage',
  name: 'triage-5d8f9-x2x7c',
  uid: '0b8c4a52-3c1d-4b2e-9a64-6f1f7a1f2d11',
};
const user = (change: object): object => ({ ...STATUS, user: { ...STATUS.user, ...change } });
const extra = (change: object): object => user({ extra: { ...EXTRA, ...change } });

test('a token that is bound to a pod proves that pod', () => {
  expect(parsePodProof(STATUS, 'lazaret.dev')).toEqual(POD);
  expect(podNameOf(POD)).toBe('clinic/triage-5d8f9-x2x7c');
  expect(workloadOf(POD)).toBe('clinic/triage/triage-5d8f9-x2x7c');
});

test.each<readonly [string, unknown]>([
  ['that was not accepted', { ...STATUS, authenticated: false }],
  ['whose acceptance is missing', { ...STATUS, authenticated: undefined }],
  ['whose acceptance is a text', { ...STATUS, authenticated: 'true' }],
  ['that was accepted with an error', { ...STATUS, error: 'token expired' }],
  ['made for another audience', { ...STATUS, audiences: ['https://kubernetes.default.svc'] }],
  ['made for no audience', { ...STATUS, audiences: [] }],
  ['judged by a server that knows no audiences', { ...STATUS, audiences: undefined }],
  ['of an audience that contains ours', { ...STATUS, audiences: ['lazaret.dev.example'] }],
  ['of a person', user({ username: 'maria' })],
  ['of a node', user({ username: 'system:node:node-1' })],
  ['of a user whose name begins like an account', user({ username: 'system:serviceaccount:clinic:triage:x' })],
  ['of an account without a namespace', user({ username: 'system:serviceaccount::triage' })],
  ['of an account whose namespace is a path', user({ username: 'system:serviceaccount:../clinic:triage' })],
  ['without a user', { ...STATUS, user: undefined }],
  ['bound to no pod', user({ extra: {} })],
  ['without extra fields', user({ extra: undefined })],
  ['that names no pod', extra({ 'authentication.kubernetes.io/pod-name': [] })],
  ['that names two pods', extra({ 'authentication.kubernetes.io/pod-name': ['one', 'two'] })],
  ['whose pod is a path', extra({ 'authentication.kubernetes.io/pod-name': ['../other'] })],
  ['without the uid of the pod', extra({ 'authentication.kubernetes.io/pod-uid': undefined })],
  ['whose review is empty', {}],
  ['whose review is missing', null],
  ['whose review is a list', [STATUS]],
])('a token %s proves no pod', (_, status) => {
  expect(parsePodProof(status, 'lazaret.dev')).toBeNull();
});

test('a token of a service account that is bound to no pod proves the account', () => {
  const status = user({ extra: undefined });
  expect(parseAccountProof(status, 'lazaret.dev')).toEqual({ namespace: 'clinic', serviceAccount: 'triage' });
  expect(parseAccountProof(status, 'other')).toBeNull();
});

test('no answer of an API server makes the reader throw, and none proves a pod by chance', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4 }), (status) => {
      expect(parsePodProof(status, 'lazaret.dev')).toBeNull();
    }),
  );
});
