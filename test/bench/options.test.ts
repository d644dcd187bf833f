import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../bench/options.ts';
import { formatTable, median, tidyRow } from '../../bench/row.ts';

describe('the options of the bench', () => {
  it('measure every row for six seconds when nothing is said', () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ json: false, seconds: 6, profile: null });
    expect(typeof options === 'string' ? [] : [...options.only]).toContain('memory');
  });

  it('always keep the row that added times are against', () => {
    const options = parseOptions(['--only', 'full,splice', '--json', '--seconds=2']);
    expect(typeof options === 'string' ? [] : [...options.only].sort()).toEqual(['direct', 'full', 'splice']);
  });

  it('measure no proxy when only rows of the controller or the detector are asked for', () => {
    const options = parseOptions(['--only', 'admission,phi-4k']);
    expect(typeof options === 'string' ? [] : [...options.only].sort()).toEqual(['admission', 'phi-4k']);
  });

  it.each([[['--only', 'fast']], [['--only', '']], [['--seconds', '0']], [['--seconds', 'x']], [['--rows']]])(
    'are refused by a sentence: %j',
    (words) => {
      expect(parseOptions(words)).toBeTypeOf('string');
    },
  );
});

describe('a row', () => {
  const row = {
    name: 'full',
    concurrency: 16,
    rps: 1234.5678,
    p50_ms: 0.123_456,
    p99_ms: Number.NaN,
    added_p50_ms: null,
    cpu_us: 99.6,
    rss_mb: 81.25,
  };

  it('has the digits that mean something, and null for what could not be measured', () => {
    expect(JSON.stringify(tidyRow(row))).toBe(
      '{"name":"full","concurrency":16,"rps":1234.6,"p50_ms":0.123,"p99_ms":null,"added_p50_ms":null,"cpu_us":100,"rss_mb":81.3}',
    );
  });

  it('is one line of the table, with a dash for null', () => {
    const [, line] = formatTable([tidyRow(row)]).split('\n');
    expect(line?.trim().split(/\s+/)).toEqual(['full', '16', '1234.6', '0.123', '-', '-', '100', '81.3']);
  });

  it('is a median that lies between the middle two of an even count', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([9, 1, 2])).toBe(2);
  });
});
