import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseConfig } from '#collector/config.ts';
import { createMetrics } from '#collector/metrics.ts';
import { type Audit, startAudit } from '#sidecar/audit/audit.ts';
import { parseRecipients } from '#sidecar/audit/recipients.ts';
import { evidenceOptions, outcomeFacts, requestFacts } from '#test/sidecar/audit/facts.ts';
import { collectorRig, folder, makeKeys, runAudit } from '#test/sidecar/audit/rig.ts';

async function exchange(audit: Audit, id: string, bytes = 1_000): Promise<void> {
  const ledger = await audit.evidence.request(requestFacts(id), { sent: Buffer.alloc(bytes, 'a'), vault: '[]' });
  await ledger.part(Buffer.alloc(bytes, 'b'));
  await ledger.finish(outcomeFacts());
}

function stages(lines: readonly Record<string, unknown>[]): unknown[] {
  return lines.map(({ stage }) => stage);
}

test('a pod that comes before its collector serves, and delivers when the collector comes', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const first = await rig.start();
  const { port } = first;
  await first.close();
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  await exchange(audit, 'exchange-before');
  await rig.start(port);
  await exchange(audit, 'exchange-after');
  expect(await audit.close(30_000)).toBe(true);
  const listed = await runAudit('list', '--store', rig.store, '--json');
  expect(stages(listed.lines)).toEqual(['open', 'request', 'response', 'request', 'response', 'close']);
});

test('a collector that restarts between batches continues the same segment without a finding', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  let collector = await rig.start();
  const { port } = collector;
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  for (let round = 0; round < 3; round++) {
    await exchange(audit, `exchange-${round}-round`);
    await collector.close();
    collector = await rig.start(port);
  }
  expect(await audit.close(30_000)).toBe(true);
  await collector.close();
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines).toEqual([]);
  expect(
    stages((await runAudit('list', '--store', rig.store, '--json')).lines).filter((stage) => stage === 'response'),
  ).toHaveLength(3);
});

test('a pod that restarts sends again what it cannot know was receipted, and the store holds it once', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const collector = { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile };
  const options = evidenceOptions(join(dir, 'spool'));
  for (let life = 0; life < 3; life++) {
    const audit = await startAudit({ evidence: options, collector });
    await exchange(audit, `exchange-${life}-life`);
    expect(await audit.close(30_000)).toBe(true);
  }
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines).toEqual([]);
  const listed = stages((await runAudit('list', '--store', rig.store, '--json')).lines);
  expect(listed).toEqual(Array.from({ length: 3 }, () => ['open', 'request', 'response', 'close']).flat());
  expect(readdirSync(join(dir, 'spool')).filter((name) => name.endsWith('.seg'))).toHaveLength(1);
});

test('a pod that died before it enrolled is attested late by the next process, as a notice', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const first = await rig.start();
  const { port } = first;
  await first.close();
  const collector = { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile };
  const options = evidenceOptions(join(dir, 'spool'));
  const unheard = await startAudit({ evidence: options, collector });
  await exchange(unheard, 'exchange-unheard');
  expect(await unheard.close(50)).toBe(false);
  await rig.start(port);
  const heard = await startAudit({ evidence: options, collector });
  expect(await heard.close(30_000)).toBe(true);
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines.map(({ finding, level }) => [finding, level])).toEqual([['attested_late', 'notice']]);
  expect(verified.code).toBe(0);
});

test('a pod delivers to a collector that signs with a new key, and what the former key signed stays verifiable', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const first = await rig.start();
  const { port } = first;
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  await exchange(audit, 'exchange-before');
  await vi.waitUntil(() => audit.status().lagSeconds === 0, { timeout: 10_000 });
  await first.close();
  const former = join(dir, 'former.jwks');
  writeFileSync(former, readFileSync(join(rig.store, 'jwks.json')));
  rmSync(join(dir, 'collector.private.jwk'));
  const second = await rig.start(port);
  await exchange(audit, 'exchange-after');
  expect(await audit.close(30_000)).toBe(true);
  await second.close();
  const trusting = async (trust: string) =>
    (await runAudit('verify', '--store', rig.store, '--trust', trust, '--json')).lines.map(({ finding }) => finding);
  expect(await trusting(join(rig.store, 'jwks.json'))).toEqual([]);
  // Keys that were fetched before the change do not speak for what came after it.
  expect(new Set(await trusting(former))).toEqual(new Set(['bad_signature']));
});

