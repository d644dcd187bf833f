import { LIMIT } from '#contract/limit.ts';
import { decodeString, type JsonTree } from './json-tree.ts';

/** Why a text is not one unambiguous JSON value. */
export type JsonFault = 'syntax' | 'duplicate_key' | 'depth' | 'size';

/** What {@link scanJson} found. */
export type JsonScan =
  | { readonly kind: 'json'; readonly tree: JsonTree }
  | { readonly kind: 'fault'; readonly fault: JsonFault };

interface Scan {
  readonly text: string;
  pos: number;
  tape: Int32Array;
  size: number;
  depth: number;
  lone: boolean;
  fault: JsonFault | null;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Members up to which comparing keys one by one is cheaper than a set. */
const FEW = 12;

/**
 * Scans a text as exactly one JSON value by RFC 8259, without extensions: no byte order mark, no duplicate key at any
 * depth (escapes resolved), nothing after the value. Never throws; depth and number of values are bounded by
 * `LIMIT.jsonDepth` and `LIMIT.jsonValues`.
 * @param text decoded from valid UTF-8
 * @returns the tree, or the first fault
 */
export function scanJson(text: string): JsonScan {
  const scan: Scan = { text, pos: 0, tape: new Int32Array(96), size: 0, depth: 0, lone: false, fault: null };
  skipSpace(scan);
  scanValue(scan);
  skipSpace(scan);
  if (scan.fault === null && scan.pos !== text.length) scan.fault = 'syntax';
  if (scan.fault !== null) return { kind: 'fault', fault: scan.fault };
  return { kind: 'json', tree: { text, tape: scan.tape, size: scan.size, lone: scan.lone } };
}

function skipSpace(scan: Scan): void {
  const { text } = scan;
  let pos = scan.pos;
  for (;;) {
    const code = text.charCodeAt(pos);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    pos += 1;
  }
  scan.pos = pos;
}

function scanValue(scan: Scan): void {
  switch (scan.text.charCodeAt(scan.pos)) {
    case 0x22:
      scanString(scan);
      return;
    case 0x7b:
      scanObject(scan);
      return;
    case 0x5b:
      scanArray(scan);
      return;
    case 0x74:
      scanLiteral(scan, 'true');
      return;
    case 0x66:
      scanLiteral(scan, 'false');
      return;
    case 0x6e:
      scanLiteral(scan, 'null');
      return;
    default:
      scanNumber(scan);
  }
}

/** Enters a value in the tape. @returns its ordinal */
function enter(scan: Scan, start: number): number {
  const node = scan.size;
  if (node >= LIMIT.jsonValues) scan.fault ??= 'size';
  if (node * 3 + 3 > scan.tape.length) {
    const grown = new Int32Array(scan.tape.length * 2);
    grown.set(scan.tape);
    scan.tape = grown;
  }
  scan.tape[node * 3] = start;
  scan.size = node + 1;
  return node;
}

function leave(scan: Scan, node: number, third: number): void {
  scan.tape[node * 3 + 1] = scan.pos;
  scan.tape[node * 3 + 2] = third;
}

function scanLiteral(scan: Scan, word: string): void {
  const node = enter(scan, scan.pos);
  if (!scan.text.startsWith(word, scan.pos)) scan.fault ??= 'syntax';
  scan.pos += word.length;
  leave(scan, node, node + 1);
}

function scanNumber(scan: Scan): void {
  const node = enter(scan, scan.pos);
  NUMBER.lastIndex = scan.pos;
  if (NUMBER.test(scan.text)) scan.pos = NUMBER.lastIndex;
  else scan.fault ??= 'syntax';
  leave(scan, node, node + 1);
}

function scanString(scan: Scan): void {
  const { text } = scan;
  const node = enter(scan, scan.pos);
  let pos = scan.pos + 1;
  let escaped = 0;
  for (;;) {
    const code = text.charCodeAt(pos);
    if (code === 0x22) break;
    if (code === 0x5c) {
      escaped = 1;
      pos = scanEscape(scan, pos);
      if (scan.fault !== null) return;
    } else if (code >= 0x20) {
      pos += 1;
    } else {
      // A control character, or NaN: the end of the text.
      scan.fault ??= 'syntax';
      return;
    }
  }
  scan.pos = pos + 1;
  leave(scan, node, escaped);
}

/** @returns the position after the escape that begins at `pos` */
function scanEscape(scan: Scan, pos: number): number {
  const code = scan.text.charCodeAt(pos + 1);
  if (code !== 0x75) {
    if (!'"\\/bfnrt'.includes(String.fromCharCode(code))) scan.fault ??= 'syntax';
    return pos + 2;
  }
  const unit = hexUnit(scan.text, pos + 2);
  if (unit < 0) {
    scan.fault ??= 'syntax';
    return pos;
  }
  if (unit < 0xd800 || unit > 0xdfff) return pos + 6;
  const isPair = unit < 0xdc00 && scan.text.charCodeAt(pos + 6) === 0x5c && scan.text.charCodeAt(pos + 7) === 0x75;
  const low = isPair ? hexUnit(scan.text, pos + 8) : -1;
  if (low >= 0xdc00 && low <= 0xdfff) return pos + 12;
  scan.lone = true;
  return pos + 6;
}

function hexUnit(text: string, start: number): number {
  let unit = 0;
  for (let pos = start; pos < start + 4; pos += 1) {
    const code = text.charCodeAt(pos) | 0x20;
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
    // `| 0x20` also folds 0x10-0x19 onto the digits; those are control characters.
    if (digit < 0 || text.charCodeAt(pos) < 0x30) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function scanArray(scan: Scan): void {
  const node = open(scan);
  if (scan.text.charCodeAt(scan.pos) === 0x5d) scan.pos += 1;
  else {
    while (scan.fault === null) {
      scanValue(scan);
      if (!more(scan, 0x5d)) break;
    }
  }
  close(scan, node);
}

function scanObject(scan: Scan): void {
  const node = open(scan);
  if (scan.text.charCodeAt(scan.pos) === 0x7d) scan.pos += 1;
  else {
    const few: string[] = [];
    let many: Set<string> | null = null;
    while (scan.fault === null) {
      const key = scanKey(scan);
      if (many?.has(key) ?? few.includes(key)) scan.fault ??= 'duplicate_key';
      if (many !== null) many.add(key);
      else if (few.push(key) > FEW) many = new Set(few);
      if (scan.fault === null) scanValue(scan);
      if (!more(scan, 0x7d)) break;
    }
  }
  close(scan, node);
}

/** Scans `"key" :` and stands before the value. @returns the key, escapes resolved */
function scanKey(scan: Scan): string {
  const start = scan.pos;
  if (scan.text.charCodeAt(start) !== 0x22) {
    scan.fault ??= 'syntax';
    return '';
  }
  const node = scan.size;
  scanString(scan);
  if (scan.fault !== null) return '';
  const key = decodeString(scan, node);
  skipSpace(scan);
  if (scan.text.charCodeAt(scan.pos) !== 0x3a) scan.fault ??= 'syntax';
  scan.pos += 1;
  skipSpace(scan);
  return key;
}

function open(scan: Scan): number {
  const node = enter(scan, scan.pos);
  scan.depth += 1;
  if (scan.depth > LIMIT.jsonDepth) scan.fault ??= 'depth';
  scan.pos += 1;
  skipSpace(scan);
  return node;
}

function close(scan: Scan, node: number): void {
  scan.depth -= 1;
  leave(scan, node, scan.size);
}

/** After a member or element: moves past a comma (true) or the closing bracket (false). */
function more(scan: Scan, closing: number): boolean {
  if (scan.fault !== null) return false;
  skipSpace(scan);
  const code = scan.text.charCodeAt(scan.pos);
  scan.pos += 1;
  if (code === 0x2c) {
    skipSpace(scan);
    return true;
  }
  if (code !== closing) scan.fault ??= 'syntax';
  return false;
}
