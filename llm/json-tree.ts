/**
 * A JSON text and where its values stand in it. A value is named by its ordinal in document order; the keys of an
 * object are values too and stand before their values. Three numbers a value: start and end (exclusive) in UTF-16
 * units of `text`, and the ordinal after the value (containers, numbers, literals) or whether it holds an escape
 * (strings). Numbers in one array instead of objects, because a body may hold millions of values.
 */
export interface JsonTree {
  readonly text: string;
  readonly tape: Int32Array;
  /** Number of values. */
  readonly size: number;
  /** Whether a `\u` escape names half a surrogate pair (RFC 8259 §8.2: receivers disagree about such strings). */
  readonly lone: boolean;
}

export type JsonKind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/** The value of the whole text. */
export const ROOT = 0;

/** @returns what kind of value `node` is */
export function kindOf(tree: JsonTree, node: number): JsonKind {
  switch (tree.text.charCodeAt(tree.tape[node * 3] ?? 0)) {
    case 0x22:
      return 'string';
    case 0x7b:
      return 'object';
    case 0x5b:
      return 'array';
    case 0x74:
      return 'true';
    case 0x66:
      return 'false';
    case 0x6e:
      return 'null';
    default:
      return 'number';
  }
}

/** @returns where the value begins in `tree.text` (a string: at its quotation mark) */
export function startOf(tree: JsonTree, node: number): number {
  return tree.tape[node * 3] ?? 0;
}

/** @returns where the value ends in `tree.text`, exclusive */
export function endOf(tree: JsonTree, node: number): number {
  return tree.tape[node * 3 + 1] ?? 0;
}

/** @returns the ordinal of the value that follows `node` and all that is in it */
function afterOf(tree: JsonTree, node: number): number {
  return kindOf(tree, node) === 'string' ? node + 1 : (tree.tape[node * 3 + 2] ?? tree.size);
}

/** @returns the value as it is written */
export function rawOf(tree: JsonTree, node: number): string {
  return tree.text.slice(startOf(tree, node), endOf(tree, node));
}

/** @returns the string value `node` with its escapes resolved */
export function decodeString(tree: Pick<JsonTree, 'text' | 'tape'>, node: number): string {
  const start = tree.tape[node * 3] ?? 0;
  const end = tree.tape[node * 3 + 1] ?? 0;
  if (tree.tape[node * 3 + 2] === 0) return tree.text.slice(start + 1, end - 1);
  return JSON.parse(tree.text.slice(start, end)) as string;
}

/** @returns the text of `node`, or null when it is no string */
export function stringOf(tree: JsonTree, node: number): string | null {
  return kindOf(tree, node) === 'string' ? decodeString(tree, node) : null;
}

/** @returns the number `node`, or null when it is none */
export function numberOf(tree: JsonTree, node: number): number | null {
  return kindOf(tree, node) === 'number' ? Number(rawOf(tree, node)) : null;
}

/** Calls `visit` for each member of an object in document order; nothing for another kind of value. */
export function eachMember(tree: JsonTree, node: number, visit: (key: string, value: number) => void): void {
  if (kindOf(tree, node) !== 'object') return;
  const after = afterOf(tree, node);
  for (let key = node + 1; key < after; key = afterOf(tree, key + 1)) visit(decodeString(tree, key), key + 1);
}

/** Calls `visit` for each element of an array; nothing for another kind of value. */
export function eachElement(tree: JsonTree, node: number, visit: (value: number, index: number) => void): void {
  if (kindOf(tree, node) !== 'array') return;
  const after = afterOf(tree, node);
  let index = 0;
  for (let value = node + 1; value < after; value = afterOf(tree, value)) {
    visit(value, index);
    index += 1;
  }
}

/** @returns the value of the member `name`, or null when `node` is no object or has none */
export function memberOf(tree: JsonTree, node: number, name: string): number | null {
  if (kindOf(tree, node) !== 'object') return null;
  const after = afterOf(tree, node);
  for (let key = node + 1; key < after; key = afterOf(tree, key + 1)) {
    if (isKey(tree, key, name)) return key + 1;
  }
  return null;
}

/** Compares a key without making a string of it: streams look for the same few names in every event. */
function isKey(tree: JsonTree, key: number, name: string): boolean {
  if (tree.tape[key * 3 + 2] !== 0) return decodeString(tree, key) === name;
  const start = startOf(tree, key) + 1;
  return endOf(tree, key) - start - 1 === name.length && tree.text.startsWith(name, start);
}

/** @returns the string member `name` with its escapes resolved, or null */
export function memberString(tree: JsonTree, node: number, name: string): string | null {
  const value = memberOf(tree, node, name);
  return value === null ? null : stringOf(tree, value);
}
