import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Phi } from '#contract/phi.ts';
import { createLog } from '#sidecar/ops/log.ts';

describe('the log', () => {
  it('T24: an error is printed as its class and code, never by its message', () => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line: string) => void lines.push(line) });
    log.error({ err: Object.assign(new Error('Maria Gonzalez, MRN 4471902'), { code: 'ECONNRESET' }) }, 'failed');
    expect(lines.join('')).not.toMatch(/Gonzalez|4471902/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', err: { fault: 'Error', code: 'ECONNRESET' } });
  });

  it('a secret cannot be printed by any conversion', () => {
    const secret = new Phi('Maria Gonzalez');
    const lines: string[] = [];
    createLog('info', { write: (line: string) => void lines.push(line) }).info({ secret }, String(secret));
    expect(
      [
        lines.join(''),
        `${secret as unknown as string}!`,
        JSON.stringify({ secret }),
        inspect(secret),
        inspect({ a: [secret] }),
      ].join(),
    ).not.toContain('Maria');
    expect(secret.reveal()).toBe('Maria Gonzalez');
  });
});
