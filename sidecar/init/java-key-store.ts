import { createHash } from 'node:crypto';

const MAGIC = 0xfe_ed_fe_ed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
/** Mixed into the digest by Sun's original implementation (`sun.security.provider.JavaKeyStore.getPreKeyedHash`). */
const WHITENER = 'Mighty Aphrodite';
/** Java's own default password: this file holds public certificates, so it protects nothing. */
const PASSWORD = 'changeit';

/**
 * Writes certificates as a Java key store (JKS, version 2), which every Java release reads without a password.
 * @param certificates DER
 * @param createdMs shown by keytool as the entries' date, milliseconds since 1970
 */
export function encodeJavaKeyStore(certificates: readonly Uint8Array[], createdMs: number): Uint8Array {
  const body = Buffer.concat([
    uint32(MAGIC),
    uint32(VERSION),
    uint32(certificates.length),
    ...certificates.map((der, index) => encodeEntry(`lazaret-${index + 1}`, der, createdMs)),
  ]);
  const password = Buffer.from(PASSWORD, 'utf16le').swap16();
  const digest = createHash('sha1').update(password).update(WHITENER, 'utf8').update(body).digest();
  return Buffer.concat([body, digest]);
}

function encodeEntry(alias: string, der: Uint8Array, createdMs: number): Buffer {
  const created = Buffer.alloc(8);
  created.writeBigUInt64BE(BigInt(createdMs));
  return Buffer.concat([uint32(TRUSTED_CERTIFICATE), text(alias), created, text('X.509'), uint32(der.length), der]);
}

/** `DataOutput.writeUTF`; all our texts are ASCII, where modified UTF-8 is ASCII. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
