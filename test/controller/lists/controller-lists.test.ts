import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type FakeApi, startFakeApi } from '#test/fake/api-server.ts';
import { mountSecret } from '#test/fake/mounted-secrets.ts';
import { SECRET, tableBytes } from '../../phi/listed-names.ts';
import { installRelease, type Replica, startReplica } from '../replica.ts';

let fake: FakeApi;
let root: string;
let replica: Replica;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lazaret-controller-lists-'));
  fake = await startFakeApi();
  installRelease(fake);
});
afterEach(async () => {
  await replica.controller.close();
  await fake.close();
  await rm(root, { recursive: true });
});

it('a controller with lists that it cannot use is ready, and says so until they are mended', async () => {
  await mountSecret(root, 'lists', { key: SECRET, 'patients.table': 'Zorbal Kwitem' });
  replica = await startReplica(fake, { LAZARET_LISTS: root });
  await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
  expect(await replica.metrics()).toMatch(/^lazaret_lists_fault 1$/m);
  const said = () => replica.lines.filter(({ event }) => String(event).startsWith('lists'));
  expect(said()).toMatchObject([
    { event: 'lists_fault', problem: 'lists/patients.table is no table of lazaret lists build' },
  ]);
  await mountSecret(root, 'lists', { key: SECRET, 'patients.table': tableBytes([['name', 'Zorbal Kwitem']]) });
  await vi.waitFor(async () => expect(await replica.metrics()).toMatch(/^lazaret_lists_fault 0$/m), 20_000);
  expect(said().at(-1)).toMatchObject({ event: 'lists', tables: 1, entities: { name: 1 } });
  expect(JSON.stringify(replica.lines)).not.toMatch(/Zorbal|invented secret/);
});

it('a controller without lists says nothing of them', async () => {
  replica = await startReplica(fake);
  await vi.waitFor(() => expect(replica.controller.unready()).toEqual([]), 20_000);
  expect(await replica.metrics()).toMatch(/^lazaret_lists_fault 0$/m);
  expect(replica.lines.filter(({ event }) => String(event).startsWith('lists'))).toEqual([]);
});
