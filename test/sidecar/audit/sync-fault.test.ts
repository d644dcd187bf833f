import type * as Fs from 'node:fs';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { verifyChain } from '#contract/chain-verify.ts';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { evidenceOptions, outcomeFacts, requestFacts } from './facts.ts';
import { folder } from './rig.ts';

type Callback = (error: NodeJS.ErrnoException | null) => void;

const disk = vi.hoisted(() => ({
  failures: 0,
  hung: null as null | (() => void)[],
  synced: [] as number[],
  failed: [] as number[],
}));

/** The real file system, but for the answers of fdatasync: what a kernel says when the disk did not take the pages. */
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof Fs>();
  const fdatasync = (fd: number, callback: Callback): void => {
    disk.synced.push(fd);
    if (disk.hung !== null) disk.hung.push(() => fs.fdatasync(fd, callback));
    else if (disk.failures > 0) {
      disk.failures--;
      disk.failed.push(fd);
      setImmediate(() => callback(Object.assign(new Error('i/o error'), { code: 'EIO' })));
    } else fs.fdatasync(fd, callback);
  };
  return { ...fs, fdatasync };
});

beforeEach(() => Object.assign(disk, { failures: 0, hung: null, synced: [], failed: [] }));

function segments(dir: string) {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.seg'))
    .sort();
  return names.map((name) => ({ bytes: readFileSync(join(dir, name)), last: name === names.at(-1) }));
}

test('a failed fdatasync is never called again on that file: what was not acknowledged is written anew', async () => {
  const dir = folder();
  const faults: string[] = [];
  const options = evidenceOptions(dir, { onFault: (code) => faults.push(code) });
  const evidence = await openEvidence(options);
  disk.failures = 1;
  const ledger = await evidence.request(requestFacts('exchange-1'), { sent: Buffer.from('x'), vault: '[]' });
  await ledger.finish(outcomeFacts());
  await evidence.close();
  expect(faults).toEqual(['EIO']);
  const [fd] = disk.failed;
  expect(disk.synced.slice(disk.synced.lastIndexOf(fd!) + 1)).not.toContain(fd);
  expect(segments(dir)).toHaveLength(2);
  expect(verifyChain(options.chain, segments(dir), { places: [], attested: new Set([evidence.signing.kid]) })).toEqual(
    [],
  );
});

test('when the new segment fails too the exchange is refused, and what had happened is written when the disk takes it', async () => {
  const dir = folder();
  const options = evidenceOptions(dir);
  const evidence = await openEvidence(options);
  const running = await evidence.request(requestFacts('exchange-runs'), { sent: Buffer.from('x'), vault: '[]' });
  disk.failures = 2;
  await expect(
    evidence.request(requestFacts('exchange-refused'), { sent: Buffer.from('x'), vault: '[]' }),
  ).rejects.toThrow('spool');
  expect(evidence.state()).toBe('refuse');
  await expect(running.finish(outcomeFacts())).rejects.toThrow('spool');
  await new Promise<void>((resolve) => {
    evidence.onDurable = () => resolve();
  });
  expect(evidence.state()).toBe('ok');
  await evidence.close();
  const text = segments(dir)
    .map(({ bytes }) => bytes.toString('latin1'))
    .join('');
  expect(text).toContain('"stage":"response"');
  expect(text).not.toContain('exchange-refused');
  expect(verifyChain(options.chain, segments(dir), { places: [], attested: new Set([evidence.signing.kid]) })).toEqual(
    [],
  );
});

test('a disk that hangs refuses after its deadline, and the record that came late says that nothing left', async () => {
  const dir = folder();
  const faults: string[] = [];
  const options = evidenceOptions(dir, { onFault: (code) => faults.push(code) });
  const evidence = await openEvidence(options);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  disk.hung = [];
  const refused = expect(
    evidence.request(requestFacts('exchange-late'), { sent: Buffer.from('x'), vault: '[]' }),
  ).rejects.toThrow('did not answer in time');
  await vi.advanceTimersByTimeAsync(10_000);
  await refused;
  vi.useRealTimers();
  expect(evidence.state()).toBe('refuse');
  expect(faults).toEqual(['slow']);
  const waiting = disk.hung ?? [];
  disk.hung = null;
  for (const go of waiting) go();
  await evidence.close();
  const text = segments(dir)
    .map(({ bytes }) => bytes.toString('latin1'))
    .join('');
  expect(text).toContain('"id":"exchange-late","outcome":"refused"');
  expect(verifyChain(options.chain, segments(dir), { places: [], attested: new Set([evidence.signing.kid]) })).toEqual(
    [],
  );
});

test('what arrives while a sync runs shares the next one', async () => {
  const evidence = await openEvidence(evidenceOptions(folder()));
  const before = disk.synced.length;
  await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      evidence.request(requestFacts(`exchange-${at}-together`), { sent: Buffer.from('x'), vault: '[]' }),
    ),
  );
  expect(disk.synced.length - before).toBeLessThanOrEqual(3);
  await evidence.close();
});

test('no request is acknowledged before its bytes were synced', async () => {
  const evidence = await openEvidence(evidenceOptions(folder()));
  disk.hung = [];
  let acknowledged = false;
  const request = evidence.request(requestFacts('exchange-waits'), { sent: Buffer.from('x'), vault: '[]' }).then(() => {
    acknowledged = true;
  });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(disk.hung).toHaveLength(1);
  expect(acknowledged).toBe(false);
  const [go] = disk.hung;
  disk.hung = null;
  go!();
  await request;
  expect(acknowledged).toBe(true);
  await evidence.close();
});
