import { copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test, vi } from 'vitest';
import { ServingCertificate } from '#collector/ingest/serving-certificate.ts';
import { JWKS_PATH } from '#contract/chain-protocol.ts';
import { collectorRig, folder, makeCertificate } from '#test/sidecar/audit/rig.ts';
import { ask } from './ask.ts';

/** A folder as the kubelet mounts a Secret: names are links through `..data`, which an update replaces in one step. */
async function mountSecret() {
  const dir = folder();
  const pairs: string[] = [];
  const update = async (): Promise<{ readonly ca: string }> => {
    const version = `..version-${pairs.length}`;
    mkdirSync(join(dir, version));
    const { cert, key } = await makeCertificate(join(dir, version));
    copyFileSync(cert, join(dir, version, 'tls.crt'));
    copyFileSync(key, join(dir, version, 'tls.key'));
    symlinkSync(version, join(dir, '..data-next'));
    renameSync(join(dir, '..data-next'), join(dir, '..data'));
    pairs.push(version);
    return { ca: readFileSync(cert, 'utf8') };
  };
  const first = await update();
  symlinkSync('..data/tls.crt', join(dir, 'tls.crt'));
  symlinkSync('..data/tls.key', join(dir, 'tls.key'));
  return { dir, first, update, files: { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key') } };
}

test('a Secret that changes under its links gives a new certificate, and one that did not gives none', async () => {
  const secret = await mountSecret();
  const certificate = await ServingCertificate.load(secret.files);
  const onChange = vi.fn<(pair: { cert: string }) => void>();
  const onFault = vi.fn<() => void>();
  await certificate.check({ onChange, onFault });
  expect(onChange).not.toHaveBeenCalled();
  const { ca } = await secret.update();
  await certificate.check({ onChange, onFault });
  await certificate.check({ onChange, onFault });
  expect(onChange.mock.calls.map(([pair]) => pair.cert)).toEqual([ca]);
  expect(certificate.pair.cert).toBe(ca);
  expect(Math.abs(certificate.expiresAt - Date.now() - 3_600_000)).toBeLessThan(60_000);
  expect(onFault).not.toHaveBeenCalled();
});

test('a certificate of one pair beside the key of another is not served, and is told once', async () => {
  const secret = await mountSecret();
  const certificate = await ServingCertificate.load(secret.files);
  const onChange = vi.fn<() => void>();
  const onFault = vi.fn<() => void>();
  const other = await makeCertificate(folder());
  writeFileSync(join(secret.dir, '..version-0', 'tls.crt'), readFileSync(other.cert));
  await certificate.check({ onChange, onFault });
  await certificate.check({ onChange, onFault });
  expect(certificate.pair.cert).toBe(secret.first.ca);
  expect(onFault).toHaveBeenCalledTimes(1);
  writeFileSync(join(secret.dir, '..version-0', 'tls.key'), readFileSync(other.key));
  await certificate.check({ onChange, onFault });
  expect(onChange).toHaveBeenCalledTimes(1);
});

test('a collector whose certificate is none does not start, and says what to give', async () => {
  const secret = await mountSecret();
  writeFileSync(join(secret.dir, '..version-0', 'tls.key'), 'no key');
  await expect(ServingCertificate.load(secret.files)).rejects.toThrow('do not belong together');
});

test('a running collector serves the new certificate to new connections and keeps the old ones', async () => {
  const secret = await mountSecret();
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const rig = await collectorRig(folder(), undefined, {
    LAZARET_TLS_CERT: secret.files.cert,
    LAZARET_TLS_KEY: secret.files.key,
  });
  const { port, opsPort } = await rig.start();
  const kept = connect({ port, host: '127.0.0.1', ca: secret.first.ca });
  await new Promise((resolve) => kept.once('secureConnect', resolve));
  const { ca } = await secret.update();
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  await vi.waitUntil(
    async () => (await ask({ port, ca }, { method: 'GET', path: JWKS_PATH }).catch(() => null)) !== null,
    {
      timeout: 10_000,
    },
  );
  await expect(ask({ port, ca: secret.first.ca }, { method: 'GET', path: JWKS_PATH })).rejects.toThrow();
  kept.write(`GET ${JWKS_PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  const answer = await new Promise<string>((resolve) => kept.once('data', (data: Buffer) => resolve(data.toString())));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  expect(metrics).toMatch(/^lazaret_certificate_expiry_seconds\{certificate="collector"\} 3[56]\d\d/m);
  expect(metrics).toMatch(/^lazaret_collector_volume_free_bytes \d{6}/m);
  expect(metrics).toMatch(/^lazaret_build_info\{version="0.1.0",program="lazaret-collector"\} 1$/m);
});
