import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRecipients } from '#sidecar/audit/recipients.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { evidenceOptions, outcomeFacts, refusedFacts, requestFacts } from '#test/sidecar/audit/facts.ts';
import { collectorRig, filesBelow, folder, makeKeys, runAudit } from '#test/sidecar/audit/rig.ts';

const NOTE = 'Patient Maria Gonzalez, MRN 48213377, was seen today.';

test('T24 a recorded exchange reaches the collector sealed, verifies, and opens with both private keys, and no identifier lies in clear', async () => {
  const dir = folder();
  const keys = await makeKeys(join(dir, 'keys'));
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const alerts: string[] = [];
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool'), {
      recipients: parseRecipients(readFileSync(keys.recipients, 'utf8')),
    }),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
    onAlert: (why) => alerts.push(why),
  });
  const ledger = await audit.evidence.request(requestFacts('exchange-0001'), {
    sent: Buffer.from('{"prompt":"[NAME_1]"}'),
    vault: JSON.stringify([{ surrogate: '[NAME_1]', original: NOTE }]),
    user: 'dr.house@clinic.example',
  });
  await ledger.part(Buffer.from(`{"answer":"[NAME_1] ${NOTE}`));
  await ledger.part(Buffer.from('"}'));
  await ledger.finish(outcomeFacts());
  await audit.evidence.refused(refusedFacts('exchange-0002'));
  audit.evidence.connection({
    connection: 8,
    decision: 'refuse',
    reason: 'destination_not_allowed',
    host: 'maria-gonzalez.example',
    listed: false,
    address: '203.0.113.9',
    port: 443,
  });
  expect(await audit.close(5_000)).toBe(true);
  expect(alerts).toEqual([]);

  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines).toEqual([]);
  expect(verified.code).toBe(0);
  const untrusted = await runAudit('verify', '--store', rig.store, '--json');
  expect(untrusted.lines.map(({ finding }) => finding)).toEqual(['trust_not_checked']);
  expect(untrusted.code).toBe(0);

  const listed = await runAudit('list', '--store', rig.store, '--json');
  expect(listed.lines.map(({ stage }) => stage)).toEqual([
    'open',
    'request',
    'response',
    'blocked',
    'connection',
    'close',
  ]);
  for (const key of [keys.auditor, keys.escrow]) {
    const opened = await runAudit('open', '--store', rig.store, '--key', key, '--id', 'exchange-0001', '--json');
    expect(opened.lines[0]).toMatchObject({
      sent: '{"prompt":"[NAME_1]"}',
      vault: [{ surrogate: '[NAME_1]', original: NOTE }],
      received: `{"answer":"[NAME_1] ${NOTE}"}`,
      user: 'dr.house@clinic.example',
      outcome: { stage: 'response', restored: 2 },
    });
  }
  const stored = filesBelow(dir)
    .filter((path) => !path.includes('/keys/'))
    .map((path) => readFileSync(path, 'latin1'));
  for (const canary of [
    'Gonzalez',
    'gonzalez',
    '48213377',
    'house',
    Buffer.from(NOTE).toString('base64').slice(0, 24),
  ]) {
    expect(stored.filter((text) => text.includes(canary))).toEqual([]);
  }
});
