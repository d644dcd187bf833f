const POLYNOMIAL = 0x82f63b78; // Castagnoli, reflected (RFC 3720 §B.4)
const TABLES = buildTables();

/** Eight tables of 256 entries: "slicing-by-8" reads eight bytes a step. */
function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (before >>> 8) ^ (tables[before & 255] ?? 0);
  }
  return tables;
}

/**
 * CRC32C (RFC 3720 §B.4) of bytes: finds torn and flipped bytes, proves nothing against an adversary (the chain does).
 * @returns an unsigned 32-bit number
 */
export function crc32c(bytes: Uint8Array): number {
  const t = TABLES;
  const whole = bytes.length - (bytes.length % 8);
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 8) {
    const low =
      crc ^
      (byteAt(bytes, i) | (byteAt(bytes, i + 1) << 8) | (byteAt(bytes, i + 2) << 16) | (byteAt(bytes, i + 3) << 24));
    crc =
      (t[1792 + (low & 255)] as number) ^
      (t[1536 + ((low >>> 8) & 255)] as number) ^
      (t[1280 + ((low >>> 16) & 255)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + byteAt(bytes, i + 4)] as number) ^
      (t[512 + byteAt(bytes, i + 5)] as number) ^
      (t[256 + byteAt(bytes, i + 6)] as number) ^
      (t[byteAt(bytes, i + 7)] as number);
  }
  for (; i < bytes.length; i++) crc = (t[(crc ^ byteAt(bytes, i)) & 255] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
