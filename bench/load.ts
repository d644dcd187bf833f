// The load generator: a process of its own that sends one prepared HTTP/1.1 request again and again over kept TLS connections.
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

/** Whom to ask and what. */
export interface Target {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Asked for by CONNECT first, as an explicit proxy wants it. */
  readonly tunnel?: string;
  readonly servername: string;
  /** PEM: the only root that is trusted. */
  readonly root: string;
  readonly request: Uint8Array;
}

/** One order to the load generator. */
export type Order =
  | {
      readonly kind: 'plain';
      readonly target: Target;
      readonly concurrency: number;
      readonly warmMs: number;
      readonly ms: number;
    }
  | { readonly kind: 'once'; readonly targets: readonly Target[] }
  | { readonly kind: 'stream'; readonly target: Target };

/** What came of it. Times in milliseconds. */
export type Result =
  | {
      readonly kind: 'plain';
      readonly count: number;
      readonly seconds: number;
      readonly p50: number;
      readonly p99: number;
    }
  | { readonly kind: 'once'; readonly bodies: readonly string[] }
  | {
      readonly kind: 'stream';
      readonly events: number;
      readonly seconds: number;
      /** From the provider's writing of a stamped piece to its arrival here. */
      readonly lags: readonly number[];
    }
  | { readonly kind: 'failed'; readonly why: string };

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One kept connection: one request at a time. */
class Connection {
  readonly #socket: TLSSocket;
  #held: Buffer = Buffer.alloc(0);
  #waiting: PromiseWithResolvers<Answer> | null = null;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', (fault) => this.#waiting?.reject(fault));
    socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed within an answer')));
  }

  static async open(target: Target): Promise<Connection> {
    return new Connection(await openSocket(target));
  }

  /** @returns the whole answer */
  ask(request: Uint8Array): Promise<Answer> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const answer = wholeAnswer(this.#held);
    if (answer === null) return;
    this.#held = Buffer.alloc(0);
    this.#waiting?.resolve(answer);
  }
}

async function openSocket({ port, tunnel, servername, root }: Target): Promise<TLSSocket> {
  const raw = connectTcp({ host: '127.0.0.1', port, noDelay: true });
  await new Promise((resolve, reject) => raw.once('connect', resolve).once('error', reject));
  if (tunnel !== undefined) await openTunnel(raw, tunnel);
  const socket = connectTls({ socket: raw, servername, ca: root, ALPNProtocols: ['http/1.1'] });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

async function openTunnel(raw: Socket, tunnel: string): Promise<void> {
  raw.write(`CONNECT ${tunnel} HTTP/1.1\r\nhost: ${tunnel}\r\n\r\n`);
  const answer = await new Promise<Buffer>((resolve, reject) => raw.once('data', resolve).once('error', reject));
  raw.pause();
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error('CONNECT was refused');
}

/** @returns null while the answer is not complete */
function wholeAnswer(bytes: Buffer): Answer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  const body = end + 4;
  const status = Number(head.slice(9, 12));
  if (length !== undefined) {
    const whole = body + Number(length);
    return bytes.length < whole ? null : { status, body: bytes.subarray(body, whole) };
  }
  const last = bytes.length - 5;
  return last >= body - 2 && bytes.toString('latin1', last) === '0\r\n\r\n'
    ? { status, body: bytes.subarray(body) }
    : null;
}

async function runPlain(order: Extract<Order, { kind: 'plain' }>): Promise<Result> {
  const { target, concurrency, warmMs, ms } = order;
  const connections = await Promise.all(Array.from({ length: concurrency }, () => Connection.open(target)));
  const from = performance.now() + warmMs;
  const end = from + ms;
  const times: number[] = [];
  const work = async (connection: Connection): Promise<void> => {
    for (;;) {
      const sent = performance.now();
      if (sent >= end) return;
      const { status, body } = await connection.ask(target.request);
      const now = performance.now();
      if (status !== 200) throw new Error(`an answer with status ${status}: ${body.toString('utf8', 0, 300)}`);
      if (sent >= from && now <= end) times.push(now - sent);
    }
  };
  await Promise.all(connections.map(work)).finally(() => connections.forEach((connection) => connection.close()));
  times.sort((a, b) => a - b);
  return {
    kind: 'plain',
    count: times.length,
    seconds: ms / 1_000,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

async function runOnce(targets: readonly Target[]): Promise<Result> {
  const connections = await Promise.all(targets.map((target) => Connection.open(target)));
  const asked = connections.map(async (connection, index) => await connection.ask(targets[index]!.request));
  const answers = await Promise.all(asked).finally(() => connections.forEach((connection) => connection.close()));
  const bad = answers.find(({ status }) => status !== 200);
  if (bad !== undefined) throw new Error(`an answer with status ${bad.status}: ${bad.body.toString('utf8', 0, 300)}`);
  return { kind: 'once', bodies: answers.map(({ body }) => body.toString()) };
}

/** Pieces of text carry the moment they were written, by the machine's one monotonic clock. */
async function runStream(target: Target): Promise<Result> {
  const socket = await openSocket(target);
  const lags: number[] = [];
  let held = '';
  let events = 0;
  const from = performance.now();
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).on('close', () => reject(new Error('the stream was cut')));
    socket.on('data', (bytes: Buffer) => {
      const now = process.hrtime.bigint();
      held += bytes.toString('latin1');
      for (let at = held.indexOf('\n\n'); at >= 0; at = held.indexOf('\n\n')) {
        const event = held.slice(0, at);
        held = held.slice(at + 2);
        events++;
        const stamp = /at (\d{10,}) /.exec(event)?.[1];
        if (stamp !== undefined) lags.push(Number(now - BigInt(stamp)) / 1e6);
        if (event.includes('message_stop')) return resolve();
        if (event.includes('event: error')) return reject(new Error(event));
      }
    });
    socket.write(target.request);
  }).finally(() => socket.destroy());
  return { kind: 'stream', events, seconds: (performance.now() - from) / 1_000, lags };
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function obey(order: Order): Promise<Result> {
  try {
    if (order.kind === 'plain') return await runPlain(order);
    return order.kind === 'once' ? await runOnce(order.targets) : await runStream(order.target);
  } catch (fault) {
    return { kind: 'failed', why: fault instanceof Error ? fault.message : 'unknown' };
  }
}

if (import.meta.main) {
  process.on('message', (order: Order) => void obey(order).then((result) => process.send?.(result)));
  process.on('disconnect', () => process.exit(0));
}
