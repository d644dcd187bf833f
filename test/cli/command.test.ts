import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { COMMANDS, runCommand } from '#cli/command.ts';
import { UsageError } from '#cli/io.ts';
import { memoryIo } from './memory-io.ts';

const FAILING = {
  fault: { summary: 'fails', load: async () => async () => Promise.reject(new Error('Maria Gonzalez, MRN 12345')) },
  code: {
    summary: 'fails',
    load: async () => async () => Promise.reject(Object.assign(new Error('secret'), { code: 'EACCES' })),
  },
  usage: {
    summary: 'is used wrongly',
    load: async () => async () => Promise.reject(new UsageError('say what you want')),
  },
  three: { summary: 'finds', load: async () => async () => 3 },
};

test('a command gives its exit code', async () => {
  expect(await runCommand(['three'], memoryIo().io, FAILING)).toBe(3);
});

test.each([['unknown'], ['toString'], ['__proto__'], ['--version']])(
  '%s is no command: one sentence and exit code 2',
  async (name) => {
    const { io, out, err } = memoryIo();
    expect(await runCommand([name], io, FAILING)).toBe(2);
    expect(out()).toBe('');
    expect(err().trim().split('\n')).toHaveLength(1);
    expect(err()).toContain('fault, code, usage, three');
  },
);

test('an error ends in one sentence without its text and without a stack', async () => {
  const { io, err } = memoryIo();
  expect(await runCommand(['fault'], io, FAILING)).toBe(2);
  expect(err()).toBe('lazaret fault failed; nothing more was done\n');
});

test('an error of the system tells its code', async () => {
  const { io, err } = memoryIo();
  await runCommand(['code'], io, FAILING);
  expect(err()).toBe('lazaret code failed (EACCES); nothing more was done\n');
});

test('wrong usage is told as it is', async () => {
  const { io, err } = memoryIo();
  expect(await runCommand(['usage'], io, FAILING)).toBe(2);
  expect(err()).toBe('say what you want\n');
});

test('help lists every command and exits 0, no command lists them on stderr and exits 2', async () => {
  const asked = memoryIo();
  expect(await runCommand(['--help'], asked.io, COMMANDS)).toBe(0);
  const bare = memoryIo();
  expect(await runCommand([], bare.io, COMMANDS)).toBe(2);
  for (const name of Object.keys(COMMANDS)) expect(asked.out()).toContain(`lazaret ${name}`);
  expect(bare.err()).toBe(asked.out());
});

test.each(Object.keys(COMMANDS))('%s --help prints its usage and exits 0', async (name) => {
  const { io, out, err } = memoryIo();
  expect(await runCommand([name, '--help'], io, COMMANDS)).toBe(0);
  expect(out()).toContain(`lazaret ${name}`);
  expect(err()).toBe('');
});

test('the program exits with the command’s code and prints no stack', async () => {
  const main = new URL('../../cli/main.ts', import.meta.url).pathname;
  const failed = await promisify(execFile)(process.execPath, [
    main,
    'policy',
    'verify',
    '--key',
    '/nowhere',
    '/nowhere',
  ]).catch((error: { code: number; stderr: string }) => error);
  expect(failed).toMatchObject({
    code: 2,
    stderr: '/nowhere cannot be read: name a file that exists and that you may read\n',
  });
});
