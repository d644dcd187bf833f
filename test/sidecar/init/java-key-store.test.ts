import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { encodeJavaKeyStore } from '#sidecar/init/java-key-store.ts';

const DERS = rootCertificates.slice(0, 12).map((pem) => new X509Certificate(pem).raw);
const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Reads the format as `sun.security.provider.JavaKeyStore.engineLoad` does. */
function readKeyStore(
  bytes: Buffer,
  password: string,
): { alias: string; created: number; type: string; der: Buffer }[] {
  let at = 0;
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  const uint32 = (): number => take(4).readUInt32BE();
  const utf = (): string => take(take(2).readUInt16BE()).toString('utf8');
  expect(uint32()).toBe(0xfeedfeed);
  expect(uint32()).toBe(2);
  const entries = Array.from({ length: uint32() }, () => {
    expect(uint32()).toBe(2);
    return { alias: utf(), created: Number(take(8).readBigUInt64BE()), type: utf(), der: Buffer.from(take(uint32())) };
  });
  const digest = createHash('sha1').update(Buffer.from(password, 'utf16le').swap16()).update('Mighty Aphrodite');
  expect(bytes.subarray(at)).toEqual(digest.update(bytes.subarray(0, at)).digest());
  return entries;
}

describe('Java key store', () => {
  it('reads back as the certificates that went in, each under a name of its own', () => {
    const entries = readKeyStore(Buffer.from(encodeJavaKeyStore(DERS, CREATED)), 'changeit');
    expect(entries.map(({ der }) => der)).toEqual(DERS);
    expect(new Set(entries.map(({ alias }) => alias)).size).toBe(DERS.length);
    expect(entries[0]).toMatchObject({ created: CREATED, type: 'X.509' });
  });

  it('is the same bytes for the same input', () => {
    expect(encodeJavaKeyStore(DERS, CREATED)).toEqual(encodeJavaKeyStore(DERS, CREATED));
  });

  it('is read by keytool, where Java is installed, with the same fingerprints', () => {
    const dir = mkdtempSync(join(tmpdir(), 'jks-'));
    const file = join(dir, 'store.jks');
    writeFileSync(file, encodeJavaKeyStore(DERS, CREATED));
    const own = readKeyStore(Buffer.from(encodeJavaKeyStore(DERS, CREATED)), 'changeit');
    const expected = own.map(({ der }) => new X509Certificate(der).fingerprint256).sort();
    try {
      if (spawnSync('keytool', ['-help']).error === undefined) {
        const listed = execFileSync(
          'keytool',
          ['-list', '-keystore', file, '-storepass', 'changeit', '-J-Duser.language=en'],
          { encoding: 'utf8' },
        );
        expect(listed.match(/(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/g)?.sort()).toEqual(expected);
      }
      expect(expected).toHaveLength(DERS.length);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
