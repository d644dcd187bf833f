import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanText } from '#phi/scan.ts';
import { importBundled } from './bundled.ts';
import { readCsv } from './csv.ts';
import { generate } from './generate.ts';
import { clinicalPrompts } from './prompts.ts';
import { type GoldText, type Score, score, withoutCountries } from './score.ts';
import { measureSpeed, type Speed } from './speed.ts';
import { scoreFolder, scoreGenerated } from './structure/measure.ts';

/**
 * `npm run eval -- --data DIR [--json]`: what the engine scores on the public sets in a folder and on the generated suite, and how fast it is.
 * Figures of other systems stand beside it as published; they were measured on the whole ASQ-PHI set.
 */
const PUBLISHED = [
  { system: 'Amazon Comprehend Medical DetectPHI, threshold 0.5', recall: 0.951, altered: 0.886 },
  { system: 'Presidio 2.2.360, defaults', recall: 0.779, altered: 0.922 },
  { system: 'GPT-4o (also wrote the prompts)', recall: 1, altered: 0.968 },
] as const;

const find = (text: string): readonly { readonly start: number; readonly end: number }[] =>
  scanText(text, 'whole').spans;

function readJsonLines(path: string): readonly GoldText[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldText);
}

/** How many findings of texts without labels are printed for a reader to judge, and the characters around each. */
const SAMPLE = 40;
const AROUND = 36;

/** Texts without labels: what was found per 1,000 words, and some of it with what stands around, since names and dates in them are real findings. */
function alarms(texts: readonly string[]) {
  const words = texts.reduce((sum, text) => sum + text.split(/\s+/).length, 0);
  const found = texts.flatMap((text) => scanText(text, 'whole').spans.map((span) => ({ text, ...span })));
  const byEntity: Record<string, number> = {};
  for (const { entity } of found) byEntity[entity] = (byEntity[entity] ?? 0) + 1;
  const sample = found
    .filter((_, at) => at % Math.ceil(found.length / SAMPLE) === 0)
    .map(({ text, start, end, entity }) => {
      const before = text.slice(Math.max(0, start - AROUND), start);
      const marked = `${before}⟦${text.slice(start, end)}⟧${text.slice(end, end + AROUND)}`;
      return `${entity.padEnd(10)} ${marked.replaceAll(/\s+/g, ' ')}`;
    });
  return { words, spans: found.length, perThousandWords: (1_000 * found.length) / words, byEntity, sample };
}

/**
 * 4 KB prompts: what clinicians wrote and said, where the folder holds it; generated notes, whose headers repeat; and the texts of the sets put together,
 * which are as dense with identifiers as no application's.
 * @param written texts by the name of their set
 */
async function speed(
  texts: readonly string[],
  written: Readonly<Record<string, readonly string[]>>,
): Promise<Readonly<Record<string, Speed>>> {
  const bundled = await importBundled<{ scanText: typeof scanText }>('phi/scan.ts');
  const sets: Record<string, readonly string[]> = {};
  for (const [name, own] of Object.entries(written)) sets[name] = promptsOf(own, '\n\n');
  sets['notes'] = clinicalPrompts(200);
  sets['dense'] = promptsOf(texts, '\n');
  const measured = Object.entries(sets).filter(([, prompts]) => prompts.length > 0);
  return Object.fromEntries(measured.map(([name, prompts]) => [name, measureSpeed(prompts, bundled.scanText)]));
}

/** Texts one behind the other, cut into prompts. */
function promptsOf(texts: readonly string[], between: string): readonly string[] {
  const all = texts.join(between);
  return Array.from({ length: Math.floor(all.length / 4_096) }, (_, i) =>
    // A copy of its own: a piece of a longer text would keep all of it.
    Buffer.from(all.slice(i * 4_096, i * 4_096 + 4_096)).toString(),
  );
}

