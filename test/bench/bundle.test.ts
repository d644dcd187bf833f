import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundlePrograms, PROGRAMS } from '../../tools/bundle.ts';

const root = mkdtempSync(join(tmpdir(), 'lazaret-bundle-'));
const dist = join(root, 'dist');

function run(
  program: string,
  words: readonly string[] = [],
): Promise<{ readonly code: number; readonly said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(dist, `${program}.js`), ...words], { env: {} }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stdout + stderr });
    });
  });
}

describe('the bundled programs', () => {
  beforeAll(async () => {
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(root, 'node_modules'));
    writeFileSync(join(root, 'probe.ts'), PROBE);
    await bundlePrograms(dist, { ...PROGRAMS, probe: join(root, 'probe.ts') });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(['sidecar', 'init', 'controller', 'collector'])(
    '%s starts and names the settings that it lacks',
    async (program) => {
      const { code, said } = await run(program);
      expect(code).toBeGreaterThan(0);
      expect(said).toMatch(/LAZARET_\w+/);
    },
  );

  it('lazaret tells how it is used', async () => {
    const { said } = await run('lazaret', ['--help']);
    expect(said).toContain('lazaret scan');
  });

  it('are ASCII, and hold the notices that the licences of their libraries ask for', () => {
    const files = readdirSync(dist).map((name) => ({ name, text: readFileSync(join(dist, name), 'utf8') }));
    expect(files.filter(({ text }) => /[\u0080-\uffff]/.test(text)).map(({ name }) => name)).toEqual([]);
    // Not `toContain`: where one is missing it would print all of the bundles.
    expect(NOTICES.filter((notice) => !files.some(({ text }) => text.includes(notice)))).toEqual([]);
  });

  it('hold what they use of libraries that are loaded at need or in part', async () => {
    expect(JSON.parse((await run('probe')).said)).toEqual({
      pool: 'function',
      request: 'function',
      x509: 'function',
      zod: 'Invalid input: expected string, received number',
    });
  });
});

const NOTICES = [
  'Copyright (c) 2014, GMO GlobalSign',
  'Redistributions in binary form must reproduce the above copyright notice',
  'Copyright (c) 2017-2024 Peculiar Ventures, LLC',
  'Copyright (C) Microsoft. All rights reserved.',
  'https://github.com/nodeca/js-yaml @license MIT',
];

const PROBE = `
import { Agent, Pool } from 'undici';
import { z } from 'zod';
await import('reflect-metadata');
const x509 = await import('@peculiar/x509');
const fault = z.string().safeParse(1).error;
process.stdout.write(JSON.stringify({
  pool: typeof Pool,
  request: typeof new Agent().request,
  x509: typeof x509.X509CertificateGenerator,
  zod: fault.issues[0].message,
}));
`;
