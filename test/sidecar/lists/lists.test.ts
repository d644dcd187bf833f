import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DetectorError } from '#phi/detector-error.ts';
import { redact } from '#phi/redact.ts';
import { type Lists, openLists } from '#sidecar/lists/lists.ts';
import { SECRET, tableBytes } from '../../phi/listed-names.ts';

let dir: string;
let lists: Lists | undefined;
let faults: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lazaret-lists-'));
  faults = [];
  await writeFile(join(dir, 'key'), SECRET);
});
afterEach(async () => {
  lists?.close();
  await rm(dir, { recursive: true });
});

async function open(...files: readonly string[]): Promise<Lists> {
  lists = await openLists({
    files: files.map((file) => join(dir, file)),
    keyFile: join(dir, 'key'),
    onFault: (sentence) => faults.push(sentence.replaceAll(`${dir}/`, '')),
    pollMs: 3_600_000,
  });
  return lists;
}

/** Puts a table in place whole, by a rename, as a mounted Secret or an operator's tool does. */
async function put(name: string, ...people: readonly string[]): Promise<void> {
  await writeFile(join(dir, 'new'), tableBytes(people.map((person) => ['name', person])));
  await rename(join(dir, 'new'), join(dir, name));
}

function redacted(opened: Lists, text: string): string {
  const names = opened.names();
  const result = redact([{ text, format: 'text', message: 1 }], {
    dates: 'whole',
    actions: {},
    ...(names === undefined ? {} : { names }),
  });
  return result.kind === 'redacted' ? (result.texts[0] ?? '') : result.reason;
}

it('without lists nothing is asked of them', async () => {
  expect((await open()).names()).toBeUndefined();
});

it('names of all tables are found', async () => {
  await put('a', 'Zorbal Kwitem');
  await put('b', 'Udoree Vaxilm');
  expect(redacted(await open('a', 'b'), 'zorbal kwitem met udoree vaxilm')).toMatch(/^NAME_1a\d\d met NAME_2a\d\d$/);
});

it('a table that was replaced is in force after the next look', async () => {
  await put('a', 'Zorbal Kwitem');
  const opened = await open('a');
  await put('a', 'Udoree Vaxilm');
  await opened.check();
  expect(redacted(opened, 'zorbal kwitem')).toBe('zorbal kwitem');
  expect(redacted(opened, 'udoree vaxilm')).toMatch(/^NAME_1a\d\d$/);
});

it.each([
  ['is gone', async () => await rm(join(dir, 'a')), 'a cannot be read'],
  [
    'is cut',
    async () => await writeFile(join(dir, 'a'), tableBytes([['name', 'Ada Quill']]).subarray(0, -9)),
    'a is cut off',
  ],
  ['is something else', async () => await writeFile(join(dir, 'a'), 'Ada Quill\n'), 'a is no table'],
  ['has another key', async () => await writeFile(join(dir, 'key'), `${SECRET}!`), 'a was made with another key'],
  ['has lost its key', async () => await rm(join(dir, 'key')), 'key cannot be read'],
])('a table that %s makes the detector fail, and a good one mends it', async (_how, spoil, sentence) => {
  await put('a', 'Zorbal Kwitem');
  const opened = await open('a');
  expect(redacted(opened, 'zorbal kwitem')).toMatch(/^NAME/);
  await spoil();
  await opened.check();
  expect(() => opened.names()).toThrow(DetectorError);
  expect(faults).toEqual([expect.stringContaining(sentence)]);
  await opened.check();
  expect(faults).toHaveLength(1);
  await writeFile(join(dir, 'key'), SECRET);
  await put('a', 'Zorbal Kwitem');
  await opened.check();
  expect(redacted(opened, 'zorbal kwitem')).toMatch(/^NAME/);
});
