import { LIMIT } from '#contract/limit.ts';

/** A leaf of a JSON text. */
export interface JsonLeaf {
  readonly kind: 'key' | 'string' | 'number';
  /** Raw `[start, end)` of the content: inside the quotes for strings and keys. */
  readonly start: number;
  readonly end: number;
  /** The nearest member name, '' at the top; elements of an array have the array's. For a key: the name above it. */
  readonly key: string;
  /** The member name above the nearest one, '' when there is none. */
  readonly parent: string;
}

type LeafHandler = (leaf: JsonLeaf) => void;

interface Frame {
  readonly object: boolean;
  /** Name of the member that is being read, or for an array the array's own. */
  key: string;
  readonly parent: string;
}

interface Walk {
  readonly text: string;
  readonly frames: Frame[];
  readonly leaf: LeafHandler;
  at: number;
}

/**
 * Walks a JSON text (RFC 8259) with offsets. Linear, no recursion.
 * @param from where the value begins. @param leaf is called for each key, string and number in order
 * @returns the offset behind the value; when the text is no JSON value or is nested deeper than LIMIT.jsonDepth, the complement (`~`) of
 * the offset where that was seen
 */
export function walkJson(text: string, from: number, leaf: LeafHandler): number {
  const walk: Walk = { text, frames: [], leaf, at: from };
  for (;;) {
    skipSpace(walk);
    if (!readValue(walk)) return walk.at < 0 ? walk.at : ~walk.at;
    // `readValue` opened a container that has content: go on with its first value.
    if (walk.at < 0) {
      walk.at = ~walk.at;
      continue;
    }
    const more = closeFrames(walk);
    if (more === 'done') return walk.at;
    if (more === 'bad') return ~walk.at;
  }
}

/** Reads a scalar, an empty container, or the opening of one (then `at` is set to the complement of the next offset). */
function readValue(walk: Walk): boolean {
  const code = walk.text.charCodeAt(walk.at);
  if (code !== 123 && code !== 91) return readScalar(walk);
  const top = walk.frames.at(-1);
  if (walk.frames.length >= LIMIT.jsonDepth) return false;
  const object = code === 123;
  walk.at++;
  skipSpace(walk);
  if (walk.text.charCodeAt(walk.at) === code + 2) {
    walk.at++;
    return true;
  }
  const key = top?.key ?? '';
  walk.frames.push({ object, key, parent: object ? key : (top?.parent ?? '') });
  if (object && !readKey(walk)) return false;
  walk.at = ~walk.at;
  return true;
}

/** Behind a value: closes containers that end, or moves to the next member or element. */
function closeFrames(walk: Walk): 'done' | 'next' | 'bad' {
  for (;;) {
    const top = walk.frames.at(-1);
    if (top === undefined) return 'done';
    skipSpace(walk);
    const code = walk.text.charCodeAt(walk.at++);
    if (code === 44) {
      skipSpace(walk);
      return top.object && !readKey(walk) ? 'bad' : 'next';
    }
    if (code !== (top.object ? 125 : 93)) return 'bad';
    walk.frames.pop();
  }
}

function readKey(walk: Walk): boolean {
  const top = walk.frames.at(-1) as Frame;
  const start = walk.at + 1;
  const end = stringEnd(walk.text, walk.at);
  if (end < 0) return false;
  walk.leaf({ kind: 'key', start, end, key: top.parent, parent: '' });
  top.key = walk.text.slice(start, end);
  walk.at = end + 1;
  skipSpace(walk);
  return walk.text.charCodeAt(walk.at++) === 58;
}

function readScalar(walk: Walk): boolean {
  const { text, at } = walk;
  const top = walk.frames.at(-1);
  const named = { key: top?.key ?? '', parent: top?.parent ?? '' };
  if (text.charCodeAt(at) === 34) {
    const end = stringEnd(text, at);
    if (end < 0) return false;
    walk.leaf({ kind: 'string', start: at + 1, end, ...named });
    walk.at = end + 1;
    return true;
  }
  let end = at;
  while (isScalarUnit(text.charCodeAt(end))) end++;
  const word = text.slice(at, Math.min(end, at + 400));
  walk.at = end;
  if (word === 'true' || word === 'false' || word === 'null') return true;
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) return false;
  walk.leaf({ kind: 'number', start: at, end, ...named });
  return true;
}

/** @param at offset of the opening quote. @returns the offset of the closing quote, or -1 */
function stringEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 34) return -1;
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 34) return i;
    if (code < 32) return -1;
    if (code === 92) {
      const escaped = text.charAt(++i);
      if (escaped === 'u') {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 1, i + 5))) return -1;
        i += 4;
      } else if (!'"\\/bfnrt'.includes(escaped) || escaped === '') return -1;
    }
  }
  return -1;
}

function isScalarUnit(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 97 && code <= 122) ||
    code === 43 ||
    code === 45 ||
    code === 46 ||
    code === 69
  );
}

function skipSpace(walk: Walk): void {
  for (;;) {
    const code = walk.text.charCodeAt(walk.at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
    walk.at++;
  }
}

/** Decodes the inside of a JSON string. @returns the text and, where escapes changed lengths, the raw offset of each unit and of the end */
export function decodeString(
  text: string,
  start: number,
  end: number,
): { readonly text: string; readonly map?: Int32Array } {
  // Looked for in the piece, not from the piece on: else a long text would be searched once for each string in it.
  const plain = text.slice(start, end);
  if (!plain.includes('\\')) return { text: plain };
  const map = new Int32Array(end - start + 1);
  let out = '';
  let i = start;
  while (i < end) {
    map[out.length] = i;
    const code = text.charCodeAt(i);
    if (code !== 92) {
      out += text.charAt(i++);
      continue;
    }
    const escaped = text.charAt(i + 1);
    const wide = escaped === 'u';
    out += wide ? String.fromCharCode(Number.parseInt(text.slice(i + 2, i + 6), 16)) : (ESCAPES[escaped] ?? escaped);
    i += wide ? 6 : 2;
  }
  map[out.length] = end;
  return { text: out, map };
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
