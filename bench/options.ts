/** The rows that are measured with plain exchanges, in the order of the table. */
export const RIVALS = ['direct', 'haproxy', 'mitmproxy', 'splice', 'terminate', 'full', 'full-nosync'] as const;
/** The rows that each have a way of their own to measure. */
export const EXTRAS = ['idle', 'fdatasync', 'stream', 'memory'] as const;

/** The rows of programs that measure the controller and the detector alone. */
export const APART = [
  'admission',
  'compile',
  'bundle-shared',
  'bundle-distinct',
  'lexer-4k',
  'phi-4k',
  'phi-4k-lists',
  'phi-1m',
] as const;

const ALL = [...RIVALS, ...EXTRAS, ...APART] as const;

export type ApartRow = (typeof APART)[number];
export type Rival = (typeof RIVALS)[number];
export type RowName = (typeof ALL)[number];

/** What a run of the bench does. */
export interface BenchOptions {
  readonly json: boolean;
  /** Measured seconds of each row at each concurrency, all rounds together. */
  readonly seconds: number;
  readonly only: ReadonlySet<RowName>;
  /** Where CPU profiles of the guards of rows `full` and `full-nosync` are written. */
  readonly profile: string | null;
}

export const USAGE = `npm run bench [-- --json] [--seconds N] [--only NAME,...] [--profile DIR]

Measures what the guard costs, beside other proxies on the same machine in the same run. Rows: ${ALL.join(' ')}.
  --seconds N   measured seconds of each row at each concurrency (default 6; the whole run takes less than five minutes)
  --only NAME   only these rows; direct is measured with any of the proxies, because every added time is against it
  --profile DIR writes CPU profiles of the guards of rows full and full-nosync there (open it with Chrome's DevTools)
`;

const DEFAULT_SECONDS = 6;

/** @returns the options, or a sentence that says what is wrong with the words */
export function parseOptions(words: readonly string[]): BenchOptions | string {
  let json = false;
  let seconds = DEFAULT_SECONDS;
  let only: ReadonlySet<RowName> = new Set<RowName>(ALL);
  let profile: string | null = null;
  const rest = words.flatMap((word) => (/^--\w+=/.test(word) ? word.split(/=(.*)/s).slice(0, 2) : [word]));
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at];
    const value = rest[at + 1] ?? '';
    if (word === '--json') json = true;
    else if (word === '--seconds') {
      seconds = Number(value);
      at++;
      if (!(seconds >= 0.5 && seconds <= 600)) return '--seconds takes a number from 0.5 to 600';
    } else if (word === '--only') {
      const names = value.split(',').filter((name) => name !== '');
      const unknown = names.find((name) => !isRowName(name));
      if (names.length === 0 || unknown !== undefined)
        return `--only takes names of rows, with commas between: ${ALL.join(', ')}`;
      const chosen = names.filter(isRowName);
      only = new Set([...(chosen.every(isApart) ? [] : (['direct'] as const)), ...chosen]);
      at++;
    } else if (word === '--profile' && value !== '') {
      profile = value;
      at++;
    } else return `${word} is not known: see npm run bench -- --help`;
  }
  return { json, seconds, only, profile };
}

function isRowName(name: string): name is RowName {
  return ALL.some((row) => row === name);
}

function isApart(name: RowName): name is ApartRow {
  return APART.some((row) => row === name);
}
