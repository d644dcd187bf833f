import { isJsonObject, type JsonObject } from './json.ts';

/** One operation of a JSON patch (RFC 6902 §4). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** Larger lists that differ throughout are replaced whole: the alignment costs the product of both lengths. */
const ALIGN_CELLS = 250_000;

/**
 * The operations that turn one JSON value into another. Values shared by reference are not looked into, so what the
 * caller left alone (`managedFields` among it) costs nothing and cannot be changed.
 * @returns operations to be applied in order; none when nothing differs
 */
export function diffJson(before: unknown, after: unknown): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  diffValue(before, after, { path: '', operations });
  return operations;
}

interface Place {
  readonly path: string;
  readonly operations: PatchOperation[];
}

function diffValue(before: unknown, after: unknown, place: Place): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) return diffList(before, after, place);
  if (isJsonObject(before) && isJsonObject(after)) return diffObject(before, after, place);
  place.operations.push({ op: 'replace', path: place.path, value: after });
}

function diffObject(before: JsonObject, after: JsonObject, place: Place): void {
  const at = (field: string) => `${place.path}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  for (const field of Object.keys(before)) {
    if (!Object.hasOwn(after, field)) place.operations.push({ op: 'remove', path: at(field) });
  }
  for (const field of Object.keys(after)) {
    if (Object.hasOwn(before, field)) diffValue(before[field], after[field], { ...place, path: at(field) });
    else place.operations.push({ op: 'add', path: at(field), value: after[field] });
  }
}

/** Keeps the longest run of items that stand in both lists in the same order, and changes, adds and removes around it. */
function diffList(before: readonly unknown[], after: readonly unknown[], place: Place): void {
  const start = sharedStart(before, after);
  const end = sharedEnd(before, after, start);
  const old = before.slice(start, before.length - end);
  const next = after.slice(start, after.length - end);
  if (old.length * next.length > ALIGN_CELLS) {
    place.operations.push({ op: 'replace', path: place.path, value: after });
    return;
  }
  const lengths = alignmentLengths(old, next);
  const keep = (i: number, j: number) => lengths[i * (next.length + 1) + j] ?? 0;
  let [i, j] = [0, 0];
  while (i < old.length || j < next.length) {
    const path = `${place.path}/${start + j}`;
    if (i < old.length && j < next.length && isSameItem(old[i], next[j])) {
      diffValue(old[i++], next[j++], { ...place, path });
    } else if (i < old.length && (j === next.length || keep(i + 1, j) >= keep(i, j + 1))) {
      place.operations.push({ op: 'remove', path });
      i += 1;
    } else {
      place.operations.push({ op: 'add', path, value: next[j++] });
    }
  }
}

function sharedStart(before: readonly unknown[], after: readonly unknown[]): number {
  const most = Math.min(before.length, after.length);
  let length = 0;
  while (length < most && before[length] === after[length]) length += 1;
  return length;
}

function sharedEnd(before: readonly unknown[], after: readonly unknown[], start: number): number {
  const most = Math.min(before.length, after.length) - start;
  let length = 0;
  while (length < most && before[before.length - 1 - length] === after[after.length - 1 - length]) length += 1;
  return length;
}

/** `table[i, j]`: the longest common subsequence of the items from i and from j on. */
function alignmentLengths(old: readonly unknown[], next: readonly unknown[]): Uint32Array {
  const width = next.length + 1;
  const table = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = next.length - 1; j >= 0; j -= 1) {
      const skip = Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
      table[i * width + j] = isSameItem(old[i], next[j]) ? (table[(i + 1) * width + j + 1] ?? 0) + 1 : skip;
    }
  }
  return table;
}

/** Items of Kubernetes' lists are known by `name`; mounts of one volume by their path as well. */
function isSameItem(old: unknown, next: unknown): boolean {
  if (old === next) return true;
  if (!isJsonObject(old) || !isJsonObject(next)) return false;
  return typeof old.name === 'string' && old.name === next.name && old.mountPath === next.mountPath;
}
