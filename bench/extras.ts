import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from './load.ts';
import { endProgram, memoryMb } from './process.ts';
import { largeBody, smallBody } from './prompt.ts';
import { type Proxy, type Setting, startGuard } from './proxy.ts';
import { median, type Row } from './row.ts';

const NOTHING = { rps: null, p50_ms: null, p99_ms: null, added_p50_ms: null, cpu_us: null, rss_mb: null } as const;

/** Bytes that one exchange of the small prompt writes at a time, about. */
const SYNC_BYTES = 8 * 1_024;
const SYNCS = 40;
/** A stream is measured several times; its median counts. */
const STREAMS = 5;
const LARGE = { count: 4, bytes: 5 * 1_000 * 1_000 } as const;
const SMALL = { count: 64 } as const;

/** Measures what the disk takes to make a small append durable: the floor of `full`, which does that twice. */
export class SyncProbe {
  readonly #fd: number;
  readonly #times: number[] = [];

  constructor(dir: string) {
    this.#fd = openSync(join(dir, 'sync-probe'), 'w');
  }

  run(): void {
    const bytes = Buffer.alloc(SYNC_BYTES, 'x');
    for (let at = 0; at < SYNCS; at++) {
      writeSync(this.#fd, bytes);
      const from = performance.now();
      fdatasyncSync(this.#fd);
      this.#times.push(performance.now() - from);
    }
  }

  row(): Row {
    closeSync(this.#fd);
    const times = this.#times.toSorted((a, b) => a - b);
    const p50 = median(times);
    return {
      ...NOTHING,
      name: 'fdatasync',
      concurrency: 1,
      rps: 1_000 / p50,
      p50_ms: p50,
      p99_ms: quantile(times, 0.99),
    };
  }
}

/** The guard's memory when it is ready and nobody asks anything. */
export async function measureIdle(setting: Setting): Promise<Row> {
  const { program } = await startGuard('full', { ...setting, profile: null });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const rss = program === null ? null : memoryMb(program.pid, 'VmRSS');
  if (program !== null) await endProgram(program);
  return { ...NOTHING, name: 'idle', concurrency: 0, rss_mb: rss };
}

/** Streams through the guard: events a second of one fast stream, and what is added to each piece of an even one. */
export async function measureStream({ world }: Setting, direct: Proxy, guard: Proxy): Promise<Row> {
  const body = smallBody(true);
  const lags = async (proxy: Proxy): Promise<readonly number[]> => {
    const target = proxy.target(world.ports.paced, body);
    const { lags } = await world.order<'stream'>({ kind: 'stream', target });
    return lags.toSorted((a, b) => a - b);
  };
  const rounds: { readonly p50: number; readonly p99: number; readonly added: number; readonly rate: number }[] = [];
  for (let round = 0; round < STREAMS; round++) {
    const without = await lags(direct);
    const through = await lags(guard);
    const burst = await world.order<'stream'>({ kind: 'stream', target: guard.target(world.ports.burst, body) });
    const p50 = quantile(through, 0.5);
    const added = p50 - quantile(without, 0.5);
    rounds.push({ p50, p99: quantile(through, 0.99), added, rate: burst.events / burst.seconds });
  }
  return {
    ...NOTHING,
    name: 'stream',
    concurrency: 1,
    rps: median(rounds.map(({ rate }) => rate)),
    p50_ms: median(rounds.map(({ p50 }) => p50)),
    p99_ms: median(rounds.map(({ p99 }) => p99)),
    added_p50_ms: median(rounds.map(({ added }) => added)),
  };
}

/** The peak of a fresh guard's memory with 64 small exchanges and 4 of 5 MB in flight together. */
export async function measureMemory(setting: Setting): Promise<Row> {
  const { world } = setting;
  const guard = await startGuard('full', { ...setting, profile: null });
  const small = guard.target(world.ports.held, smallBody(false));
  const large = guard.target(world.ports.held, largeBody(LARGE.bytes));
  const targets = [
    ...Array.from({ length: LARGE.count }, () => large),
    ...Array.from({ length: SMALL.count }, () => small),
  ];
  const from = performance.now();
  await world.order<'once'>({ kind: 'once', targets });
  const seconds = (performance.now() - from) / 1_000;
  const rss = guard.program === null ? null : memoryMb(guard.program.pid, 'VmHWM');
  if (guard.program !== null) await endProgram(guard.program);
  return { ...NOTHING, name: 'memory', concurrency: targets.length, rps: targets.length / seconds, rss_mb: rss };
}
