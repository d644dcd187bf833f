import { performance } from 'node:perf_hooks';
import { decodeHashes } from '#phi/hash-list.ts';
import { LEXICON_GROUPS } from '#phi/lexicon.data.ts';
import type { scanText } from '#phi/scan.ts';

const SEED = 0x811c_9dc5 | 0;
const PRIME = 0x0100_0193;
const FOLD = Uint8Array.from({ length: 128 }, (_, code) =>
  /[a-z0-9]/i.test(String.fromCharCode(code)) ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : 0,
);
/** Open addressing, as large as the detector's own. */
const WORDS = new Int32Array(1 << 19);
for (const [, hashes] of LEXICON_GROUPS) decodeHashes(hashes, (hash) => void (WORDS[slotOf(hash)] = hash));

function slotOf(hash: number): number {
  let at = hash & (WORDS.length - 1);
  while (WORDS[at] !== 0 && WORDS[at] !== hash) at = (at + 1) & (WORDS.length - 1);
  return at;
}

/**
 * Words, their hashes and a look for each among the words that the detector knows, and nothing else: what a look at each character and each word
 * costs in this program, on this machine, now. @returns how many words it knows
 */
export function bareLexer(text: string): number {
  let known = 0;
  let hash = SEED;
  for (let i = 0; i < text.length; i++) {
    const folded = FOLD[text.charCodeAt(i) & 127] as number;
    if (folded !== 0) hash = Math.imul(hash ^ folded, PRIME);
    else if (hash !== SEED) {
      if (WORDS[slotOf(hash)] === hash) known++;
      hash = SEED;
    }
  }
  return known;
}

/** How fast the engine is on some prompts. */
export interface Speed {
  /** Bytes of prompts, a million a second of CPU time: detection and replacement, all of `scanText`. */
  readonly engineMBps: number;
  readonly lexerMBps: number;
  /** Time of a prompt in ms; `best` of all rounds for each prompt, so that other programs on the machine count less. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bestP50Ms: number;
  readonly bestP99Ms: number;
  readonly prompts: number;
  readonly spans: number;
}

/** V8 compiles the engine well after some thousand prompts. */
const WARM = 6_000;
/** Prompts of a round, so that its time is well above the clock's steps; fewer are repeated. */
const ROUND = 200;
const ROUNDS = 30;

/** Measures the engine and the bare lexer round by round on the same prompts, warm; the fastest round counts. @param scan the engine's */
export function measureSpeed(texts: readonly string[], scan: typeof scanText): Speed {
  const prompts = Array.from({ length: Math.max(ROUND, texts.length) }, (_, i) => texts[i % texts.length] ?? '');
  const bytes = prompts.reduce((sum, prompt) => sum + Buffer.byteLength(prompt), 0);
  let spans = 0;
  for (let warm = 0; warm < WARM; warm += prompts.length) {
    spans = 0;
    for (const prompt of prompts) spans += scan(prompt, 'whole').spans.length;
    prompts.forEach(bareLexer);
  }
  const times: number[] = [];
  const best = new Float64Array(prompts.length).fill(Infinity);
  let [engine, lexer] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    lexer = Math.min(
      lexer,
      cpuOf(() => prompts.forEach(bareLexer)),
    );
    engine = Math.min(
      engine,
      cpuOf(() =>
        prompts.forEach((prompt, at) => {
          const from = performance.now();
          scan(prompt, 'whole');
          const took = performance.now() - from;
          times.push(took);
          best[at] = Math.min(best[at] as number, took);
        }),
      ),
    );
  }
  times.sort((a, b) => a - b);
  best.sort();
  return {
    engineMBps: bytes / engine,
    lexerMBps: bytes / lexer,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    bestP50Ms: quantile(best, 0.5),
    bestP99Ms: quantile(best, 0.99),
    prompts: prompts.length,
    spans,
  };
}

/** Microseconds of CPU. */
function cpuOf(work: () => void): number {
  const from = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(from);
  return Math.max(1, user + system);
}

function quantile(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}
