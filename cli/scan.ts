import { scanText } from '#phi/scan.ts';
import { type ScanArguments, parseScanArguments, SCAN_USAGE } from './scan-arguments.ts';
import { markSpans, tableOf } from './scan-report.ts';

/** The world of the command, so that tests can be the terminal. */
export interface ScanIo {
  readonly stdin: AsyncIterable<Uint8Array>;
  stdout(text: string): void;
  stderr(text: string): void;
  readFile(path: string): Promise<string>;
}

const EXIT = { CLEAN: 0, USAGE: 2, INPUT: 2, FOUND: 3 } as const;
/** Longer texts say on stderr that they are at work. */
const LONG_TEXT = 4 * 1024 * 1024;

/**
 * `lazaret scan`: shows what the guard would take for identifiers in a text.
 * @param args behind the word `scan`
 * @returns the exit code: 0, 2 for wrong usage or unreadable input, 3 with `--fail-on-find` when something was found
 */
export async function scan(args: readonly string[], io: ScanIo): Promise<number> {
  const parsed = parseScanArguments(args);
  if (typeof parsed === 'string') {
    io.stderr(`${parsed}\n${SCAN_USAGE}`);
    return EXIT.USAGE;
  }
  if (parsed.help) {
    io.stdout(SCAN_USAGE);
    return EXIT.CLEAN;
  }
  const outcome = parsed.jsonl ? await scanLines(parsed, io) : await scanTexts(parsed, io);
  if (outcome === 'unreadable') return EXIT.INPUT;
  return outcome === 'found' && parsed.failOnFind ? EXIT.FOUND : EXIT.CLEAN;
}

type Outcome = 'found' | 'clean' | 'unreadable';

async function scanTexts(options: ScanArguments, io: ScanIo): Promise<Outcome> {
  let outcome: Outcome = 'clean';
  for (const name of options.files.length === 0 ? ['-'] : options.files) {
    const text = await readInput(name, io);
    if (text === undefined) return 'unreadable';
    if (text.length > LONG_TEXT) io.stderr(`scan: examining ${Math.round(text.length / 1024 / 1024)} M characters\n`);
    const result = scanText(text, options.dates);
    if (result.spans.length > 0) outcome = 'found';
    if (options.json) io.stdout(`${JSON.stringify({ file: name, redacted: result.redacted, spans: result.spans })}\n`);
    else
      io.stdout(
        `${options.files.length > 1 ? `== ${name}\n` : ''}${markSpans(text, result.spans)}\n\n${tableOf(result.counts)}\n`,
      );
  }
  return outcome;
}

async function readInput(name: string, io: ScanIo): Promise<string | undefined> {
  try {
    return name === '-' ? await readAll(io.stdin) : await io.readFile(name);
  } catch {
    io.stderr(`scan: cannot read ${name === '-' ? 'stdin' : name} as UTF-8 text; give a readable text file\n`);
    return undefined;
  }
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for await (const chunk of stdin) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function scanLines(options: ScanArguments, io: ScanIo): Promise<Outcome> {
  let outcome: Outcome = 'clean';
  let number = 0;
  try {
    for await (const line of linesOf(io.stdin)) {
      number++;
      if (line.trim() === '') continue;
      const record = parseLine(line);
      if (record === undefined) {
        io.stderr(`scan: line ${number} is not a JSON object with "id" and a string "text"\n`);
        return 'unreadable';
      }
      const { redacted, spans } = scanText(record.text, options.dates);
      if (spans.length > 0) outcome = 'found';
      io.stdout(`${JSON.stringify({ id: record.id, redacted, spans })}\n`);
    }
  } catch {
    io.stderr(
      `scan: stdin after line ${number} could not be examined; it must be UTF-8 text, one JSON object a line\n`,
    );
    return 'unreadable';
  }
  return outcome;
}

function parseLine(line: string): { readonly id: unknown; readonly text: string } | undefined {
  try {
    const value = JSON.parse(line) as { readonly id?: unknown; readonly text?: unknown } | null;
    if (typeof value !== 'object' || value === null || typeof value.text !== 'string' || value.id === undefined)
      return undefined;
    return { id: value.id, text: value.text };
  } catch {
    return undefined;
  }
}

async function* linesOf(stdin: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of stdin) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
