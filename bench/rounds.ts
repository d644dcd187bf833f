import type { Proxy } from './proxy.ts';
import { cpuMicros, memoryMb } from './process.ts';
import { median, type Row } from './row.ts';
import type { World } from './world.ts';

export const CONCURRENCIES = [1, 16] as const;
/** Rounds of a run: the machine's mood changes by the second, so each row is measured in every one of them. */
const ROUNDS = 4;
/** New connections and what they bring are not measured. */
const WARM_MS = 150;
/** Once for each program. V8 compiles a function well only after some thousand calls, so the guard's own need longer. */
const FIRST_WARM_MS = { others: 1_500, guard: 6_000 } as const;

interface Slice {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly cpu: number;
}

/** What all rows are measured by. */
export interface Measuring {
  readonly world: World;
  readonly body: Buffer;
  /** Measured seconds of a row at one concurrency, all rounds together. */
  readonly seconds: number;
  /** Called between rounds, for what is measured beside. */
  readonly between: () => Promise<void>;
}

/** Measures every proxy at every concurrency in each of some rounds. @returns the rows, by medians over the rounds */
export async function measureRounds(proxies: readonly Proxy[], measuring: Measuring): Promise<readonly Row[]> {
  const slices = new Map<string, Slice[]>();
  for (const proxy of proxies) {
    const isGuard = proxy.name.startsWith('full') || proxy.name === 'terminate';
    const warmMs = FIRST_WARM_MS[isGuard ? 'guard' : 'others'];
    await measureSlice(proxy, measuring, { concurrency: 16, warmMs, ms: 100 });
  }
  const ms = (measuring.seconds * 1_000) / ROUNDS;
  for (let round = 0; round < ROUNDS; round++) {
    await measuring.between();
    for (const concurrency of CONCURRENCIES) {
      for (const proxy of proxies) {
        const slice = await measureSlice(proxy, measuring, { concurrency, warmMs: WARM_MS, ms });
        const key = `${proxy.name} ${concurrency}`;
        slices.set(key, [...(slices.get(key) ?? []), slice]);
      }
    }
  }
  const of = (name: string, concurrency: number): readonly Slice[] => slices.get(`${name} ${concurrency}`) ?? [];
  return proxies.flatMap((proxy) =>
    CONCURRENCIES.map((concurrency) =>
      rowOf(proxy, concurrency, of(proxy.name, concurrency), of('direct', concurrency)),
    ),
  );
}

async function measureSlice(
  proxy: Proxy,
  { world, body }: Measuring,
  { concurrency, warmMs, ms }: { readonly concurrency: number; readonly warmMs: number; readonly ms: number },
): Promise<Slice> {
  const cpu = (): number => (proxy.program === null ? 0 : cpuMicros(proxy.program.pid));
  await proxy.settle();
  const before = cpu();
  const target = proxy.target(world.ports.plain, body);
  const { count, seconds, p50, p99 } = await world
    .order<'plain'>({ kind: 'plain', target, concurrency, warmMs, ms })
    .catch((fault: Error) => {
      throw new Error(`${proxy.name}: ${fault.message} ${proxy.program?.said() ?? ''}`);
    });
  await proxy.settle();
  // The unmeasured beginning has its share of the CPU time, by its share of the time.
  const spent = (cpu() - before) * (ms / (ms + warmMs));
  return { rps: count / seconds, p50, p99, count, cpu: spent };
}

function rowOf(proxy: Proxy, concurrency: number, own: readonly Slice[], direct: readonly Slice[]): Row {
  const p50 = median(own.map((slice) => slice.p50));
  const sum = (of: (slice: Slice) => number): number => own.reduce((total, slice) => total + of(slice), 0);
  const isDirect = proxy.program === null;
  return {
    name: proxy.name,
    concurrency,
    rps: median(own.map((slice) => slice.rps)),
    p50_ms: p50,
    p99_ms: median(own.map((slice) => slice.p99)),
    // Round by round, so that a slow second of the machine is on both sides of the difference.
    added_p50_ms: isDirect ? 0 : median(own.map((slice, round) => slice.p50 - (direct[round]?.p50 ?? Number.NaN))),
    cpu_us: isDirect ? null : sum((slice) => slice.cpu) / sum((slice) => slice.count),
    rss_mb: proxy.program === null ? null : memoryMb(proxy.program.pid, 'VmRSS'),
  };
}