test('a collector that lost its store enrols the pod again and takes everything the pod still has', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const first = await rig.start();
  const { port } = first;
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  await exchange(audit, 'exchange-before');
  await vi.waitUntil(() => audit.status().lagSeconds === 0, { timeout: 10_000 });
  await first.close();
  rmSync(rig.store, { recursive: true });
  await rig.start(port);
  await exchange(audit, 'exchange-after');
  expect(await audit.close(30_000)).toBe(true);
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines).toEqual([]);
  expect(stages((await runAudit('list', '--store', rig.store, '--json')).lines)).toEqual([
    'open',
    'request',
    'response',
    'request',
    'response',
    'close',
  ]);
});

test('two writers on one chain are both kept and found as a fork', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const collector = { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile };
  const options = evidenceOptions(join(dir, 'one'));
  for (const name of ['one', 'two']) {
    const audit = await startAudit({ evidence: { ...options, dir: join(dir, name) }, collector });
    await exchange(audit, `exchange-of-${name}`);
    expect(await audit.close(30_000)).toBe(true);
  }
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.code).toBe(1);
  expect(verified.lines.map(({ finding }) => finding)).toContain('fork');
  const ids = (await runAudit('list', '--store', rig.store, '--stage', 'request', '--json')).lines.map(({ id }) => id);
  expect(new Set(ids)).toEqual(new Set(['exchange-of-one', 'exchange-of-two']));
});

test('a spool segment that was removed before it was sent is a gap that verify names, and later records still arrive', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const first = await rig.start();
  const { port } = first;
  await first.close();
  const alerts: string[] = [];
  const spool = join(dir, 'spool');
  const audit = await startAudit({
    evidence: evidenceOptions(spool),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
    onAlert: (why) => alerts.push(why),
  });
  await exchange(audit, 'exchange-removed');
  for (const name of readdirSync(spool)) rmSync(join(spool, name));
  await exchange(audit, 'exchange-later');
  await rig.start(port);
  expect(await audit.close(30_000)).toBe(true);
  expect(alerts).toContain('segment_lost');
  const verified = await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json');
  expect(verified.lines.map(({ finding }) => finding)).toContain('gap');
  const ids = (await runAudit('list', '--store', rig.store, '--stage', 'request', '--json')).lines.map(({ id }) => id);
  expect(ids).toEqual(['exchange-later']);
});

test('a request of 20 MiB is sealed in several segments and opens to the same bytes', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const keys = await makeKeys(join(dir, 'keys'));
  const { port } = await rig.start();
  const recipients = parseRecipients(readFileSync(keys.recipients, 'utf8'));
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool'), { recipients }),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile },
  });
  const sent = 'Lazaret '.repeat(2_621_440);
  const ledger = await audit.evidence.request(requestFacts('exchange-large'), { sent: Buffer.from(sent), vault: '[]' });
  await ledger.finish(outcomeFacts());
  expect(await audit.close(30_000)).toBe(true);
  const opened = await runAudit('open', '--store', rig.store, '--key', keys.escrow, '--id', 'exchange-large', '--json');
  expect(opened.lines[0]?.sent === sent).toBe(true);
  expect(
    readdirSync(join(rig.store, 'chains'), { recursive: true }).filter((name) => String(name).endsWith('.seg')).length,
  ).toBeGreaterThan(2);
}, 120_000);

