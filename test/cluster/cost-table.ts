import { availableParallelism, cpus, totalmem } from 'node:os';

/** What `npm run cost` measured. */
export interface Cost {
  /** ms from the request to create a pod until it is Ready, one for each pod. */
  readonly ready: Pair;
  /** ms of one request, one after another. */
  readonly request: Pair;
  readonly sidecar: Usage;
  readonly controller: Usage;
  readonly collector: Usage;
  /** What the programs did while they were under load. */
  readonly load: { readonly seconds: number; readonly exchanges: number; readonly admissions: number };
  /** 1-minute load average before, and when the measured time was over. */
  readonly busy: readonly [number, number];
}

/** The same with and without the guard. */
export interface Pair {
  readonly without: readonly number[];
  readonly with: readonly number[];
}

/** One replica's use of the node. */
export interface Usage {
  readonly idle: Sample;
  readonly loaded: Sample;
}

/** Between two readings of a program's own metrics. */
export interface Sample {
  /** Thousandths of one core. */
  readonly millicores: number;
  /** Resident, MB of 1024 x 1024 bytes. */
  readonly memory: number;
}

/** The value below which a part of them lies. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

/** The rows of a cost, by table; docs/cost.md holds the same. */
export const ROWS = {
  latency: ['a pod is Ready, median', 'one request, median', 'one request, slowest hundredth'],
  programs: ['`lazaret-sidecar`', '`lazaret-controller`', '`lazaret-collector`'],
} as const;

/** The report as Markdown: what docs/cost.md shows. */
export function formatCost(cost: Cost, now: Date): string {
  const { ready, request, load } = cost;
  const [cpu] = cpus();
  const latencies = [pairOf(ready, 0.5), pairOf(request, 0.5), pairOf(request, 0.99)];
  const programs = [cost.sidecar, cost.controller, cost.collector];
  const perExchange = (cost.sidecar.loaded.millicores * load.seconds) / load.exchanges;
  return [
    `${now.toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB.`,
    `Load average before: ${cost.busy[0].toFixed(1)}; after: ${cost.busy[1].toFixed(1)}.`,
    '',
    '| | without the guard | with it | difference | ratio |',
    '|---|---|---|---|---|',
    ...latencies.map(([plain, guarded], at) =>
      row([ROWS.latency[at] ?? '', ms(plain), ms(guarded), ms(guarded - plain), (guarded / plain).toFixed(1)]),
    ),
    '',
    '| one replica | memory idle | memory under load | CPU idle | CPU under load |',
    '|---|---|---|---|---|',
    ...programs.map(({ idle, loaded }, at) =>
      row([ROWS.programs[at] ?? '', mb(idle), mb(loaded), millicores(idle), millicores(loaded)]),
    ),
    '',
    `Under load, in ${load.seconds.toFixed(0)} s: ${load.exchanges} exchanges of one pod, ${load.admissions} reviews of pods.`,
    `The sidecar took ${perExchange.toFixed(1)} ms of a core for one exchange.`,
  ].join('\n');
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const ms = (value: number): string => (value < 100 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`);
const mb = ({ memory }: Sample): string => `${memory.toFixed(0)} MB`;
const millicores = (sample: Sample): string => `${sample.millicores.toFixed(0)} m`;

function pairOf(pair: Pair, part: number): readonly [number, number] {
  return [quantile(pair.without, part), quantile(pair.with, part)];
}
