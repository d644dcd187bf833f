import { expect, test } from 'vitest';
import { answerHealth } from '#contract/health-door.ts';

const sources = {
  metrics: () => Promise.resolve('a 1\n'),
  metricsType: 'text/plain; version=0.0.4',
  unready: () => [],
};
const ask = (url: string, method = 'GET', more = {}) => answerHealth({ method, url }, { ...sources, ...more });

test('the door answers three questions and nothing else', async () => {
  expect(await ask('/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask('/readyz')).toMatchObject({ status: 200, body: 'ok\n' });
  expect(await ask('/metrics')).toEqual({
    status: 200,
    body: 'a 1\n',
    headers: { 'content-type': 'text/plain; version=0.0.4', 'cache-control': 'no-store', 'content-length': 4 },
  });
  for (const path of ['/', '/healthz/', '/metrics?x', '/debug']) expect(await ask(path)).toMatchObject({ status: 404 });
  for (const method of ['POST', 'HEAD', 'DELETE']) expect(await ask('/healthz', method)).toMatchObject({ status: 405 });
});

test('it names what is waited for, and lives all the same', async () => {
  const unready = () => ['policy', 'stopping'];
  expect(await ask('/readyz', 'GET', { unready })).toMatchObject({
    status: 503,
    body: 'waiting for: policy, stopping\n',
  });
  expect(await ask('/healthz', 'GET', { unready })).toMatchObject({ status: 200 });
});

test('metrics that fail tell nothing of why', async () => {
  const metrics = () => Promise.reject(new Error('secret'));
  expect(await ask('/metrics', 'GET', { metrics })).toMatchObject({ status: 500, body: 'metrics failed\n' });
});
