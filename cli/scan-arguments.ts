import type { DatePolicy } from '#phi/view.ts';

/** What `lazaret scan` was asked to do. */
export interface ScanArguments {
  readonly files: readonly string[];
  readonly dates: DatePolicy;
  readonly jsonl: boolean;
  readonly json: boolean;
  readonly failOnFind: boolean;
  readonly help: boolean;
}

export const SCAN_USAGE = `usage: lazaret scan [FILE...] [--dates whole|keep-year] [--fail-on-find] [--json]
       lazaret scan --jsonl < LINES

Shows what the guard takes for identifiers in files or on stdin.
  --dates keep-year   the year of a date stays (default); whole: all of it goes
  --fail-on-find      exit 3 when an identifier was found
  --json              one JSON object a file instead of marked text
  --jsonl             stdin lines {"id","text"}, stdout lines {"id","redacted","spans"}
`;

/** @returns the arguments, or one sentence that says what is wrong with them */
export function parseScanArguments(args: readonly string[]): ScanArguments | string {
  const files: string[] = [];
  let dates: DatePolicy = 'keep-year';
  const flags = { jsonl: false, json: false, failOnFind: false, help: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? '';
    if (arg === '--dates' || arg.startsWith('--dates=')) {
      const value = arg === '--dates' ? args[++i] : arg.slice('--dates='.length);
      if (value !== 'whole' && value !== 'keep-year') return 'scan: --dates takes whole or keep-year';
      dates = value;
    } else if (arg === '--jsonl') flags.jsonl = true;
    else if (arg === '--json') flags.json = true;
    else if (arg === '--fail-on-find') flags.failOnFind = true;
    else if (arg === '--help' || arg === '-h') flags.help = true;
    else if (arg.startsWith('-') && arg !== '-') return `scan: unknown option ${arg}`;
    else files.push(arg);
  }
  if (flags.jsonl && files.length > 0) return 'scan: --jsonl reads stdin and takes no files';
  return { files, dates, ...flags };
}
