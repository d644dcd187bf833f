import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ApartRow, BenchOptions } from './options.ts';
import { CORE, pinned } from './process.ts';
import type { Row } from './row.ts';

/** A program of the bench that measures by itself, without the proxies' world. */
interface Apart {
  readonly file: string;
  readonly rows: readonly ApartRow[];
  readonly core: number;
  /** Seconds for each of its rows, where it takes any. */
  readonly seconds: boolean;
}

/** Each in a process of its own: what one leaves in its heap must not stand in the figures of the next. */
const PROGRAMS: readonly Apart[] = [
  { file: 'admission.ts', rows: ['admission'], core: CORE.world, seconds: true },
  { file: 'compile.ts', rows: ['compile'], core: CORE.guard, seconds: false },
  { file: 'bundle.ts', rows: ['bundle-shared', 'bundle-distinct'], core: CORE.guard, seconds: false },
  { file: 'phi.ts', rows: ['lexer-4k', 'phi-4k', 'phi-4k-lists', 'phi-1m'], core: CORE.guard, seconds: true },
];

/** Measures what was asked for of the controller and the detector alone, one program after the other. */
export async function measureApart({ only, seconds }: Pick<BenchOptions, 'only' | 'seconds'>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const program of PROGRAMS) {
    const names = program.rows.filter((name) => only.has(name));
    if (names.length === 0) continue;
    const words = ['--json', '--only', names.join(','), ...(program.seconds ? ['--seconds', String(seconds)] : [])];
    rows.push(...(await runProgram(program, words)));
  }
  return rows;
}

/** The names that `--only` gives one of these programs; null when it says nothing, which means all. */
export function namesAsked(words: readonly string[]): ReadonlySet<string> | null {
  const at = words.indexOf('--only');
  return at < 0 ? null : new Set((words[at + 1] ?? '').split(','));
}

/** The seconds that `--seconds` gives one of these programs. */
export function secondsAsked(words: readonly string[], otherwise: number): number {
  const at = words.indexOf('--seconds');
  return at < 0 ? otherwise : Number(words[at + 1]);
}

function runProgram({ file, core }: Apart, words: readonly string[]): Promise<readonly Row[]> {
  const pin = pinned ? ['taskset', '-c', String(core)] : [];
  const command = [...pin, process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, file)];
  const [program = '', ...rest] = [...command, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill());
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code !== 0) reject(new Error(`bench/${file} ended with ${code ?? 'a signal'}`));
      else resolve(said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row])));
    });
  });
}
