import { z } from 'zod';
import { LIMIT } from './limit.ts';

/**
 * Where the controller serves the deployer's lists to sidecars, beside `BUNDLE_PATH` and to the same callers.
 *
 * `GET LISTS_PATH/TAG` with the pod's token, where TAG is what the signed policy names: 200 with a line of JSON (`ListsHead`) and the
 * tables behind it, one after the other; 404 when this replica has no lists of that tag (another may); 401, 403 and 503 as for a bundle.
 */
export const LISTS_PATH = '/v1/lists';

/** The first line of an answer is no longer than this, its end included. */
export const LISTS_HEAD_BYTES = 16 * 1024;
/** A secret is a line of text. */
export const LIST_SECRET_BYTES = 4_096;

/** SHA-256 of a whole answer, the key's line included, as base64url: a list that is another than policy names is not taken. */
export const LISTS_TAG = /^[\w-]{43}$/;

const HEAD = z
  .strictObject({
    version: z.literal(1),
    /** The secret that the tables were made with. It travels in the same TLS session as the tables and is kept in memory only. */
    key: z.string().max(LIST_SECRET_BYTES),
    tables: z
      .array(z.strictObject({ name: z.string().max(600), bytes: z.int().min(1).max(LIMIT.listBytes) }).readonly())
      .min(1)
      .max(LIMIT.listTables)
      .readonly(),
  })
  .readonly()
  .refine(({ tables }) => tables.reduce((sum, { bytes }) => sum + bytes, 0) <= LIMIT.listBytes);

/** What comes before the tables. */
export type ListsHead = z.infer<typeof HEAD>;

/** What the signed policy says of lists: which ones are in force, or why those that the release names cannot be used. */
export const POLICY_LISTS = z.union([
  z.strictObject({ tag: z.string().regex(LISTS_TAG) }).readonly(),
  z.strictObject({ fault: z.string().max(2_048) }).readonly(),
]);
export type PolicyLists = z.infer<typeof POLICY_LISTS>;

/** The first line of an answer as bytes. */
export function encodeListsHead(head: ListsHead): Uint8Array {
  return Buffer.from(`${JSON.stringify(head)}\n`);
}

/** @returns null for a line that is no head, or one of more or larger tables than there may be */
export function parseListsHead(line: string): ListsHead | null {
  try {
    return HEAD.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
