import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSegmentStart, walkFrames } from '#contract/chain-segment.ts';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { scanSpool } from '#sidecar/audit/scan.ts';
import { evidenceOptions, newChain, outcomeFacts, requestFacts } from './facts.ts';
import { filesBelow, folder } from './rig.ts';

async function writtenSpool() {
  const dir = folder();
  const options = evidenceOptions(dir);
  const evidence = await openEvidence(options);
  for (let at = 0; at < 4; at++) {
    const ledger = await evidence.request(requestFacts(`exchange-${at}-written`), {
      sent: Buffer.alloc(500, 'a'),
      vault: '[]',
    });
    await ledger.finish(outcomeFacts());
  }
  await evidence.close();
  const name = readdirSync(dir)[0]!;
  return { dir, options, path: join(dir, name), head: scanSpool(dir, options.chain).head };
}

function quarantined(dir: string): number {
  return filesBelow(dir).filter((path) => path.includes('/quarantine/')).length;
}

test('an incomplete tail is cut, and the chain goes on before it', async () => {
  const { dir, options, path, head } = await writtenSpool();
  appendFileSync(path, Buffer.from([40, 0, 0, 0, 1, 2, 3, 4, 3, 123]));
  const scan = scanSpool(dir, options.chain);
  expect(scan).toMatchObject({ cut: 10, quarantined: 0 });
  expect(scan.head).toEqual(head);
});

test('zeros after the last frame are free space, not damage', async () => {
  const { dir, options, path, head } = await writtenSpool();
  truncateSync(path, statSync(path).size + 4_096);
  expect(scanSpool(dir, options.chain)).toMatchObject({ head, quarantined: 0 });
  expect(quarantined(dir)).toBe(0);
});

test.each(['payload', 'length'])(
  'a bit that flipped in the %s of a middle frame quarantines the bytes, and the chain goes on after what was written',
  async (where) => {
    const { dir, options, path, head } = await writtenSpool();
    const bytes = readFileSync(path);
    const start = parseSegmentStart(bytes)!;
    const sixth = [...walkFrames(bytes, start.next, start.head)][5]!.at;
    const at = where === 'payload' ? sixth + 60 : sixth + 2;
    bytes[at] = bytes[at]! ^ 4;
    writeFileSync(path, bytes);
    const scan = scanSpool(dir, options.chain);
    expect(scan).toMatchObject({ head, quarantined: 1 });
    expect(scan.segments[0]).toMatchObject({ bytes: sixth });
    const kept = filesBelow(join(dir, 'quarantine')).map((file) => readFileSync(file));
    expect(kept.some((copy) => copy.equals(bytes))).toBe(true);
  },
);

test('a file without a readable header is quarantined whole, and its records still say where the chain goes on', async () => {
  const { dir, options, path, head } = await writtenSpool();
  const bytes = readFileSync(path);
  bytes[12] = bytes[12]! ^ 1;
  writeFileSync(path, bytes);
  expect(scanSpool(dir, options.chain)).toMatchObject({ head, quarantined: 1, segments: [] });
  expect(filesBelow(dir).map((file) => readFileSync(file).equals(bytes))).toEqual([true]);
});

test('a request without an outcome becomes an error record of the next process', async () => {
  const dir = folder();
  const options = evidenceOptions(dir);
  const evidence = await openEvidence(options);
  await evidence.request(requestFacts('exchange-orphan'), { sent: Buffer.alloc(10), vault: '[]' });
  await evidence.spool.close();
  expect(scanSpool(dir, options.chain).orphans).toEqual(['exchange-orphan']);
  await (await openEvidence(options)).close();
  expect(scanSpool(dir, options.chain).orphans).toEqual([]);
  expect(
    filesBelow(dir)
      .map((path) => readFileSync(path, 'latin1'))
      .join(''),
  ).toContain('sidecar_restart');
});

test('a folder that another pod used before gives this pod a folder of its own and keeps what is there', async () => {
  const { dir, options, path } = await writtenSpool();
  const before = readFileSync(path);
  const other = await openEvidence({ ...options, chain: newChain() });
  await other.close();
  expect(other.dir).not.toBe(dir);
  expect(readFileSync(path).equals(before)).toBe(true);
});
