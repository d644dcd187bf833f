import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { audit } from '#cli/audit.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';
import { evidenceOptions, outcomeFacts, refusedFacts, requestFacts } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder, makeKeys, runAudit, terminal } from '#test/sidecar/audit/rig.ts';

async function writtenStore() {
  const dir = folder();
  const keys = await makeKeys(join(dir, 'keys'));
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const room = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool'), {
      recipients: parseRecipients(readFileSync(keys.recipients, 'utf8')),
    }),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  const stream = await room.evidence.request(requestFacts('exchange-stream', { stream: true, provider: 'openai' }), {
    sent: Buffer.from('{"a":1}'),
    vault: '[{"surrogate":"S1","original":"Maria"}]',
  });
  for (let at = 0; at < 10; at++) await stream.part(Buffer.alloc(20_000, String(at)));
  await stream.finish(outcomeFacts({ outcome: 'client_gone', status: 200 }));
  const binary = await room.evidence.request(requestFacts('exchange-binary'), {
    sent: Uint8Array.of(0xff, 0xfe, 0),
    vault: '[]',
  });
  await binary.finish(outcomeFacts());
  await room.evidence.refused(refusedFacts('exchange-refused'));
  await room.close(30_000);
  return { store: rig.store, keys };
}

test('list filters by stage, provider, reason, id and time', async () => {
  const { store } = await writtenStore();
  const ids = async (...filter: string[]) =>
    (await runAudit('list', '--store', store, '--json', ...filter)).lines.map(
      ({ stage, id }) => `${String(stage)} ${String(id)}`,
    );
  expect(await ids('--stage', 'request')).toEqual(['request exchange-stream', 'request exchange-binary']);
  expect(await ids('--provider', 'openai')).toEqual(['request exchange-stream']);
  expect(await ids('--reason', 'agreement_missing')).toEqual(['blocked exchange-refused']);
  expect(await ids('--id', 'exchange-stream')).toEqual(['request exchange-stream', 'error exchange-stream']);
  expect(await ids('--since', '2999-01-01')).toEqual([]);
  expect(await ids('--until', '2000-01-01')).toEqual([]);
  expect(await ids('--chain', 'another-chain')).toEqual([]);
  const { text } = await runAudit('list', '--store', store);
  expect(text).toMatch(/^\d{4}-\d\d-\d\dT\S+ chain-\S+:2 +open/m);
  expect(text).toContain('agreement_missing');
});

test('open joins streamed parts in order, in text and in JSON, with either key', async () => {
  const { store, keys } = await writtenStore();
  const received = Array.from({ length: 10 }, (_, at) => String(at).repeat(20_000)).join('');
  for (const key of [keys.auditor, keys.escrow]) {
    const opened = await runAudit('open', '--store', store, '--key', key, '--id', 'exchange-stream', '--json');
    expect(opened.lines[0]?.received === received).toBe(true);
    expect(opened.lines[0]).toMatchObject({
      exchange: 'exchange-stream',
      sent: '{"a":1}',
      vault: [{ surrogate: 'S1', original: 'Maria' }],
      outcome: { outcome: 'client_gone' },
    });
  }
  const { text } = await runAudit('open', '--store', store, '--key', keys.auditor, '--id', 'exchange-stream');
  expect(text).toContain('== request, as it was sent to the provider (7 bytes)\n{"a":1}');
});

test('bytes that are no text open as base64', async () => {
  const { store, keys } = await writtenStore();
  const opened = await runAudit('open', '--store', store, '--key', keys.auditor, '--id', 'exchange-binary', '--json');
  expect(opened.lines[0]).toMatchObject({ sent_base64: '//4A' });
});

test('an exchange that is not there, or a key that is no recipient, opens nothing and exits 1', async () => {
  const { store, keys } = await writtenStore();
  const strangers = await makeKeys(folder());
  expect(await runAudit('open', '--store', store, '--key', keys.auditor, '--id', 'exchange-none')).toMatchObject({
    code: 1,
    text: '',
  });
  const wrong = await runAudit('open', '--store', store, '--key', strangers.auditor, '--id', 'exchange-stream');
  expect(wrong).toMatchObject({ code: 1, text: '' });
  expect(wrong.error).toContain('this key opens no record');
});

test('help names every option and exits 0', async () => {
  const io = terminal();
  expect(await audit(['--help'], io)).toBe(0);
  for (const option of ['--trust', '--expect', '--key', '--since']) expect(io.out.join('')).toContain(option);
});
