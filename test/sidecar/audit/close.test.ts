import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openEvidence } from '#sidecar/audit/evidence.ts';
import { scanSpool } from '#sidecar/audit/scan.ts';
import { evidenceOptions, outcomeFacts, requestFacts } from './facts.ts';
import { filesBelow, folder } from './rig.ts';

test('an exchange that outlives the drain gets a cut outcome before the close record', async () => {
  const dir = folder();
  const options = evidenceOptions(dir);
  const evidence = await openEvidence(options);
  const ledger = await evidence.request(requestFacts('exchange-drained'), { sent: Buffer.from('x'), vault: '[]' });
  await ledger.part(Buffer.from('half an ans'));
  await evidence.close();
  expect(scanSpool(dir, options.chain).orphans).toEqual([]);
  const text = filesBelow(dir)
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
  expect(text).toContain('"id":"exchange-drained","outcome":"cut"');
  expect(text).toContain('"received":{"bytes":11,"parts":1}');
});

test('after the close nothing is taken', async () => {
  const evidence = await openEvidence(evidenceOptions(folder()));
  const ledger = await evidence.request(requestFacts('exchange-first'), { sent: Buffer.from('x'), vault: '[]' });
  await ledger.finish(outcomeFacts());
  await evidence.close();
  expect(evidence.state()).toBe('refuse');
  await expect(
    evidence.request(requestFacts('exchange-after'), { sent: Buffer.from('x'), vault: '[]' }),
  ).rejects.toThrow('spool');
});

test('a second finish does nothing', async () => {
  const dir = folder();
  const evidence = await openEvidence(evidenceOptions(dir));
  const ledger = await evidence.request(requestFacts('exchange-twice'), { sent: Buffer.from('x'), vault: '[]' });
  await Promise.all([ledger.finish(outcomeFacts()), ledger.finish(outcomeFacts({ outcome: 'cut' }))]);
  await evidence.close();
  const text = filesBelow(dir)
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
  expect(text.match(/"id":"exchange-twice","outcome"/g)).toHaveLength(1);
});

test('a spool in memory is refused with the remedy', async () => {
  const dir = mkdtempSync('/dev/shm/lazaret-audit-');
  onTestFinished(() => rmSync(dir, { recursive: true }));
  await expect(openEvidence(evidenceOptions(dir, { allowMemory: false }))).rejects.toThrow('mount a disk volume');
});
