import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logShape } from '#contract/log-shape.ts';

test('a line names program, level and time as words, and of a fault its class and code only', () => {
  const lines: string[] = [];
  const options = { timestamp: pino.stdTimeFunctions.isoTime, ...logShape('lazaret-test') };
  const log = pino(options, { write: (line: string) => void lines.push(line) });
  log.warn({ event: 'x', err: Object.assign(new TypeError('Maria Gonzalez'), { code: 'ECONNREFUSED' }) }, 'said');
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    program: 'lazaret-test',
    event: 'x',
    err: { fault: 'TypeError', code: 'ECONNREFUSED' },
    msg: 'said',
  });
});

test.each([['a text'], [{ message: 'Maria' }], [Object.assign(new Error('x'), { code: 'a patient' })]])(
  'a fault that is none, or has an odd code, tells nothing: %#',
  (fault) => {
    expect(JSON.stringify(logShape('x').serializers.err(fault))).toMatch(/^\{"fault":"(string|object|Error)"\}$/);
  },
);
