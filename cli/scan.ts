import { redactionAt } from '#contract/policy-decision.ts';
import { DetectorError } from '#phi/detector-error.ts';
import type { RedactOptions } from '#phi/redact.ts';
import { type CommandIo, UsageError } from './io.ts';
import { compileFor, readPolicySource } from './policy-source.ts';
import { parseScanArguments, SCAN_USAGE, type ScanArguments } from './scan-arguments.ts';
import { markSpans, tableOf } from './scan-report.ts';
import { judgeText, type ScanVerdict } from './scan-verdict.ts';

/** The world of the command, so that tests can be the terminal. */
export type ScanIo = Omit<CommandIo, 'writeFile'>;

const EXIT = { CLEAN: 0, USAGE: 2, INPUT: 2, FOUND: 3 } as const;
/** Longer texts, and each so many lines of `--jsonl`, say on stderr that they are at work. */
const LONG_TEXT = 4 * 1024 * 1024;
const MANY_LINES = 10_000;

/**
 * `lazaret scan`: shows what the guard would take for identifiers in a text, or do with them under a policy.
 * @param args behind the word `scan`
 * @returns the exit code: 0, 2 for wrong usage or unreadable input, 3 with `--fail-on-find` when something was found
 */
export async function scan(args: readonly string[], io: ScanIo): Promise<number> {
  let parsed: ScanArguments;
  let options: RedactOptions;
  try {
    parsed = parseScanArguments(args);
    options = await optionsOf(parsed, io);
  } catch (fault) {
    if (!(fault instanceof UsageError)) throw fault;
    io.stderr(`${fault.message}\n${SCAN_USAGE}`);
    return EXIT.USAGE;
  }
  if (parsed.help) {
    io.stdout(SCAN_USAGE);
    return EXIT.CLEAN;
  }
  const outcome = parsed.jsonl ? await scanLines(options, io) : await scanTexts(parsed, options, io);
  if (outcome === 'unreadable') return EXIT.INPUT;
  return outcome === 'found' && parsed.failOnFind ? EXIT.FOUND : EXIT.CLEAN;
}

async function optionsOf({ policy, dates, given }: ScanArguments, io: ScanIo): Promise<RedactOptions> {
  if (policy === null) return { dates, actions: {} };
  const compiled = compileFor(await readPolicySource(io, policy), given);
  const { maxIdentifiers, ...redaction } = redactionAt(compiled, Date.now());
  return maxIdentifiers === null ? redaction : { ...redaction, maxIdentifiers };
}

type Outcome = 'found' | 'clean' | 'unreadable';

async function scanTexts(parsed: ScanArguments, options: RedactOptions, io: ScanIo): Promise<Outcome> {
  let outcome: Outcome = 'clean';
  const names = parsed.files.length === 0 ? ['-'] : parsed.files;
  for (const [at, name] of names.entries()) {
    const text = await readInput(name, io);
    if (text === undefined) return 'unreadable';
    if (text.length > LONG_TEXT)
      io.stderr(
        `scan: examining ${Math.round(text.length / 1024 / 1024)} M characters, ${at + 1} of ${names.length}\n`,
      );
    const verdict = judge(text, options, io);
    if (verdict === undefined) return 'unreadable';
    if (verdict.spans.length > 0) outcome = 'found';
    if (parsed.json) io.stdout(`${JSON.stringify({ file: name, ...resultOf(verdict) })}\n`);
    else
      io.stdout(`${names.length > 1 ? `== ${name}\n` : ''}${markSpans(text, verdict.spans)}\n\n${tableOf(verdict)}\n`);
  }
  return outcome;
}

function judge(text: string, options: RedactOptions, io: ScanIo): ScanVerdict | undefined {
  try {
    return judgeText(text, options);
  } catch (fault) {
    if (!(fault instanceof DetectorError)) throw fault;
    io.stderr('scan: the text holds more identifiers or fields than one request may; give it in pieces\n');
    return undefined;
  }
}

/** As a line of JSON: spans of what is replaced, and of a refusal the reason. */
function resultOf({ redacted, spans, refusal }: ScanVerdict) {
  const replaced = spans
    .filter(({ action }) => action === 'redact')
    .map(({ start, end, entity, score, surrogate }) => ({ start, end, entity, score, surrogate }));
  return refusal === null ? { redacted, spans: replaced } : { redacted, spans: replaced, refused: refusal };
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

async function scanLines(options: RedactOptions, io: ScanIo): Promise<Outcome> {
  let outcome: Outcome = 'clean';
  let number = 0;
  try {
    for await (const line of linesOf(io.stdin)) {
      number++;
      if (number % MANY_LINES === 0) io.stderr(`scan: ${number} lines\n`);
      if (line.trim() === '') continue;
      const record = parseLine(line);
      if (record === undefined) {
        io.stderr(`scan: line ${number} is not a JSON object with "id" and a string "text"\n`);
        return 'unreadable';
      }
      const verdict = judgeText(record.text, options);
      if (verdict.spans.length > 0) outcome = 'found';
      io.stdout(`${JSON.stringify({ id: record.id, ...resultOf(verdict) })}\n`);
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
  // In pieces, so that a line of many megabytes is put together once.
  let rest: string[] = [];
  for await (const chunk of stdin) {
    const [first = '', ...lines] = decoder.decode(chunk, { stream: true }).split('\n');
    rest.push(first);
    for (const line of lines) {
      yield rest.join('');
      rest = [line];
    }
  }
  const last = rest.join('') + decoder.decode();
  if (last !== '') yield last;
}
