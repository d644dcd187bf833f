import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseListTable } from '#contract/list-table.ts';
import { parseListsHead } from '#contract/lists-protocol.ts';
import { openReleaseLists, type ReleaseLists } from '#controller/lists/release-lists.ts';
import { mountSecret } from '../../fake/mounted-secrets.ts';
import { SECRET, tableBytes, testKey } from '../../phi/listed-names.ts';

let root: string;
let lists: ReleaseLists | undefined;
let faults: string[];
let loads: unknown[];
let changes: number;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lazaret-release-lists-'));
  [faults, loads, changes] = [[], [], 0];
});
afterEach(async () => {
  lists?.close();
  await rm(root, { recursive: true });
});

type Content = Readonly<Record<string, string | Uint8Array>>;

const mount = (secret: string, content: Content) => mountSecret(root, secret, content);
const tableOf = (...people: readonly string[]) => tableBytes(people.map((person) => ['name', person]));

/** One bit of an entry is another. */
function damaged(): Uint8Array {
  const bytes = tableOf('Ada Quill');
  bytes[bytes.length - 36] = (bytes.at(-36) ?? 0) ^ 1;
  return bytes;
}

async function open(): Promise<ReleaseLists> {
  lists = await openReleaseLists({
    root,
    onFault: (sentence) => faults.push(sentence),
    onLoad: ({ tables, entities }) => loads.push({ tables, entities }),
    pollMs: 3_600_000,
  });
  lists.onChange(() => changes++);
  return lists;
}

/** What a sidecar would be sent. */
function sent(of: ReleaseLists) {
  const policy = of.inPolicy();
  if (policy === undefined || !('tag' in policy)) return null;
  const bytes = Buffer.concat(of.find(policy.tag)?.body ?? []);
  expect(createHash('sha256').update(bytes).digest('base64url')).toBe(policy.tag);
  const end = bytes.indexOf(10);
  const head = parseListsHead(bytes.toString('utf8', 0, end));
  let from = end + 1;
  const counts = head?.tables.map(({ bytes: length }) => {
    const table = parseListTable(Uint8Array.from(bytes.subarray(from, (from += length))), testKey(head.key));
    return typeof table === 'string' ? table : table.header.entries;
  });
  expect(from).toBe(bytes.length);
  return { names: head?.tables.map(({ name }) => name), counts };
}

describe('the lists of a release', () => {
  it('are none where no folder is named', async () => {
    lists = await openReleaseLists({ root: undefined });
    expect(lists.inPolicy()).toBeUndefined();
    expect(lists.find('')).toBeNull();
  });

  it('are all tables of all Secrets, verified, under a tag that stands for key and content', async () => {
    await mount('lazaret-lists', { key: `${SECRET}\n`, 'patients.table': tableOf('Zorbal Kwitem', 'Ada Quill') });
    await mount('more', { 'patients.table': tableOf('Udoree Vaxilm') });
    const opened = await open();
    expect(sent(opened)).toEqual({ names: ['lazaret-lists/patients.table', 'more/patients.table'], counts: [2, 1] });
    expect(loads).toEqual([{ tables: 2, entities: { name: 3 } }]);
    expect(opened.find('x'.repeat(43))).toBeNull();
  });

  it('put a table together whose parts lie in several Secrets', async () => {
    const bytes = tableOf(
      ...Array.from({ length: 40 }, (_, at) => `Zorbal Kwitem${'abcdefghij'[at % 10]}${'klmno'[at % 5]}`),
    );
    await mount('key', { key: SECRET });
    await mount('a-late', { 'patients.table.10': bytes.subarray(200) });
    await mount('b-first', { 'patients.table.08': bytes.subarray(0, 7), 'patients.table.09': bytes.subarray(7, 200) });
    expect(sent(await open())).toEqual({ names: ['patients.table'], counts: [40] });
  });

  it('are others after a Secret was replaced, and those who wait are told once', async () => {
    await mount('lists', { key: SECRET, 'patients.table': tableOf('Zorbal Kwitem') });
    const opened = await open();
    const before = opened.inPolicy();
    await opened.check();
    expect(opened.inPolicy()).toBe(before);
    await mount('lists', { key: SECRET, 'patients.table': tableOf('Zorbal Kwitem', 'Ada Quill') });
    await opened.check();
    await opened.check();
    expect(opened.inPolicy()).not.toEqual(before);
    expect(sent(opened)?.counts).toEqual([2]);
    expect(changes).toBe(1);
  });

  it('stay the same when the same content is written again', async () => {
    const content = { key: SECRET, 'patients.table': tableOf('Zorbal Kwitem') };
    await mount('lists', content);
    const opened = await open();
    await mount('lists', content);
    await opened.check();
    expect(changes).toBe(0);
  });

  it.each<readonly [string, readonly (readonly [string, Content])[], string]>([
    [
      'is cut',
      [['lists', { key: SECRET, 'a.table': tableOf('Ada Quill').subarray(0, -9) }]],
      'lists/a.table is cut off',
    ],
    ['is damaged', [['lists', { key: SECRET, 'a.table': damaged() }]], 'lists/a.table is damaged'],
    [
      'has another key',
      [['lists', { key: `${SECRET}!`, 'a.table': tableOf('Ada Quill') }]],
      'lists/a.table was made with another key',
    ],
    ['has no key', [['lists', { 'a.table': tableOf('Ada Quill') }]], 'the lists have no key'],
    [
      'has two keys',
      [
        ['lists', { key: SECRET }],
        ['more', { key: `${SECRET}!` }],
      ],
      'more/key and lists/key are different keys',
    ],
    [
      'has a short key',
      [['lists', { key: 'short', 'a.table': tableOf('Ada Quill') }]],
      'the key of the lists is too short',
    ],
    ['is none', [['lists', { key: SECRET }]], 'the lists have no table'],
    [
      'is the list itself',
      [['lists', { key: SECRET, 'patients.csv': 'Ada Quill' }]],
      'lists/patients.csv is neither a table',
    ],
    [
      'lacks a part',
      [['lists', { key: SECRET, 'a.table.00': 'x', 'a.table.02': 'y' }]],
      'a.table has a part twice or lacks one',
    ],
  ])(
    'are refused, in policy and aloud, where a table %s, and a good one mends them',
    async (_how, secrets, sentence) => {
      for (const [secret, content] of secrets) await mount(secret, content);
      const opened = await open();
      await opened.check();
      expect(opened.inPolicy()).toEqual({ fault: expect.stringContaining(sentence) });
      expect(faults).toEqual([expect.stringContaining(sentence)]);
      expect(JSON.stringify(faults)).not.toContain('Quill');
      await rm(root, { recursive: true });
      await mount('lists', { key: SECRET, 'a.table': tableOf('Ada Quill') });
      await opened.check();
      expect(sent(opened)?.counts).toEqual([1]);
    },
  );

  it('that cannot be read any more are refused, and taken again though nothing else changed', async () => {
    await mount('lists', { key: SECRET, 'a.table': tableOf('Ada Quill') });
    const opened = await open();
    await rename(root, `${root}-away`);
    await opened.check();
    expect(opened.inPolicy()).toEqual({ fault: 'the folder of lists cannot be read' });
    await rename(`${root}-away`, root);
    await opened.check();
    expect(sent(opened)?.counts).toEqual([1]);
  });
});
