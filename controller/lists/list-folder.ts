import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Entity } from '#contract/entity.ts';
import { LIMIT } from '#contract/limit.ts';
import { deriveListKey, type ListKey } from '#contract/list-key.ts';
import { parseListTable } from '#contract/list-table.ts';
import { encodeListsHead, LIST_SECRET_BYTES } from '#contract/lists-protocol.ts';

/** A file of a folder of lists: one key of a mounted Secret. */
export interface ListFile {
  /** `SECRET/KEY`, as an operator knows it. */
  readonly place: string;
  readonly path: string;
  readonly bytes: number;
  /** Another one when the file was replaced or written. */
  readonly state: string;
}

/** Lists that were verified, as sidecars get them. */
export interface LoadedLists {
  readonly tag: string;
  /** The parts of an answer (contract/lists-protocol.ts), in order. */
  readonly body: readonly Uint8Array[];
  readonly bytes: number;
  /** How many entries of each kind there are. */
  readonly entities: Readonly<Partial<Record<Entity, number>>>;
  readonly tables: number;
}

/** Why lists cannot be used: a sentence for the operator that names files and nothing of their content. */
export class ListFault extends Error {
  override readonly name = 'ListFault';
}

const KEY = 'key';
/** A table, or a part of one that is larger than a Secret may be, as `split --numeric-suffixes` names it. */
const TABLE = /^(.+\.table)(?:\.(\d{1,4}))?$/;

/**
 * Finds the files of all Secrets that are mounted below a folder, each in a folder of its own name.
 * @throws ListFault where one cannot be read, or is neither table nor key: what was meant to be a list must not be passed over
 */
export async function findListFiles(root: string): Promise<readonly ListFile[]> {
  const folders = await list(root, 'the folder of lists');
  const files = await Promise.all(folders.map((folder) => filesOf(root, folder)));
  return files.flat();
}

/** Names that begin with a dot are the kubelet's own: the real files lie behind them (`..data`). */
async function list(path: string, called: string): Promise<readonly string[]> {
  const names = await readdir(path).catch(() => {
    throw new ListFault(`${called} cannot be read`);
  });
  return names.filter((name) => !name.startsWith('.')).toSorted();
}

async function filesOf(root: string, folder: string): Promise<readonly ListFile[]> {
  const names = await list(join(root, folder), folder);
  return Promise.all(
    names.map(async (name) => {
      const [place, path] = [`${folder}/${name}`, join(root, folder, name)];
      if (name !== KEY && !TABLE.test(name))
        throw new ListFault(
          `${place} is neither a table (NAME.table, its parts NAME.table.00 and so on) nor the key (key)`,
        );
      const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true }).catch(() => cannotRead(place));
      return { place, path, bytes: Number(size), state: `${place} ${ino} ${size} ${mtimeNs} ${ctimeNs}` };
    }),
  );
}

/** Reads and verifies all tables. @throws ListFault with what is wrong */
export async function loadLists(files: readonly ListFile[]): Promise<LoadedLists> {
  const secret = await readSecret(files.filter(isKey));
  const key = deriveListKey(secret);
  if (key === null) throw new ListFault('the key of the lists is too short for a key');
  const groups = groupTables(files.filter((file) => !isKey(file)));
  const all = groups.reduce((sum, { parts }) => sum + parts.reduce((bytes, part) => bytes + part.bytes, 0), 0);
  if (all > LIMIT.listBytes) throw new ListFault(`the lists are more than ${LIMIT.listBytes} bytes`);
  const entities: Partial<Record<Entity, number>> = {};
  const tables: { name: string; bytes: Uint8Array }[] = [];
  for (const group of groups) {
    const table = await readTable(group, key);
    for (const [kind, count] of Object.entries(table.entities) as [Entity, number][])
      entities[kind] = (entities[kind] ?? 0) + count;
    tables.push(table);
  }
  const heads = tables.map(({ name, bytes }) => ({ name, bytes: bytes.length }));
  const body = [encodeListsHead({ version: 1, key: secret, tables: heads }), ...tables.map(({ bytes }) => bytes)];
  const hash = createHash('sha256');
  for (const part of body) hash.update(part);
  const bytes = body.reduce((sum, { length }) => sum + length, 0);
  return { tag: hash.digest('base64url'), body, bytes, entities, tables: tables.length };
}

function isKey({ place }: ListFile): boolean {
  return place.endsWith(`/${KEY}`);
}

/** The one secret; it may stand in several Secrets, but not differ. */
async function readSecret(files: readonly ListFile[]): Promise<string> {
  const long = files.find(({ bytes }) => bytes > LIST_SECRET_BYTES);
  if (long !== undefined) throw new ListFault(`${long.place} is too long for a key`);
  const texts = await Promise.all(
    files.map(async ({ path, place }) => (await read(path, place)).toString('utf8').trim()),
  );
  const [first] = texts;
  if (first === undefined)
    throw new ListFault(
      'the lists have no key: add the file of lazaret lists build --key to a Secret, under the name key',
    );
  const other = texts.findIndex((text) => text !== first);
  if (other >= 0)
    throw new ListFault(`${files[other]?.place} and ${files[0]?.place} are different keys: lists have one`);
  return first;
}

interface TableFiles {
  readonly name: string;
  readonly parts: readonly ListFile[];
}

/** A whole table is its own; parts of one name belong together wherever they lie. */
function groupTables(files: readonly ListFile[]): readonly TableFiles[] {
  const parts = new Map<string, { part: number; file: ListFile }[]>();
  const groups: TableFiles[] = [];
  for (const file of files) {
    const [, name = '', number] = TABLE.exec(file.place.slice(file.place.indexOf('/') + 1)) ?? [];
    if (number === undefined) groups.push({ name: file.place, parts: [file] });
    else parts.set(name, [...(parts.get(name) ?? []), { part: Number(number), file }]);
  }
  for (const [name, found] of parts) groups.push({ name, parts: orderParts(name, found) });
  if (groups.length === 0)
    throw new ListFault('the lists have no table: add what lazaret lists build made, under a name that ends in .table');
  if (groups.length > LIMIT.listTables) throw new ListFault(`there are more than ${LIMIT.listTables} lists`);
  return groups;
}

function orderParts(name: string, found: readonly { readonly part: number; readonly file: ListFile }[]): ListFile[] {
  const sorted = found.toSorted((left, right) => left.part - right.part);
  const first = sorted[0]?.part ?? 0;
  const gap = sorted.findIndex(({ part }, at) => part !== first + at);
  if (gap >= 0) throw new ListFault(`${name} has a part twice or lacks one, near ${sorted[gap]?.file.place}`);
  return sorted.map(({ file }) => file);
}

async function readTable(
  { name, parts }: TableFiles,
  key: ListKey,
): Promise<{ readonly name: string; readonly bytes: Uint8Array; readonly entities: LoadedLists['entities'] }> {
  const pieces = await Promise.all(parts.map(({ path, place }) => read(path, place)));
  const [only] = pieces;
  const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  const table = parseListTable(bytes, key);
  if (typeof table === 'string') throw new ListFault(`${name} ${table}`);
  return { name, bytes, entities: table.header.entities };
}

async function read(path: string, place: string): Promise<Buffer> {
  return await readFile(path).catch(() => cannotRead(place));
}

function cannotRead(place: string): never {
  throw new ListFault(`${place} cannot be read`);
}