test('an append that a crash of the collector cut short is cut off and sent again', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  let collector = await rig.start();
  const { port } = collector;
  const options = evidenceOptions(join(dir, 'spool'));
  const sending = { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile: rig.tokenFile };
  const audit = await startAudit({ evidence: options, collector: sending });
  await exchange(audit, 'exchange-first');
  expect(await audit.close(30_000)).toBe(true);
  await collector.close();
  const chainDir = join(rig.store, 'chains', options.chain);
  const segment = readdirSync(chainDir).find((name) => name.endsWith('.seg')) ?? '';
  const whole = readFileSync(join(chainDir, segment));
  writeFileSync(join(chainDir, segment), whole.subarray(0, whole.length - 7));
  collector = await rig.start(port);
  const again = await startAudit({ evidence: options, collector: sending });
  expect(await again.close(30_000)).toBe(true);
  await collector.close();
  expect(readFileSync(join(chainDir, segment)).equals(whole)).toBe(true);
  expect(
    (await runAudit('verify', '--store', rig.store, '--trust', join(rig.store, 'jwks.json'), '--json')).lines,
  ).toEqual([]);
});

test.each([
  ['GET', '/v1/chains/chain-0123456789/segments/00000001-00000000.seg', 404],
  ['DELETE', '/v1/chains/chain-0123456789/segments/00000001-00000000.seg', 404],
  ['POST', '/v1/chains/..%2f..%2fetc/segments/00000001-00000000.seg', 404],
  ['POST', '/v1/chains/chain-0123456789/segments/00000001-00000000.seg', 401],
  ['POST', '/v1/enrol', 400],
  ['GET', '/v1/jwks', 200],
])('%s %s without proof is answered %i', async (method, path, status) => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const answer = await new Promise<number>((resolve, reject) => {
    const sending = request(
      { host: '127.0.0.1', port, method, path, ca: rig.ca, headers: { authorization: 'Bearer nothing' } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sending.on('error', reject);
    sending.end();
  });
  expect(answer).toBe(status);
});

test('a pod with a wrong token is not enrolled and nothing of it is stored', async () => {
  const dir = folder();
  const rig = await collectorRig(dir);
  const { port } = await rig.start();
  const tokenFile = join(dir, 'wrong');
  writeFileSync(tokenFile, 'not-the-token-at-all');
  const alerts: string[] = [];
  const alerted = Promise.withResolvers<void>();
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { url: `https://127.0.0.1:${port}`, ca: rig.ca, tokenFile },
    onAlert: (why) => {
      alerts.push(why);
      alerted.resolve();
    },
  });
  await alerted.promise;
  expect(await audit.close(100)).toBe(false);
  expect(new Set(alerts)).toEqual(new Set(['enrolment_refused']));
  expect(readdirSync(join(rig.store, 'chains'))).toEqual([]);
});

test('findings are counted from zero, so that the first one shows as an increase', async () => {
  expect(await createMetrics().registry.getSingleMetricAsString('lazaret_collector_findings_total')).toContain(
    '{finding="fork"} 0',
  );
});

test('every fault of the configuration is reported at once, by name and never by value', () => {
  const parsed = parseConfig({ LAZARET_LISTEN: 'secret-host', LAZARET_LOG_LEVEL: 'loud' });
  expect(parsed.ok ? [] : parsed.faults.map((fault) => fault.split(':')[0])).toEqual([
    'LAZARET_LISTEN',
    'LAZARET_STORE',
    'LAZARET_SIGNING_KEY',
    'LAZARET_LOG_LEVEL',
    'LAZARET_TLS_CERT',
    'LAZARET_TLS_KEY',
    'LAZARET_ENROL_TOKEN',
  ]);
  expect(JSON.stringify(parsed)).not.toContain('secret');
});

test('proof by the API server needs no token file, and finds the API server where Kubernetes says', () => {
  const given = {
    LAZARET_STORE: '/s',
    LAZARET_SIGNING_KEY: '/k',
    LAZARET_TLS_CERT: '/c',
    LAZARET_TLS_KEY: '/t',
    LAZARET_POD_PROOF: 'kubernetes',
  };
  const outside = parseConfig(given);
  expect(outside.ok ? [] : outside.faults.map((fault) => fault.split(':')[0])).toEqual(['LAZARET_API_SERVER']);
  const inside = parseConfig({ ...given, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' });
  expect(inside.ok && inside.config.LAZARET_API_SERVER).toBe('https://[fd00::1]:6443');
});
