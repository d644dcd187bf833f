import { LIMIT } from '#contract/limit.ts';
import { type JsonFault, scanEscape } from './json-escape.ts';
import { decodeString, type JsonTree } from './json-tree.ts';

/** What {@link scanJson} found. */
export type JsonScan =
  | { readonly kind: 'json'; readonly tree: JsonTree }
  | { readonly kind: 'fault'; readonly fault: JsonFault };

interface Scan {
  readonly text: string;
  pos: number;
  tape: Int32Array;
  size: number;
  /** Where the next reverse solidus and the next control character stand, at or after the last place asked for. */
  escape: number;
  control: number;
  depth: number;
  lone: boolean;
  fault: JsonFault | null;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** RFC 8259 §7: control characters stand in a string only as escapes. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f]/g;
/** Members up to which comparing keys one by one is cheaper than a set. */
const FEW = 12;

/**
 * Scans a text as exactly one JSON value by RFC 8259, without extensions: no byte order mark, no duplicate key at any
 * depth (escapes resolved), nothing after the value. Never throws; depth and number of values are bounded by
 * `LIMIT.jsonDepth` and `LIMIT.jsonValues`.
 * @param text decoded from valid UTF-8
 * @param tape memory for the tree, where the caller uses one tree after the other; the next scan overwrites it
 * @returns the tree, or the first fault
 */
export function scanJson(text: string, tape: Int32Array = new Int32Array(192)): JsonScan {
  const scan: Scan = {
    text,
    pos: 0,
    tape,
    size: 0,
    escape: -1,
    control: -1,
    depth: 0,
    lone: false,
    fault: null,
  };
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

/** Text is most of a body: a string without escapes is not looked at unit by unit, native searches find its end. */
function scanString(scan: Scan): void {
  const node = enter(scan, scan.pos);
  const start = scan.pos + 1;
  const quote = scan.text.indexOf('"', start);
  if (nextEscape(scan, start) < quote) {
    scanEscaped(scan, start);
    leave(scan, node, 1);
    return;
  }
  if (quote < 0 || nextControl(scan, start) < quote) scan.fault ??= 'syntax';
  scan.pos = quote + 1;
  leave(scan, node, 0);
}

function scanEscaped(scan: Scan, start: number): void {
  const { text } = scan;
  let pos = start;
  while (scan.fault === null) {
    let code = text.charCodeAt(pos);
    while (code >= 0x20 && code !== 0x22 && code !== 0x5c) {
      pos += 1;
      code = text.charCodeAt(pos);
    }
    if (code === 0x22) break;
    if (code === 0x5c) pos = scanEscape(scan, pos);
    // A control character, or NaN: the end of the text.
    else scan.fault = 'syntax';
  }
  scan.pos = pos + 1;
}

function nextEscape(scan: Scan, pos: number): number {
  if (scan.escape < pos) {
    const found = scan.text.indexOf('\\', pos);
    scan.escape = found < 0 ? Number.MAX_SAFE_INTEGER : found;
  }
  return scan.escape;
}

function nextControl(scan: Scan, pos: number): number {
  if (scan.control < pos) {
    CONTROL.lastIndex = pos;
    scan.control = CONTROL.exec(scan.text)?.index ?? Number.MAX_SAFE_INTEGER;
  }
  return scan.control;
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
