import { deriveListKey, type ListKey } from '#contract/list-key.ts';
import { type ListTable, parseListTable } from '#contract/list-table.ts';
import type { Entity } from '#contract/entity.ts';
import type { ListedValue } from '#phi/list-entry.ts';
import { createListed, type Listed } from '#phi/listed.ts';
import { createListBuilder } from '#cli/list-builder.ts';

export const SECRET = 'an invented secret of thirty-two characters and more';

export function testKey(secret = SECRET): ListKey {
  const key = deriveListKey(secret);
  if (key === null) throw new Error('the secret is too short');
  return key;
}

/** The bytes of a table with these entries. */
export function tableBytes(entries: readonly (readonly [Entity, ListedValue])[], key = testKey()): Uint8Array {
  const builder = createListBuilder(key);
  for (const [entity, value] of entries) {
    const problem = builder.add(value, entity);
    if (problem !== null) throw new Error(problem);
  }
  return builder.finish().bytes;
}

export function tableOf(bytes: Uint8Array, key = testKey()): ListTable {
  const table = parseListTable(bytes, key);
  if (typeof table === 'string') throw new Error(table);
  return table;
}

export function listedOf(entries: readonly (readonly [Entity, ListedValue])[]): Listed {
  const key = testKey();
  return createListed([tableOf(tableBytes(entries, key), key)], key);
}
