import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FINDINGS } from '#contract/chain-finding.ts';
import { LIMIT } from '#contract/limit.ts';
import { REASONS } from '#contract/reason.ts';
import { STAGES } from '#contract/record-build.ts';
import { createMetrics as collectorMetrics } from '#collector/metrics.ts';
import { createBundleMetrics } from '#controller/bundle/bundle-metrics.ts';
import { createMetrics as controllerMetrics } from '#controller/ops/metrics.ts';
import { createRegisterMetrics } from '#controller/register/register-metrics.ts';
import { COMMANDS } from '#cli/command.ts';
import { createMetrics as sidecarMetrics } from '#sidecar/ops/metrics.ts';
import { ROWS } from '#test/cluster/cost-table.ts';
import { anchors, codes, links, readPage, readPages, ROOT, rows, section } from './page.ts';

const PAGES = readPages();
const ARCHITECTURE = readPage('docs/architecture.md');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
};
const SOURCE_FILE =
  /^(?:contract|phi|llm|sidecar|controller|collector|cli|test|bench|tools|docs)\/[\w./-]*\.(?:ts|yaml|md|sh|py)$/;

describe.each(PAGES.map((page) => [page.path, page] as const))('%s', (_, page) => {
  it('links only to files and headings that exist', () => {
    for (const { file, anchor } of links(page)) {
      expect(existsSync(join(ROOT, file)), file).toBe(true);
      if (anchor !== null) expect([...anchors(readPage(file))], `${file}#${anchor}`).toContain(anchor);
    }
  });

  it('names only files that exist', () => {
    for (const file of codes(page.text).filter((code) => SOURCE_FILE.test(code)))
      expect(existsSync(join(ROOT, file)), file).toBe(true);
  });

  it('names only npm scripts that package.json has', () => {
    for (const [, script = ''] of page.text.matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g))
      expect(Object.keys(PACKAGE.scripts)).toContain(script);
  });

  it('names only commands that lazaret has', () => {
    for (const [, command = ''] of page.text.matchAll(/(?:^|`)(?:npm run -s )?lazaret (?:-- )?([a-z]+)\b/gm))
      expect(Object.keys(COMMANDS)).toContain(command);
  });

  it('names only bounds that exist', () => {
    for (const [, bound = ''] of page.text.matchAll(/LIMIT\.(\w+)/g)) expect(Object.keys(LIMIT)).toContain(bound);
  });
});

describe('docs/architecture.md', () => {
  it.each(['sidecar', 'controller', 'collector'])('names every file of %s/', (room) => {
    const named = new Set(codes(ARCHITECTURE));
    const files = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${room}/${file}`);
    expect(files.filter((file) => !named.has(file))).toEqual([]);
  });

  it('has every reason in its table, with status, retry and who must act', () => {
    const table = rows(section(ARCHITECTURE, 'Reasons')).map((cells) => cells.slice(0, 4));
    expect(table).toEqual(
      Object.entries(REASONS).map(([code, { status, retry, actor }]) => [
        `\`${code}\``,
        String(status),
        retry ? 'yes' : 'no',
        actor,
      ]),
    );
  });

  it('has every bound in its table, beside files that use it', () => {
    const table = rows(section(ARCHITECTURE, 'Bounds')).map(([bounds = '', files = '']) => [
      codes(bounds),
      codes(files),
    ]);
    expect(table.flatMap(([bounds = []]) => bounds).toSorted()).toEqual(Object.keys(LIMIT).toSorted());
    for (const [bounds = [], files = []] of table)
      for (const file of files)
        for (const bound of bounds) expect(readPage(file), `${bound} in ${file}`).toContain(`LIMIT.${bound}`);
  });
});

describe('metrics', () => {
  const controller = controllerMetrics();
  createBundleMetrics(controller.registry);
  createRegisterMetrics(controller.registry);
  const registered = [sidecarMetrics(), controller, collectorMetrics()].flatMap(({ registry }) =>
    registry.getMetricsAsArray(),
  );
  const own = registered.map(({ name }) => name).filter((name) => name.startsWith('lazaret_'));

  it('of all programs stand in the tables', () => {
    const table = rows(section(ARCHITECTURE, 'Metrics')).map(([name = '']) => name.replaceAll('`', ''));
    expect(table.toSorted()).toEqual(own.toSorted());
  });

  it.each(PAGES.map((page) => [page.path, page] as const))('named in %s exist', (_, { text }) => {
    for (const [name] of text.matchAll(/\blazaret_[a-z_]+[a-z]/g)) expect(own).toContain(name);
  });
});

describe('docs/evidence.md', () => {
  const page = readPage('docs/evidence.md');
  const first = (title: string) => rows(section(page, title)).map(([cell = '', level = '']) => [codes(cell), level]);

  it('has every finding of verify with its level', () => {
    expect(Object.fromEntries(first('List, verify, open').map(([code, level]) => [String(code), level]))).toEqual(
      FINDINGS,
    );
  });

  it('has every stage of a record', () => {
    expect(new Set(first('What stands where').flatMap(([stages]) => stages))).toEqual(new Set(STAGES));
  });
});

it('docs/cost.md has the rows that npm run cost prints', () => {
  const shown = rows(section(readPage('docs/cost.md'), 'One run')).map(([name]) => name);
  expect(shown).toEqual([...ROWS.latency, ...ROWS.programs]);
});

describe('docs/security.md', () => {
  const page = readPage('docs/security.md');
  const rules = (text: string) => new Set([...text.matchAll(/\b(?:B|ADM)-\d\d\b/g)].map(([rule]) => rule));

  it('names every rule of admission beside an adversary, and no other', () => {
    const all = rows(section(readPage('docs/admission.md'), 'The rules')).map(([rule = '']) => rule);
    expect([...rules(section(page, 'Adversaries'))].toSorted()).toEqual(all.toSorted());
  });

  it('says of each try what stops it and which test shows it', () => {
    const tries = section(page, 'Adversaries').split('### Who stole a key')[0] ?? '';
    for (const [what, stop, shown = ''] of rows(tries)) {
      expect(stop, what).not.toBe('');
      expect(codes(shown).length, what).toBeGreaterThan(0);
      for (const file of codes(shown)) expect(file).toMatch(/^test\/.*\.test\.ts$/);
    }
  });

  it('says of each adversary what is not stopped, or what to do', () => {
    for (const part of section(page, 'Adversaries').split(/^### /m).slice(1))
      expect(part, part.split('\n')[0]).toMatch(/\*Not stopped:\*|what to do/);
  });
});

describe('README.md', () => {
  const page = readPage('README.md');

  it('has a picture of at most 100 columns', () => {
    const picture = /```\n([^]*?)```/.exec(section(page, 'The path'))?.[1] ?? '';
    expect(picture).toContain('lazaret-sidecar');
    for (const line of picture.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
  });

  it('names every script that a user runs', () => {
    for (const script of Object.keys(PACKAGE.scripts).filter((name) => !['test', 'format'].includes(name)))
      expect(page).toMatch(new RegExp(`npm run (?:-s )?${script}\\b`));
  });
});

describe('docs/decisions', () => {
  const files = PAGES.filter(({ path }) => /^docs\/decisions\/\d{4}-/.test(path));

  it('are numbered without a gap, and all stand in the list', () => {
    expect(files.map(({ path }) => Number(path.slice('docs/decisions/'.length).slice(0, 4)))).toEqual(
      files.map((_, at) => at + 1),
    );
    for (const { path } of files)
      expect(readPage('docs/decisions/README.md')).toContain(`(${path.slice('docs/decisions/'.length)})`);
  });

  it.each(files.map(({ path, text }) => [path, text] as const))(
    '%s has context, decision and consequence',
    (_, text) => {
      expect([...text.matchAll(/^\*\*(\w+)\.\*\*/gm)].map((match) => match[1])).toEqual([
        'Context',
        'Decision',
        'Consequence',
      ]);
    },
  );

  it('say of every dependency why it is there', () => {
    const why = files.map(({ text }) => text).join('\n');
    const all = [...Object.keys(PACKAGE.dependencies), ...Object.keys(PACKAGE.devDependencies)];
    for (const name of all.filter((each) => !each.startsWith('@types/') && !each.startsWith('@vitest/')))
      expect(why).toContain(`\`${name}\``);
  });
});
