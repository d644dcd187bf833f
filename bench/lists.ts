// What a million entries of a deployer's lists take in a sidecar, at first and while they are replaced: node bench/lists.ts
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeCluster, guardedPod } from '#test/fake/cluster-view.ts';
import { makeKeys, serve } from '#test/controller/bundle/serve.ts';
import { openReleaseLists, type ReleaseLists } from '../controller/lists/release-lists.ts';
import { GUARD_FLAGS } from './guard-start.ts';
import type { HolderOrder, HolderWord } from './lists-holder.ts';
import { buildMillion, LIST_SECRET } from './million-entries.ts';

const TOKEN = `a.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.b`;
const TIMES = 4;

const dir = await mkdtemp(join(tmpdir(), 'lazaret-bench-lists-'));
const folder = join(dir, 'lists', 'secret');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'key'), LIST_SECRET);
await writeFile(join(dir, 'token'), TOKEN);
await putTable(0);
const lists = await openReleaseLists({ root: join(dir, 'lists'), onFault: (sentence) => fail(sentence) });
const view = new FakeCluster();
view.setPod(guardedPod('pod'));
const { keys } = await makeKeys();
const serving = await serve(view, keys, { lists });
serving.tokens.set(TOKEN, { namespace: 'clinic', name: 'pod', uid: 'uid-pod', serviceAccount: 'default' });
const server = {
  url: `https://localhost:${serving.port}`,
  roots: serving.authority.root,
  tokenFile: join(dir, 'token'),
};
const holder = fork(join(import.meta.dirname, 'lists-holder.ts'), {
  execArgv: ['--disable-warning=ExperimentalWarning', ...GUARD_FLAGS],
});
// Until its engine is warm.
await new Promise((resolve) => setTimeout(resolve, 5_000));
let start = 0;
for (let time = 0; time < TIMES; time++) {
  if (time > 0) {
    await putTable(time);
    await lists.check();
  }
  holder.send({ server, tag: tagOf(lists) } satisfies HolderOrder);
  const [{ beforeMb, peakMb, afterMb, stallMs }] = (await once(holder, 'message')) as [HolderWord];
  if (time === 0) start = beforeMb;
  const more = (mb: number): string => `${(mb - start).toFixed(1)} MB more`;
  process.stdout.write(
    `${time === 0 ? 'first lists' : `change ${time}`}: ${more(afterMb)} than before any, ${more(peakMb)} at the peak, longest stall ${stallMs.toFixed(0)} ms\n`,
  );
}
holder.kill();
lists.close();
await serving.server.close();
await rm(dir, { recursive: true });

async function putTable(time: number): Promise<void> {
  const { bytes, header } = buildMillion(10_000_000 + time);
  if (time === 0) process.stdout.write(`${header.entries} entries, ${(bytes.length / 1024 ** 2).toFixed(1)} MB\n`);
  await writeFile(join(dir, 'new'), bytes);
  await rename(join(dir, 'new'), join(folder, 'million.table'));
}

function tagOf(of: ReleaseLists): string {
  const policy = of.inPolicy();
  return policy !== undefined && 'tag' in policy ? policy.tag : fail('there are no lists');
}

function fail(sentence: string): never {
  throw new Error(sentence);
}
