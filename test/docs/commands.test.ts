// The commands that the documents print exist, with the words and options that they are given there.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS, runCommand } from '#cli/command.ts';
import { terminal } from '#test/sidecar/audit/rig.ts';
import { proofOf } from '#test/cluster/proof.ts';
import { readPages, ROOT } from './page.ts';

const PAGES = readPages();

/** What `lazaret NAME --help` says. */
async function helpOf(name: string): Promise<string> {
  const io = terminal();
  expect(await runCommand([name, '--help'], io, COMMANDS)).toBe(0);
  return io.out.join('');
}

/** Commands as they stand in blocks and in backticks: from `lazaret` or `npm run -s lazaret --` to what ends them. */
function commandsOf(text: string): readonly (readonly string[])[] {
  const blocks = [...text.matchAll(/```(?:sh)?\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...text.replaceAll(/```.*?```/gs, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...spans].flatMap((line) =>
    line
      .split(/ \| | && /)
      .map((part) => /^(?:npm run -s )?lazaret (?:-- )?([a-z].*)$/s.exec(part.trim())?.[1] ?? '')
      .filter((words) => words !== '')
      .map((words) => words.split(/\s+/)),
  );
}

describe.each(PAGES.map((page) => [page.path, page.text] as const))('%s', (_, text) => {
  it('gives lazaret only verbs and options that its help names', async () => {
    for (const [name = '', verb = '', ...rest] of commandsOf(text)) {
      const help = await helpOf(name);
      for (const each of verb.split(/\\\|/).filter((word) => /^[a-z]+$/.test(word)))
        expect(help, `lazaret ${name} ${each}`).toMatch(new RegExp(`lazaret ${name} (?:.* )?${each}\\b`));
      for (const option of [verb, ...rest].map((word) => /^\[?(--[a-z][a-z-]*)/.exec(word)?.[1]))
        if (option !== undefined && option !== '--help')
          expect(help, `lazaret ${name} ${verb} ${option}`).toContain(option);
    }
  });

  it('names in its commands only files of the checkout that are there', () => {
    const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block).join('\n');
    for (const [, file = ''] of blocks.matchAll(/(?:^|[\s=])((?:docs|charts|test|tools)\/[\w./-]+)/gm))
      expect(existsSync(join(ROOT, file)), file).toBe(true);
  });
});

it('every file of the test cluster says in proof.ts what it proves', () => {
  const files = readdirSync(join(ROOT, 'test/cluster')).filter((name) => name.endsWith('.test.ts'));
  expect(files.filter((file) => proofOf(file) === null)).toEqual([]);
});
