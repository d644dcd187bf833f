/** One line of the table. `null` where a row has no such figure. */
export interface Row {
  readonly name: string;
  /** Exchanges at a time; 0 for a row without traffic. */
  readonly concurrency: number;
  /** Exchanges a second; row `stream`: events a second; row `fdatasync`: syncs a second. */
  readonly rps: number | null;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** p50 less the p50 of `direct` at the same concurrency. */
  readonly added_p50_ms: number | null;
  /** User and system time of the measured process for one exchange, microseconds. */
  readonly cpu_us: number | null;
  /** Resident memory of the measured process, MB of 1024 x 1024 bytes: after its load, at rest in `idle`, the peak in `memory`. */
  readonly rss_mb: number | null;
}

const COLUMNS = ['name', 'concurrency', 'rps', 'p50_ms', 'p99_ms', 'added_p50_ms', 'cpu_us', 'rss_mb'] as const;
const TITLES: Readonly<Record<(typeof COLUMNS)[number], string>> = {
  name: 'row',
  concurrency: 'c',
  rps: 'per second',
  p50_ms: 'p50 ms',
  p99_ms: 'p99 ms',
  added_p50_ms: 'added p50',
  cpu_us: 'CPU us',
  rss_mb: 'RSS MB',
};
const DIGITS: Readonly<Partial<Record<(typeof COLUMNS)[number], number>>> = {
  p50_ms: 3,
  p99_ms: 3,
  added_p50_ms: 3,
  rps: 1,
  rss_mb: 1,
};

/** Rounds what was measured to digits that mean something. */
export function tidyRow(row: Row): Row {
  const tidy = (column: Exclude<(typeof COLUMNS)[number], 'name'>): number | null => {
    const value = row[column];
    return value === null || !Number.isFinite(value) ? null : Number(value.toFixed(DIGITS[column] ?? 0));
  };
  return {
    name: row.name,
    concurrency: row.concurrency,
    rps: tidy('rps'),
    p50_ms: tidy('p50_ms'),
    p99_ms: tidy('p99_ms'),
    added_p50_ms: tidy('added_p50_ms'),
    cpu_us: tidy('cpu_us'),
    rss_mb: tidy('rss_mb'),
  };
}

/** The rows as text in columns. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [
    COLUMNS.map((column) => TITLES[column]),
    ...rows.map((row) => COLUMNS.map((column) => cellOf(row, column))),
  ];
  const widths = COLUMNS.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells
    .map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function cellOf(row: Row, column: (typeof COLUMNS)[number]): string {
  const value = row[column];
  if (value === null) return '-';
  return typeof value === 'string' ? value : value.toFixed(DIGITS[column] ?? 0);
}

/** The middle of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
