import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveWebhook, type Webhook } from '#controller/webhook.ts';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { callHook, podReview } from './replica.ts';

let webhook: Webhook;
let ca: string;
const waits: number[] = [];

const none = (): never => {
  throw new Error('nothing is asked before there is something to decide by');
};

beforeAll(async () => {
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue('lazaret-controller.lazaret.svc');
  ca = authority.root;
  const view = { namespace: none } as never;
  webhook = await serveWebhook(
    { host: '127.0.0.1', port: 0 },
    {
      view,
      base: none,
      settle: none,
      now: Date.now,
      ready: () => false,
      adopted: (mostMs) => {
        waits.push(mostMs);
        return Promise.resolve();
      },
      onAnswer: none,
      onRefusal: () => undefined,
    },
  );
  webhook.setCertificate({ chain: certificate, key, trust: ca, endsAt: 0 });
});
afterAll(() => webhook.drain());

it.each([
  ['/mutate?timeout=10s', [5_000]],
  ['/mutate?timeout=3s', [1_500]],
  ['/mutate', [0]],
  ['/validate?timeout=10s', []],
  ['/templates?timeout=2s', []],
])('a pod waits for new settings half as long as the API server waits for %s', async (path, expected) => {
  waits.length = 0;
  const { status } = await callHook({ port: webhook.port, path, ca }, podReview({}));
  expect([status, waits]).toEqual([503, expected]);
});
