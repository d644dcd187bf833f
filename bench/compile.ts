// What it costs to compile policy for a large cluster. Usage: sh cli/launch.sh bench/compile.ts [--json]
import { PolicyCache } from '../controller/policy/policy-cache.ts';
import { type LargePolicy, largePolicy } from './large-policy.ts';
import { formatTable, median, type Row, tidyRow } from './row.ts';

const NAMESPACES = 1_000;
const AGREEMENTS = 20;
const ROUNDS = 5;

/**
 * Reads, judges and compiles 20 agreements for 1,000 namespaces, each with an EgressPolicy of its own, all of it afresh each time.
 * `rps` counts policies a second, `p50_ms` is the whole cluster.
 */
export function measureCompile(): Row {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const large = largePolicy(NAMESPACES, AGREEMENTS);
    const from = performance.now();
    const bytes = compileAll(large);
    times.push(performance.now() - from);
    if (bytes < NAMESPACES * 1_000) throw new Error('the policies that were compiled are too small to be true');
  }
  const sorted = times.toSorted((a, b) => a - b);
  const p50 = median(sorted);
  return {
    name: 'compile',
    concurrency: 1,
    rps: (NAMESPACES / p50) * 1_000,
    p50_ms: p50,
    p99_ms: sorted.at(-1) ?? Number.NaN,
    added_p50_ms: null,
    cpu_us: (p50 / NAMESPACES) * 1_000,
    rss_mb: process.memoryUsage.rss() / 1024 ** 2,
  };
}

function compileAll({ inputs, namespaces }: LargePolicy): number {
  const cache = new PolicyCache();
  const judged = cache.judge(inputs);
  let bytes = 0;
  for (const namespace of namespaces) bytes += cache.compile(judged, { namespace, labels: {} }).text().length;
  return bytes;
}

if (import.meta.main) {
  const row = tidyRow(measureCompile());
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(row)}\n` : formatTable([row]));
}
