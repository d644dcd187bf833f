import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseAdmissionValues } from '#controller/admission/values.ts';
import { formatValues } from '../../tools/image/build-images.ts';
import { isLoopback, parseImageOptions } from '../../tools/image/options.ts';
import { stagePrograms } from '../../tools/image/stage-programs.ts';

describe('npm run image', () => {
  it('takes a base, a directory and a registry, and has a default for each', () => {
    expect(parseImageOptions([], '/out')).toEqual({ base: undefined, out: '/out', push: undefined });
    const words = ['--base', 'node.tar', '--out', 'here', '--push', 'registry.example:5000/team'];
    expect(parseImageOptions(words, '/out')).toEqual({
      base: 'node.tar',
      out: 'here',
      push: 'registry.example:5000/team',
    });
  });

  it.each([
    [['--bse', 'x']],
    [['word']],
    [['--push', 'https://registry.example']],
    [['--push', 'registry.example:latest']],
    [['--push', '--quiet']],
  ])('says how it is used on %j', (words) => {
    expect(() => parseImageOptions(words, '/out')).toThrow(/usage: npm run image/);
  });

  it('speaks plain HTTP with registries of this machine only', () => {
    const near = ['localhost:5000', '127.0.0.1:5000/team', '[::1]:5000', 'localhost'];
    const far = ['localhost.example.org', '127.0.0.1.example.org', 'registry.example:5000', '128.0.0.1'];
    expect(near.filter(isLoopback)).toEqual(near);
    expect(far.filter(isLoopback)).toEqual([]);
  });

  it('writes values that admission reads', () => {
    const image = (program: 'sidecar' | 'init') => ({
      program,
      repository: `registry.example/lazaret/${program}`,
      tag: '0.1.0',
      digest: `sha256:${'a'.repeat(64)}`,
      archive: '',
    });
    const values: unknown = parse(formatValues([image('sidecar'), image('init')]));
    expect(parseAdmissionValues(values)).toMatchObject({
      ok: true,
      values: { sidecar: { image: { repository: 'registry.example/lazaret/sidecar', tag: '0.1.0' } } },
    });
  });
});

describe('a staged program', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'stage-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('starts from its own directory alone, and is the same each time', async () => {
    const listing = async (into: string): Promise<readonly string[]> => {
      await stagePrograms(into, ['sidecar']);
      return readdirSync(into, { recursive: true, encoding: 'utf8' }).sort();
    };
    const files = await listing(dir);
    const load = 'import("koffi").then((koffi) => console.log(typeof koffi.default.load))';
    const said = execFileSync(process.execPath, ['-e', load], { cwd: join(dir, 'sidecar'), encoding: 'utf8' });
    expect(said.trim()).toBe('function');
    expect(files.filter((name) => /musl|\.cc$|\.md$|\.h$/.test(name))).toEqual([]);
    for (const name of files) expect(statSync(join(dir, name)).mode & 0o022).toBe(0);
    const again = mkdtempSync(join(dir, 'again-'));
    expect(await listing(again)).toEqual(files);
  });
});
