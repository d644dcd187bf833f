// Run inside a pod: `node bypass-probe.ts '[{"do":"tcp","host":"198.18.0.11","port":22}, ...]'`. Takes the steps one after the
// other and prints one JSON array: what each met, and which refusals the guard of this pod counted meanwhile.
import { createSocket } from 'node:dgram';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

interface Where {
  readonly host: string;
  readonly port: number;
}

/** One thing to try. */
export type ProbeStep = (
  | (Where & { readonly do: 'tcp'; readonly send?: string; readonly next?: string })
  | (Where & { readonly do: 'udp' })
  | (Where & { readonly do: 'tls'; readonly name?: string; readonly send?: string; readonly tunnel?: string })
  | (Where & { readonly do: 'h2'; readonly name: string; readonly authority: string })
) & {
  /** The refusal that the guard is to count: waited for, because a connection is counted when it is closed. */
  readonly reason?: string;
};

/** What a step met. */
export interface ProbeOutcome {
  /** The error's code; null when there was none. */
  readonly code: string | null;
  /** What the other side said, as far as it came. */
  readonly text: string;
  /** Refusals that were counted meanwhile, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

type Met = Omit<ProbeOutcome, 'reasons'>;

const PATIENCE_MS = 8_000;
const METRICS = 'http://127.0.0.1:15020/metrics';

/** Everything until the end, an error, or silence after the answer to the last words. */
function listen(socket: Socket, ready: string, words: readonly string[]): Promise<Met> {
  return new Promise((resolve) => {
    let text = '';
    const left = [...words];
    const finish = (code: string | null): void => {
      clearTimeout(timer);
      resolve({ code, text });
      socket.destroy();
    };
    const timer = setTimeout(() => finish('SILENCE'), PATIENCE_MS);
    const speak = (): void => {
      const next = left.shift();
      if (next !== undefined) socket.write(next);
    };
    socket.once(ready, speak);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (left.length > 0) speak();
      else if (isWhole(text)) finish(null);
    });
    // Who still writes when the reset comes is told EPIPE.
    socket.once('error', ({ code = 'error' }: NodeJS.ErrnoException) => finish(code === 'EPIPE' ? 'ECONNRESET' : code));
    // An end before the handshake becomes an error a moment later.
    socket.once('end', () => setImmediate(() => finish(null)));
  });
}

/** Whether the last response of HTTP/1 is there to its end, as far as a length tells it. */
function isWhole(text: string): boolean {
  const head = text.lastIndexOf('HTTP/1.1 ');
  const end = text.indexOf('\r\n\r\n', head);
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(head, end))?.[1];
  return head >= 0 && end >= 0 && length !== undefined && text.length >= end + 4 + Number(length);
}

function probeUdp({ host, port }: Where): Promise<Met> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const finish = (code: string | null, text = ''): void => {
      clearTimeout(timer);
      resolve({ code, text });
      socket.close();
    };
    const timer = setTimeout(() => finish('SILENCE'), 2_000);
    socket.once('message', (bytes) => finish(null, bytes.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'error'));
    socket.send('probe', port, host, (error) => {
      if (error !== null) finish((error as NodeJS.ErrnoException).code ?? 'error');
    });
  });
}

/** Answers with the text of a CONNECT's response before the handshake when the tunnel is not opened. */
async function probeTls(step: Extract<ProbeStep, { readonly do: 'tls' }>): Promise<Met> {
  const plain = connect({ host: step.host, port: step.port });
  if (step.tunnel !== undefined) {
    const said = await openTunnel(plain, step.tunnel);
    if (!said.startsWith('HTTP/1.1 200')) return { code: null, text: said };
  }
  const socket = connectTls({
    socket: plain,
    ...(step.name === undefined ? {} : { servername: step.name }),
    rejectUnauthorized: false,
  });
  return listen(socket, 'secureConnect', [step.send ?? '']);
}

async function openTunnel(socket: Socket, target: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  });
}

/** A first request to the connection's own host, then one to another host on the same connection. */
function probeHttp2({ host, port, name, authority }: Where & { name: string; authority: string }): Promise<Met> {
  return new Promise((resolve) => {
    const session = connectHttp2(`https://${name}`, {
      createConnection: () =>
        connectTls({ host, port, servername: name, ALPNProtocols: ['h2'], rejectUnauthorized: false }),
    });
    session.once('error', (error: NodeJS.ErrnoException) => resolve({ code: error.code ?? 'error', text: '' }));
    const ask = (of: string, then: (met: Met) => void): void => {
      let text = '';
      const request = session.request({ ':method': 'POST', ':path': '/v1/messages', ':authority': of });
      request.on('response', (headers) => (text += `${headers[':status']} ${String(headers['x-lazaret-reason'])} `));
      request.on('data', (bytes: Buffer) => (text += bytes.toString()));
      request.once('error', (error: NodeJS.ErrnoException) => then({ code: error.code ?? 'error', text }));
      request.once('end', () => then({ code: null, text }));
      request.end('{}');
    };
    ask(name, () =>
      ask(authority, (met) => {
        session.destroy();
        resolve(met);
      }),
    );
  });
}

async function countRefusals(): Promise<ReadonlyMap<string, number>> {
  const text = await fetch(METRICS).then(
    (response) => response.text(),
    () => '',
  );
  return new Map(
    [...text.matchAll(/^lazaret_refusals_total\{reason="(\w+)"\} (\d+)$/gm)].map(([, reason = '', n]) => [
      reason,
      Number(n),
    ]),
  );
}

async function take(step: ProbeStep): Promise<ProbeOutcome> {
  const before = await countRefusals();
  const met = await meet(step);
  for (let tries = 0; ; tries++) {
    const after = await countRefusals();
    const grown = [...after].map(([reason, n]) => [reason, n - (before.get(reason) ?? 0)] as const);
    const reasons = Object.fromEntries(grown.filter(([, n]) => n > 0));
    if (step.reason === undefined || reasons[step.reason] !== undefined || tries > 200) return { ...met, reasons };
    await delay(50);
  }
}

function meet(step: ProbeStep): Promise<Met> {
  if (step.do === 'udp') return probeUdp(step);
  if (step.do === 'tls') return probeTls(step);
  if (step.do === 'h2') return probeHttp2(step);
  const words = [step.send ?? '', ...(step.next === undefined ? [] : [step.next])];
  return listen(connect({ host: step.host, port: step.port }), 'connect', words);
}

if (import.meta.main) {
  const outcomes: ProbeOutcome[] = [];
  for (const step of JSON.parse(process.argv[2] ?? '[]') as readonly ProbeStep[]) outcomes.push(await take(step));
  process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
}
