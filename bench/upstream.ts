// The stand-in provider in Node: streams and answers that wait, and plain ones where nginx is missing.
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { streamEvents } from './prompt.ts';

/** What the stand-in is told, as JSON in `BENCH_UPSTREAM`. */
export interface UpstreamOrder {
  /** PEM, by name. */
  readonly issued: Readonly<Record<string, { readonly certificate: string; readonly key: string }>>;
  /** Body of a plain answer. */
  readonly answer: string;
}

/** Its ports on 127.0.0.1: one for each way to answer. */
export interface UpstreamPorts {
  /** At once. */
  readonly plain: number;
  /** A plain answer that waits, so that exchanges are in flight together. */
  readonly held: number;
  /** A stream of pieces, each with the time of its writing, at an even pace. */
  readonly paced: number;
  /** A stream as fast as it is taken. */
  readonly burst: number;
}

/** Pieces of one stream, and milliseconds between two of them. */
export const PACED = { pieces: 250, everyMs: 3 } as const;
export const BURST_PIECES = 4_000;
const HELD_MS = 3_000;

type Answerer = (response: ServerResponse) => Promise<void> | void;

const stamped = (): string => `at ${process.hrtime.bigint()} the note was read, `;

async function main(): Promise<void> {
  const order = JSON.parse(process.env.BENCH_UPSTREAM ?? '{}') as UpstreamOrder;
  const plain: Answerer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(order.answer) });
    response.end(order.answer);
  };
  const ways: Readonly<Record<keyof UpstreamPorts, Answerer>> = {
    plain,
    held: async (response) => {
      await wait(HELD_MS);
      await plain(response);
    },
    paced: (response) => stream(response, PACED.pieces, PACED.everyMs),
    burst: (response) => stream(response, BURST_PIECES, 0),
  };
  const ports = await Promise.all(
    Object.entries(ways).map(async ([name, way]) => [name, await listen(order, way)] as const),
  );
  process.send?.(Object.fromEntries(ports));
  process.on('disconnect', () => process.exit(0));
}

async function listen({ issued }: UpstreamOrder, way: Answerer): Promise<number> {
  const server = createServer({ keepAliveTimeout: 300_000, requestTimeout: 0 }, (request, response) => {
    const answer = async (): Promise<void> => {
      await read(request);
      await way(response);
    };
    answer().catch(() => response.destroy());
  });
  for (const [host, { certificate, key }] of Object.entries(issued))
    server.addContext(host, { cert: certificate, key });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function read(request: IncomingMessage): Promise<void> {
  request.resume();
  await new Promise((resolve, reject) => request.once('end', resolve).once('error', reject));
}

async function stream(response: ServerResponse, pieces: number, everyMs: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  let next = performance.now();
  for (const event of streamEvents(pieces, stamped)) {
    if (!response.write(event)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    if (response.destroyed) return;
    if (everyMs === 0) continue;
    next += everyMs;
    await wait(Math.max(0, next - performance.now()));
  }
  response.end();
}

if (import.meta.main) await main();
