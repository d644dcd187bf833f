import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ROOT } from './run-pod.ts';

interface Checks {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

async function demo(words: readonly string[], args: readonly string[]) {
  const [program, ...rest] = [...words, process.execPath, '--disable-warning=ExperimentalWarning'];
  const { stdout, stderr } = await promisify(execFile)(program, [...rest, 'cli/demo/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, HOME: '/tmp' },
  });
  return { stdout, stderr };
}

const failures = (stdout: string): readonly unknown[] =>
  (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Checks).checks.filter(({ ok }) => !ok);

describe('the demo', () => {
  it('holds all its checks in a pod', async () => {
    const { stdout, stderr } = await demo([], ['--json']);
    expect(failures(stdout)).toEqual([]);
    expect(stderr).toBe('');
    expect(stdout).toContain('QUIC');
  });

  it('fits a terminal of 100 columns', async () => {
    const { stdout } = await demo([], []);
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(stdout).toContain('checks hold.');
  });

  it('names what is missing without root, and holds the checks that are left', async () => {
    const { stdout, stderr } = await demo(
      ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
      ['--json'],
    );
    expect(failures(stdout)).toEqual([]);
    expect(stderr).toContain('a pod needs root');
    expect(stdout).not.toContain('QUIC');
  });

  it('names the capability that is missing to a root that may not make namespaces', async () => {
    const { stdout, stderr } = await demo(
      ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-all', '--'],
      ['--json'],
    );
    expect(failures(stdout)).toEqual([]);
    expect(stderr).toContain('SYS_ADMIN');
  });
});
