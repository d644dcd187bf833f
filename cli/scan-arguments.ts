import type { DatePolicy } from '#phi/view.ts';
import { type Arguments, parseArguments } from './arguments.ts';
import { UsageError } from './io.ts';

/** What `lazaret scan` was asked to do. */
export interface ScanArguments {
  readonly files: readonly string[];
  readonly dates: DatePolicy;
  /** A bundle source whose decisions are shown. */
  readonly policy: string | null;
  readonly jsonl: boolean;
  readonly json: boolean;
  readonly failOnFind: boolean;
  readonly help: boolean;
  /** All of them, for what describes the workload. */
  readonly given: Arguments;
}

export const SCAN_USAGE = `usage: lazaret scan [FILE...] [--dates whole|keep-year | --policy FILE] [--fail-on-find] [--json]
       lazaret scan --jsonl [--dates ... | --policy FILE] < LINES

Shows what the guard takes for identifiers in files or on stdin, or what a policy does with them.
  --dates keep-year   the year of a date stays (default); whole: all of it goes
  --policy FILE       a bundle source: shows what is redacted, kept and refused under it
  --namespace NAME, --label KEY=VALUE
                      the workload, where the source has policies for several
  --fail-on-find      exit 3 when an identifier was found
  --json              one JSON object a file instead of marked text
  --jsonl             stdin lines {"id","text"}, stdout lines {"id","redacted","spans"}
`;

/** @throws UsageError with one sentence that says what is wrong */
export function parseScanArguments(args: readonly string[]): ScanArguments {
  const given = parseArguments(args, {
    dates: 'value',
    policy: 'value',
    namespace: 'value',
    label: 'values',
    jsonl: 'switch',
    json: 'switch',
    'fail-on-find': 'switch',
    help: 'switch',
  });
  const [dates, policy] = [given.value('dates'), given.value('policy') ?? null];
  if (dates !== undefined && dates !== 'whole' && dates !== 'keep-year')
    throw new UsageError('scan: --dates takes whole or keep-year');
  if (dates !== undefined && policy !== null)
    throw new UsageError('scan: --policy says what happens to dates: leave out --dates');
  if (given.has('jsonl') && given.positionals.length > 0)
    throw new UsageError('scan: --jsonl reads stdin and takes no files');
  return {
    files: given.positionals,
    dates: dates ?? 'keep-year',
    policy,
    jsonl: given.has('jsonl'),
    json: given.has('json'),
    failOnFind: given.has('fail-on-find'),
    help: given.has('help'),
    given,
  };
}
