import { expect, it } from 'vitest';
import { parseListTable } from '#contract/list-table.ts';
import { COMMANDS, runCommand } from '#cli/command.ts';
import { SECRET, testKey } from '../phi/listed-names.ts';
import { memoryIo } from './memory-io.ts';

async function build(files: Readonly<Record<string, string>>, ...more: readonly string[]) {
  const world = memoryIo({ key: SECRET, ...files });
  const names = Object.keys(files).filter((name) => name !== 'key');
  const code = await runCommand(
    ['lists', 'build', ...names, '--key', 'key', '--out', 'table', ...more],
    world.io,
    COMMANDS,
  );
  const bytes = world.binaries.get('table');
  return { code, world, table: bytes === undefined ? undefined : parseListTable(bytes, testKey()) };
}

it('a table names how many entries of each kind it holds', async () => {
  const { code, table, world } = await build({
    'a.csv': 'MRN,Last Name,First Name,DOB\n4471902,"Quill, Jr",Hope,1960-01-02\n4471903,Zandrik,Ada,\n',
    'b.txt': '# wards\nBlue Door Clinic\n\nGonzalez, Maria\n',
  });
  expect([code, world.err()]).toEqual([0, '']);
  expect(table).toMatchObject({ header: { entries: 6, entities: { name: 3, mrn: 2, facility: 1 } } });
});

it('a quoted cell may hold separators, quotes and the end of a line', async () => {
  const { table } = await build({ 'a.csv': 'name;mrn\n"Quill; ""Ada""\nMarie";"44719\n02"\nZandrik;4471903\n' });
  expect(table).toMatchObject({ header: { entities: { name: 2, mrn: 2 } } });
});

it('entries that cannot be taken are named by line and never shown, and nothing is written', async () => {
  const { code, world, table } = await build(
    { 'a.txt': 'Hope Quill\n!!\nA B C D E F G H I Clinic\n77\n' },
    '--as',
    'facilities',
  );
  expect(code).toBe(2);
  expect(table).toBeUndefined();
  expect(world.err()).toMatch(/a\.txt: line 2 has no word of two letters/);
  expect(world.err()).toMatch(/a\.txt: line 3 has more than 8 words/);
  expect(world.err()).not.toMatch(/Hope|Quill|77|A B/);
});

it('numbers too short to be told from others are refused by line', async () => {
  const { code, world } = await build({ 'a.csv': 'mrn\n4471902\n12\n' });
  expect([code, world.err().split('\n')[0]]).toEqual([
    2,
    'a.csv: line 3 is no number of 5 letters and digits or more with 3 digits',
  ]);
});

it('an unclosed quote is named by the line that it begins in', async () => {
  const { code, world } = await build({ 'a.csv': 'name,mrn\nHope Quill,4471902\n"Zandrik,4471903\n' });
  expect([code, world.err().split('\n')[0]]).toEqual([2, 'a.csv: line 3 has a quote that is never closed']);
});

it('a key that does not exist is made, readable by its owner alone', async () => {
  const world = memoryIo({ 'a.txt': 'Hope Quill\n' });
  const code = await runCommand(['lists', 'build', 'a.txt', '--key', 'new', '--out', 'table'], world.io, COMMANDS);
  expect([code, world.modes.get('new'), world.files['new']?.trim().length]).toEqual([0, 0o600, 43]);
});

it('a short key is refused', async () => {
  const { code, world } = await build({ key: 'short', 'a.txt': 'Hope Quill\n' });
  expect([code, world.err()]).toEqual([2, expect.stringContaining('too short for a key')]);
});

it('a table that is too large for a Secret is said to be', async () => {
  const numbers = Array.from({ length: 140_000 }, (_, at) => `${10_000_000 + at * 17}\n`).join('');
  const { code, table, world } = await build({ 'a.txt': numbers });
  expect([code, typeof table]).toEqual([0, 'object']);
  expect(world.err()).toMatch(/table is larger than a Secret may be \(1048576 bytes\)/);
});
