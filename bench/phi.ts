// What the detector alone costs, beside a bare lexer of the same text, in one run: node bench/phi.ts [--json] [--seconds N] [--only NAME,...] [--lists]
import { readFileSync } from 'node:fs';
import { parseListTable } from '#contract/list-table.ts';
import { createListed, type Listed } from '#phi/listed.ts';
import type { redact as redactFromSource } from '#phi/redact.ts';
import { importBundled } from '#test/eval/bundled.ts';
import { clinicalPrompts } from '#test/eval/prompts.ts';
import { bareLexer } from '#test/eval/speed.ts';
import { namesAsked, secondsAsked } from './apart.ts';
import { buildMillion, listKey } from './million-entries.ts';
import { measureEngineMemory } from './engine-memory.ts';
import { notesOf } from './prompt.ts';
import { formatTable, type Row, tidyRow } from './row.ts';

const PROMPT = 4_096;
const PROMPTS = 200;
const MEGABYTE = 1024 * 1024;
const ROUNDS = 8;
const OPTIONS = { dates: 'keep-year', actions: {} } as const;

const { redact } = await importBundled<{ redact: typeof redactFromSource }>('phi/redact.ts');
const words = process.argv.slice(2);
const only = namesAsked(words);

/** One thing that is measured on some texts. */
interface Subject {
  readonly name: string;
  readonly texts: readonly string[];
  readonly work: (text: string) => unknown;
}

function examine(text: string, names?: Listed): void {
  const options = names === undefined ? OPTIONS : { ...OPTIONS, names };
  const result = redact([{ text, format: 'text', message: 1 }], options);
  if (result.kind === 'refused') throw new Error('the detector refuses the material of the bench');
}

/** A million invented persons and record numbers, as the sidecar holds them. */
function makeLists(): Listed {
  const key = listKey();
  const { bytes, header } = buildMillion();
  const before = process.memoryUsage().arrayBuffers;
  const table = parseListTable(bytes, key);
  if (typeof table === 'string') throw new Error(table);
  const listed = createListed([table], key);
  const held = bytes.length + process.memoryUsage().arrayBuffers - before;
  process.stderr.write(
    `bench: lists of ${header.entries} entries: ${(bytes.length / header.entries).toFixed(1)} bytes an entry, ${(held / MEGABYTE).toFixed(1)} MB held\n`,
  );
  return listed;
}

/** CPU seconds of this process: other programs on the machine count less than by the clock. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

interface Sum {
  seconds: number;
  calls: number;
  characters: number;
  readonly times: number[];
}

function measure({ texts, work }: Subject, seconds: number, sum: Sum): void {
  const until = performance.now() + seconds * 1_000;
  const from = cpuSeconds();
  do {
    for (const text of texts) {
      const begin = performance.now();
      work(text);
      sum.times.push(performance.now() - begin);
      sum.characters += text.length;
      sum.calls++;
    }
  } while (performance.now() < until);
  sum.seconds += cpuSeconds() - from;
}

function rowOf(name: string, { seconds, calls, times }: Sum): Row {
  const sorted = times.toSorted((a, b) => a - b);
  return tidyRow({
    name,
    concurrency: 1,
    rps: calls / seconds,
    p50_ms: sorted[sorted.length >> 1] ?? null,
    p99_ms: sorted[Math.floor(sorted.length * 0.99)] ?? null,
    added_p50_ms: null,
    cpu_us: (1e6 * seconds) / calls,
    rss_mb: process.memoryUsage.rss() / 1024 / 1024,
  });
}

function listed(texts: readonly string[]): Subject {
  const names = makeLists();
  return { name: 'phi-4k-lists', texts, work: (text) => examine(text, names) };
}

function cut(text: string): readonly string[] {
  return Array.from({ length: Math.min(PROMPTS, Math.floor(text.length / PROMPT)) }, (_, i) =>
    text.slice(i * PROMPT, (i + 1) * PROMPT),
  );
}

function subjects(file: string | undefined): readonly Subject[] {
  const all = file === undefined ? notesOf(MEGABYTE) : readFileSync(file, 'utf8');
  const prompts = file === undefined ? clinicalPrompts(PROMPTS) : cut(all);
  return [
    { name: 'lexer-4k', texts: prompts, work: bareLexer },
    { name: 'phi-4k', texts: prompts, work: (text) => examine(text) },
    ...(words.includes('--lists') || only?.has('phi-4k-lists') === true ? [listed(prompts)] : []),
    { name: 'phi-1m', texts: [all.slice(0, MEGABYTE)], work: (text) => examine(text) },
  ];
}

const valueOf = (name: string): string | undefined =>
  words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
const chosen = subjects(valueOf('--file')).filter(({ name }) => only === null || only.has(name));
const seconds = secondsAsked(words, 4) / ROUNDS;
const sums = chosen.map((subject): Sum => {
  measure(subject, seconds * 2, { seconds: 0, calls: 0, characters: 0, times: [] });
  return { seconds: 0, calls: 0, characters: 0, times: [] };
});
for (let round = 0; round < ROUNDS; round++)
  chosen.forEach((subject, at) => measure(subject, seconds, sums[at] as Sum));
const rows = chosen.map(({ name }, at) => rowOf(name, sums[at] as Sum));
for (const [at, { seconds: used, characters }] of sums.entries())
  process.stderr.write(`bench: ${chosen[at]?.name} ${(characters / used / 1e6).toFixed(1)} MB/s of one core\n`);
const { bare, engine } = await measureEngineMemory();
process.stderr.write(
  `bench: the detector with its words holds ${(engine / MEGABYTE).toFixed(1)} MB beside the ${(bare / MEGABYTE).toFixed(1)} MB of a bare process\n`,
);
process.stdout.write(
  words.includes('--json') ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : formatTable(rows),
);
