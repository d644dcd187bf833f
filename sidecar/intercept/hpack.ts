import { LIMIT } from '#contract/limit.ts';
import type { Fields } from '../exchange/ports.ts';
import { HUFFMAN_LENGTHS, STATIC_FIELDS } from './hpack.data.ts';

type Field = Fields[number];

/** What an entry counts beside its text (RFC 7541 §4.1). */
const ENTRY_BYTES = 32;
/** SETTINGS_HEADER_TABLE_SIZE until the encoder says otherwise (RFC 9113 §6.5.2). */
const FIRST_TABLE_BYTES = 4_096;
const END_OF_STRING = 256;
const LONGEST_CODE = 30;

/** A block that breaks RFC 7541, or a bound of ours. Caught where it is thrown from. */
class BadBlock extends Error {
  override readonly name = 'BadBlock';
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** Decodes the header blocks of one direction of an HTTP/2 connection, in order (RFC 7541). */
export class HpackDecoder {
  /** Newest first. */
  private readonly dynamic: Field[] = [];
  private size = 0;
  private limit = FIRST_TABLE_BYTES;

  /**
   * @param block a whole header block
   * @returns null when it is malformed or larger than `LIMIT.hpackFieldBytes`: nothing after it can be decoded
   */
  decode(block: Buffer): Fields | null {
    const cursor = { bytes: block, at: 0 };
    const fields: Field[] = [];
    let bytes = 0;
    try {
      while (cursor.at < block.length) {
        const field = this.readField(cursor, fields.length === 0);
        if (field === null) continue;
        bytes += sizeOf(field);
        if (bytes > LIMIT.hpackFieldBytes) return null;
        fields.push(field);
      }
    } catch (fault) {
      if (fault instanceof BadBlock) return null;
      throw fault;
    }
    return fields;
  }

  /** One representation (RFC 7541 §6). @returns null for a table size update, which may only stand at the beginning */
  private readField(cursor: Cursor, first: boolean): Field | null {
    const byte = cursor.bytes[cursor.at] ?? 0;
    if (byte >= 0x80) return this.lookup(readInteger(cursor, 7));
    if (byte >= 0x40) {
      const field = this.readLiteral(cursor, 6);
      this.insert(field);
      return field;
    }
    if (byte < 0x20) return this.readLiteral(cursor, 4);
    const limit = readInteger(cursor, 5);
    if (!first || limit > LIMIT.hpackTableBytes) throw new BadBlock();
    this.limit = limit;
    this.evict(0);
    return null;
  }

  private readLiteral(cursor: Cursor, prefix: number): Field {
    const index = readInteger(cursor, prefix);
    const name = index === 0 ? readString(cursor) : this.lookup(index)[0];
    return [name, readString(cursor)];
  }

  private lookup(index: number): Field {
    const field =
      index <= STATIC_FIELDS.length ? STATIC_FIELDS[index - 1] : this.dynamic[index - STATIC_FIELDS.length - 1];
    if (field === undefined) throw new BadBlock();
    return field;
  }

  private insert(field: Field): void {
    const bytes = sizeOf(field);
    this.evict(bytes);
    // An entry larger than the table empties it and is no error (RFC 7541 §4.4).
    if (bytes > this.limit) return;
    this.dynamic.unshift(field);
    this.size += bytes;
  }

  private evict(room: number): void {
    while (this.size > 0 && this.size + room > this.limit) {
      const oldest = this.dynamic.pop();
      if (oldest === undefined) return;
      this.size -= sizeOf(oldest);
    }
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_BYTES;
}

/** RFC 7541 §5.1; four further bytes are far more than any bound of ours. */
function readInteger(cursor: Cursor, prefix: number): number {
  const most = (1 << prefix) - 1;
  let value = take(cursor) & most;
  if (value < most) return value;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = take(cursor);
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new BadBlock();
}

function readString(cursor: Cursor): string {
  const coded = ((cursor.bytes[cursor.at] ?? 0) & 0x80) !== 0;
  const length = readInteger(cursor, 7);
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw new BadBlock();
  const text = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return coded ? decodeHuffman(text) : text.toString('latin1');
}

function take(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new BadBlock();
  cursor.at += 1;
  return byte;
}

interface Codes {
  /** Symbols by length of their code, then by value: the order of a canonical code. */
  readonly symbols: readonly number[];
  /** For each length, how many codes have it. */
  readonly counts: readonly number[];
}

let codes: Codes | undefined;

function makeCodes(): Codes {
  const symbols = HUFFMAN_LENGTHS.map((_, symbol) => symbol).sort(
    (one, other) => (HUFFMAN_LENGTHS[one] ?? 0) - (HUFFMAN_LENGTHS[other] ?? 0) || one - other,
  );
  const counts = Array.from(
    { length: LONGEST_CODE + 1 },
    (_, bits) => HUFFMAN_LENGTHS.filter((l) => l === bits).length,
  );
  return { symbols, counts };
}

/** RFC 7541 §5.2: what is left of the last byte is ones, and less than a byte. */
function decodeHuffman(bytes: Buffer): string {
  codes ??= makeCodes();
  const out: number[] = [];
  let code = { value: 0, bits: 0, first: 0, index: 0 };
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code.value = code.value * 2 + ((byte >> bit) & 1);
      code.bits += 1;
      const count = codes.counts[code.bits] ?? 0;
      code.first *= 2;
      if (code.value - code.first < count) {
        const symbol = codes.symbols[code.index + code.value - code.first] ?? END_OF_STRING;
        if (symbol === END_OF_STRING) throw new BadBlock();
        out.push(symbol);
        code = { value: 0, bits: 0, first: 0, index: 0 };
        continue;
      }
      code.first += count;
      code.index += count;
    }
  }
  if (code.bits > 7 || code.value !== 2 ** code.bits - 1) throw new BadBlock();
  return Buffer.from(out).toString('latin1');
}
