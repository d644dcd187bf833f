import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SIGNED_TYPE } from '#contract/chain-signature.ts';
import { startAudit } from '#sidecar/audit/audit.ts';
import { SigningKey } from '#sidecar/audit/signing-key.ts';
import { evidenceOptions, outcomeFacts, requestFacts } from './facts.ts';
import { folder, makeCertificate } from './rig.ts';

type Scene = (request: IncomingMessage, response: ServerResponse) => void;

/** A collector that enrols every pod and answers batches as a scene says. */
async function lyingCollector(dir: string, scene: Scene) {
  const { cert, key } = await makeCertificate(dir);
  const signer = SigningKey.create();
  const jwks = { keys: [{ ...signer.public, kid: signer.kid }] };
  let batches = 0;
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    request.resume();
    request.once('end', () => {
      if (request.url === '/v1/enrol') response.end(JSON.stringify({ attestation: 'none', jwks }));
      else {
        batches++;
        scene(request, response);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const tokenFile = join(dir, 'token');
  writeFileSync(tokenFile, 'a-token-of-some-length');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { signer, options: { url, ca: readFileSync(cert, 'utf8'), tokenFile }, batches: () => batches };
}

const HASH = 'A'.repeat(43);

function receiptOf(request: IncomingMessage, signer: SigningKey, lie: Record<string, unknown>): string {
  const [, , , chain, , segment] = (request.url ?? '').split('/');
  const claim = {
    v: 1,
    chain,
    segment,
    bytes: 500,
    up_to_seq: 3,
    head_hash: HASH,
    contiguous_seq: 3,
    contiguous_hash: HASH,
    iat: 1,
    ...lie,
  };
  return JSON.stringify({ receipt: signer.sign(SIGNED_TYPE.receipt, JSON.stringify(claim)) });
}

const SCENES: Readonly<
  Record<string, { readonly scene: (signer: () => SigningKey) => Scene; readonly alert: string }>
> = {
  ...Object.fromEntries(
    [400, 403, 404, 413, 429, 500, 502, 503, 504].map((status) => [
      `answers ${status}`,
      {
        scene: () => (_request: IncomingMessage, response: ServerResponse) =>
          void response.writeHead(status).end('{"error":"no"}'),
        alert: `http_${status}`,
      },
    ]),
  ),
  'answers 401 for ever': {
    scene: () => (_request, response) => void response.writeHead(401).end('{}'),
    alert: 'enrolment_refused',
  },
  'answers 200 with nothing': { scene: () => (_request, response) => void response.end(), alert: 'receipt_mismatch' },
  'answers 200 with garbage': {
    scene: () => (_request, response) => void response.end('<html>ok</html>'),
    alert: 'receipt_mismatch',
  },
  'answers 301': {
    scene: () => (_request, response) => void response.writeHead(301, { location: '/elsewhere' }).end(),
    alert: 'http_301',
  },
  'signs for another head': {
    scene: (signer) => (request, response) => void response.end(receiptOf(request, signer(), {})),
    alert: 'receipt_mismatch',
  },
  'signs for another chain': {
    scene: (signer) => (request, response) =>
      void response.end(receiptOf(request, signer(), { chain: 'another-chain' })),
    alert: 'receipt_mismatch',
  },
  'signs with a key it did not publish': {
    scene: () => (request, response) => void response.end(receiptOf(request, SigningKey.create(), {})),
    alert: 'receipt_mismatch',
  },
  'breaks the connection': { scene: () => (request) => void request.socket.destroy(), alert: 'unreachable' },
  'breaks off its answer': {
    scene: () => (request, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write('{"receipt":');
      setImmediate(() => request.socket.destroy());
    },
    alert: 'unreachable',
  },
  'answers without end': {
    scene: () => (_request, response) => {
      const pour = (): void => {
        while (response.writable && response.write('x'.repeat(16_384)));
      };
      response.on('drain', pour);
      response.on('error', () => undefined);
      pour();
    },
    alert: 'unreachable',
  },
};

test.each(Object.keys(SCENES))('a collector that %s makes the pod keep everything and say so', async (name) => {
  const { scene, alert } = SCENES[name]!;
  const dir = folder();
  let signer: SigningKey | null = null;
  const collector = await lyingCollector(
    dir,
    scene(() => signer!),
  );
  signer = collector.signer;
  const alerts: string[] = [];
  const alerted = Promise.withResolvers<void>();
  const spool = join(dir, 'spool');
  const audit = await startAudit({
    evidence: evidenceOptions(spool),
    collector: collector.options,
    onAlert: (why) => {
      alerts.push(why);
      alerted.resolve();
    },
  });
  const ledger = await audit.evidence.request(requestFacts('exchange-0001'), { sent: Buffer.from('x'), vault: '[]' });
  await ledger.finish(outcomeFacts());
  await alerted.promise;
  const bytes = audit.status().bytes;
  expect(await audit.close(400)).toBe(false);
  expect(new Set(alerts)).toEqual(new Set([alert]));
  expect(collector.batches()).toBeGreaterThan(0);
  const stored = readdirSync(spool).map((file) => readFileSync(join(spool, file)).length);
  expect(stored.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(bytes);
});

test('a certificate that the given roots do not vouch for receives nothing', async () => {
  const dir = folder();
  const collector = await lyingCollector(dir, (_request, response) => void response.end());
  const other = await makeCertificate(folder());
  const alerts: string[] = [];
  const alerted = Promise.withResolvers<void>();
  const audit = await startAudit({
    evidence: evidenceOptions(join(dir, 'spool')),
    collector: { ...collector.options, ca: readFileSync(other.cert, 'utf8') },
    onAlert: (why) => {
      alerts.push(why);
      alerted.resolve();
    },
  });
  await alerted.promise;
  expect(await audit.close(300)).toBe(false);
  expect(new Set(alerts)).toEqual(new Set(['unreachable']));
  expect(collector.batches()).toBe(0);
});

test('a collector that accepts and never answers does not hold up exchanges or the end of the pod', async () => {
  const dir = folder();
  const collector = await lyingCollector(dir, () => undefined);
  const audit = await startAudit({ evidence: evidenceOptions(join(dir, 'spool')), collector: collector.options });
  for (let at = 0; at < 20; at++) {
    const ledger = await audit.evidence.request(requestFacts(`exchange-${at}-hanging`), {
      sent: Buffer.from('x'),
      vault: '[]',
    });
    await ledger.finish(outcomeFacts());
  }
  expect(audit.evidence.state()).toBe('ok');
  expect(await audit.close(200)).toBe(false);
});
