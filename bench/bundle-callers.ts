// The sidecars of the bench of bundles, in a process of their own: each has its own TLS connection, as in its own pod.
import { Agent, request } from 'node:https';
import { BUNDLE_PATH } from '../contract/bundle-protocol.ts';
import { formatSerial, type Serial } from '../contract/bundle.ts';

/** What the bench tells this process. */
export interface CallersOrder {
  readonly port: number;
  readonly ca: string;
  readonly tokens: readonly string[];
  /** An agreement whose absence from a policy says that it was revoked. */
  readonly revoked: string;
}

/** What this process tells the bench: everybody has a bundle and asks for the next, or when each had the one without the agreement. */
export type CallersWord =
  | { readonly kind: 'holding' }
  | { readonly kind: 'reached'; readonly times: readonly number[] };

interface Answer {
  readonly jws: string;
  readonly tag: string;
  readonly at: number;
}

process.once('message', (order: CallersOrder) => {
  run(order).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : 'a caller failed'}\n`);
      process.exit(1);
    },
  );
});

async function run(order: CallersOrder): Promise<void> {
  const agents = order.tokens.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const first = await Promise.all(order.tokens.map((_, index) => fetchBundle(order, agents, { index, has: null })));
  const second = first.map((has, index) => fetchBundle(order, agents, { index, has }));
  say({ kind: 'holding' });
  const reached = await Promise.all(second);
  // Read only now: this process must not make callers wait for each other.
  if (reached.some(({ jws }) => payloadOf(jws).policy.agreements.some(({ id }) => id === order.revoked)))
    throw new Error('a caller was answered with a policy that is not the new one');
  say({ kind: 'reached', times: reached.map(({ at }) => at) });
  for (const agent of agents) agent.destroy();
}

function say(word: CallersWord): void {
  process.send?.(word);
}

interface Caller {
  readonly index: number;
  readonly has: Answer | null;
}

function fetchBundle(order: CallersOrder, agents: readonly Agent[], { index, has }: Caller): Promise<Answer> {
  const query = has === null ? '' : `?after=${formatSerial(payloadOf(has.jws).serial)}&wait=30`;
  const agent = agents[index];
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: order.port,
        servername: 'localhost',
        ca: order.ca,
        path: `${BUNDLE_PATH}${query}`,
        ...(agent === undefined ? {} : { agent }),
        headers: {
          authorization: `Bearer ${order.tokens[index] ?? ''}`,
          ...(has === null ? {} : { 'if-none-match': has.tag }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const at = performance.timeOrigin + performance.now();
          if (response.statusCode !== 200) return reject(new Error(`a caller was answered ${response.statusCode}`));
          resolve({ at, tag: response.headers.etag ?? '', jws: Buffer.concat(chunks).toString('latin1') });
        });
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

interface Payload {
  readonly serial: Serial;
  readonly policy: { readonly agreements: readonly { readonly id: string }[] };
}

function payloadOf(jws: string): Payload {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as Payload;
}
