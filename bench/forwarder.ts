// The program behind row `terminate`: the guard's own interception and forwarding around a handler that only passes on.
import { readFileSync } from 'node:fs';
import type { ExchangeHandler } from '#sidecar/exchange/ports.ts';
import { readAuthority } from '#sidecar/authority.ts';
import { startIntercept } from '#sidecar/intercept/start-intercept.ts';
import { createForwarder } from '#sidecar/upstream/forward.ts';
import { LIMIT } from '#contract/limit.ts';

/** Environment: BENCH_LISTEN (port), BENCH_CA_DIR, BENCH_ROOT (file), BENCH_HOST. */
const { BENCH_LISTEN = '', BENCH_CA_DIR = '', BENCH_ROOT = '', BENCH_HOST = '' } = process.env;

const resolve = async (): Promise<readonly string[]> => await Promise.resolve(['127.0.0.1']);
const forwarder = createForwarder({ resolve, extraRoots: readFileSync(BENCH_ROOT, 'utf8') });

const handler: ExchangeHandler = async (request, reply) => {
  const body = await request.readBody(LIMIT.bodyBytes);
  if (!(body instanceof Uint8Array)) return reply.cut();
  const { host, port, secure } = request.connection;
  const { method, target, headers, signal } = request;
  const answer = await forwarder.forward({ host, port, secure, method, target, headers, body, signal });
  const length = answer.headers.find(([name]) => name === 'content-length')?.[1];
  reply.head(answer.status, answer.headers, length === undefined ? undefined : Number(length));
  for await (const chunk of answer.body) await reply.write(chunk);
  await reply.end();
};

await startIntercept({
  listen: [{ host: '127.0.0.1', port: Number(BENCH_LISTEN) }],
  proxyMode: true,
  originalDestination: () => null,
  policy: () => ({ destinations: [], agreementHosts: [BENCH_HOST], clusterCidrs: [], resolvers: [], monitor: false }),
  resolve,
  dial: async () => await Promise.reject(new Error('nothing is spliced here')),
  handler,
  ca: await readAuthority(BENCH_CA_DIR),
  onConnection: () => undefined,
  now: Date.now,
});