function line(name: string, result: Score): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`.padStart(9);
  const types = Object.entries(result.byType)
    .toSorted(([, a], [, b]) => b.spans - a.spans)
    .map(([type, { spans, recall }]) => `    ${type.padEnd(32)} ${percent(recall)} of ${spans}`);
  const head = `${name.padEnd(28)} recall ${percent(result.recall)} of ${result.spans}  precision ${percent(result.precision)}  F2 ${percent(result.f2)}  negatives altered ${percent(result.altered)} of ${result.negatives}`;
  return [head, ...types].join('\n');
}

async function measure(data: string | undefined) {
  const sets: Record<string, Score> = {
    'generated, half for tuning': score(generate(0), find),
    'generated, other half': score(generate(1), find),
  };
  const folders: Record<string, unknown> = {};
  const samples: Record<string, ReturnType<typeof alarms>> = {};
  for (const format of ['fhir', 'hl7', 'ccda'] as const) {
    folders[`generated ${format}, half for tuning`] = scoreGenerated(format, 0);
    folders[`generated ${format}, other half`] = scoreGenerated(format, 1);
  }
  let texts: readonly string[] = [...generate(0), ...generate(1)].map((gold) => gold.text);
  const written: Record<string, readonly string[]> = {};
  if (data === undefined) return { sets, folders, samples, speed: await speed(texts, written), published: PUBLISHED };
  for (const [name, file] of [
    ['ASQ-PHI', 'asq-phi/queries.jsonl'],
    ['presidio-research', 'presidio-research/queries.jsonl'],
  ] as const) {
    const path = join(data, file);
    if (!existsSync(path)) continue;
    const gold = readJsonLines(path);
    sets[name] = score(gold, find);
    if (name === 'presidio-research') sets['presidio-research, no countries'] = score(withoutCountries(gold), find);
    texts = [...texts, ...gold.map(({ text }) => text)];
  }
  const notes = join(data, 'aci-bench/valid.csv');
  if (existsSync(notes)) {
    const rows = readCsv(readFileSync(notes, 'utf8'));
    for (const column of ['dialogue', 'note']) {
      const name = `aci-bench ${column}s`;
      written[name] = rows.map((row) => row[column] ?? '');
      samples[name] = alarms(written[name]);
    }
  }
  for (const folder of ['synthea-fhir-r4', 'hl7v2-cdc', 'ccda-examples']) {
    if (existsSync(join(data, folder))) folders[folder] = scoreFolder(join(data, folder));
  }
  return { sets, folders, samples, speed: await speed(texts, written), published: PUBLISHED };
}

function speedLine(name: string, each: Speed): string {
  const { engineMBps, lexerMBps, p50Ms, p99Ms, bestP50Ms, bestP99Ms, prompts, spans } = each;
  const ms = (value: number): string => value.toFixed(3);
  return `speed of 4 KB prompts, ${name} (${(spans / prompts).toFixed(0)} identifiers each): ${engineMBps.toFixed(1)} MB/s, 1:${(lexerMBps / engineMBps).toFixed(1)} of a bare lexer (${lexerMBps.toFixed(1)}); p50 ${ms(p50Ms)} ms p99 ${ms(p99Ms)} ms, best of each prompt p50 ${ms(bestP50Ms)} ms p99 ${ms(bestP99Ms)} ms\n`;
}

const args = process.argv.slice(2);
const at = args.indexOf('--data');
const folder = at < 0 ? undefined : args[at + 1];
if (folder !== undefined && !existsSync(folder))
  process.stderr.write(`eval: no folder ${folder}; only the generated suite is measured\n`);
const report = await measure(folder !== undefined && existsSync(folder) ? folder : undefined);
if (args.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  for (const [name, result] of Object.entries(report.sets)) process.stdout.write(`${line(name, result)}\n`);
  for (const [name, result] of Object.entries(report.folders))
    process.stdout.write(`${name} ${JSON.stringify(result)}\n`);
  for (const [name, { words, spans, perThousandWords, byEntity, sample }] of Object.entries(report.samples)) {
    const counts = Object.entries(byEntity).map(([entity, count]) => `${entity} ${count}`);
    process.stdout.write(
      `${name}: ${spans} findings in ${words} words, ${perThousandWords.toFixed(2)} per 1,000, identifiers or not (${counts.join(', ')}); ${sample.length} of them:\n`,
    );
    for (const each of sample) process.stdout.write(`    ${each}\n`);
  }
  for (const [name, each] of Object.entries(report.speed)) process.stdout.write(speedLine(name, each));
  for (const { system, recall, altered } of PUBLISHED)
    process.stdout.write(
      `published on ASQ-PHI: ${system}: recall ${(100 * recall).toFixed(1)} %, negatives altered ${(100 * altered).toFixed(1)} %\n`,
    );
}
