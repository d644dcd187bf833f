import { timingSafeEqual } from 'node:crypto';
import { ENTITIES, type Entity } from './entity.ts';
import { LIMIT } from './limit.ts';
import { authenticate, type ListKey } from './list-key.ts';

/**
 * A deployer's list as a file: one line of JSON that anybody may read, padded to a multiple of 8 bytes; a filter of words (a power of
 * two of bytes); fingerprints of 64 bits, sorted, low half first, the entity in the lowest 5 bits; and an HMAC-SHA-256 of all of it.
 * Numbers are little-endian.
 */
export interface ListTable {
  readonly header: ListHeader;
  readonly filter: Uint8Array;
  /** Low and high half of each fingerprint in turn. */
  readonly fingerprints: Uint32Array;
}

/** What the first line of a table says. */
export interface ListHeader {
  readonly format: 'lazaret-list';
  readonly version: 1;
  /** Id of the key that it was made with. */
  readonly key: string;
  readonly entries: number;
  /** Entries by kind of identifier. */
  readonly entities: Readonly<Partial<Record<Entity, number>>>;
  readonly filterBytes: number;
  readonly fingerprints: number;
}

/** Bits of a fingerprint that hold its entity. */
export const ENTITY_BITS = 5;
const MAC_BYTES = 32;
const MAX_HEADER = 1_024;
const NEWLINE = 10;
const MAX_FILTER_BYTES = 8 * 1024 * 1024;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Makes the bytes of a table. @param fingerprints sorted */
export function encodeListTable({ header, filter, fingerprints }: ListTable, key: ListKey): Uint8Array {
  const text = JSON.stringify(header);
  const line = `${text.padEnd(Math.ceil((text.length + 1) / 8) * 8 - 1)}\n`;
  const body = line.length + filter.byteLength + fingerprints.byteLength;
  const bytes = new Uint8Array(body + MAC_BYTES);
  bytes.set(Buffer.from(line, 'latin1'));
  bytes.set(filter, line.length);
  bytes.set(
    new Uint8Array(fingerprints.buffer, fingerprints.byteOffset, fingerprints.byteLength),
    line.length + filter.length,
  );
  bytes.set(authenticate(key, bytes.subarray(0, body)), body);
  return bytes;
}

/**
 * Reads and verifies a table.
 * @param bytes the whole file; the table keeps and shares them
 * @returns the table, or one sentence that says what is wrong with it
 */
export function parseListTable(bytes: Uint8Array, key: ListKey): ListTable | string {
  if (!LITTLE_ENDIAN) return 'lists need a little-endian machine';
  const end = bytes.subarray(0, MAX_HEADER).indexOf(NEWLINE) + 1;
  const header = end === 0 ? null : parseHeader(Buffer.from(bytes.subarray(0, end)).toString('latin1'));
  if (header === null) return 'is no table of lazaret lists build';
  if (header.key !== key.id) return 'was made with another key';
  const body = end + header.filterBytes + header.fingerprints * 8;
  if (end % 8 !== 0 || bytes.length !== body + MAC_BYTES) return 'is cut off or has something behind its end';
  if (!timingSafeEqual(authenticate(key, bytes.subarray(0, body)), bytes.subarray(body)))
    return 'is damaged: its check value does not fit';
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return {
    header,
    filter: aligned.subarray(end, end + header.filterBytes),
    fingerprints: new Uint32Array(
      aligned.buffer,
      aligned.byteOffset + end + header.filterBytes,
      header.fingerprints * 2,
    ),
  };
}

function parseHeader(line: string): ListHeader | null {
  try {
    const header = JSON.parse(line) as ListHeader;
    const counts = [header.entries, header.fingerprints, header.filterBytes];
    if (header.format !== 'lazaret-list' || header.version !== 1) return null;
    if (!counts.every((count) => Number.isInteger(count) && count >= 0)) return null;
    if (header.entries > LIMIT.listEntries || header.fingerprints > LIMIT.listEntries) return null;
    const { filterBytes } = header;
    const isPower = filterBytes >= 8 && (filterBytes & (filterBytes - 1)) === 0;
    return isPower && filterBytes <= MAX_FILTER_BYTES ? header : null;
  } catch {
    return null;
  }
}

/** The number that stands for an entity in a fingerprint. */
export function entityNumber(entity: Entity): number {
  return ENTITIES.indexOf(entity);
}

/** @returns undefined for a number that stands for none */
export function entityOf(number: number): Entity | undefined {
  return ENTITIES[number];
}
