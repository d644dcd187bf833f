import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const NOT_SOURCES = new Set(['node_modules', '.git', 'dist', 'keys']);

/** A checkout in which commands may write. */
export interface CheckoutCopy {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/** Copies this checkout behind `npm ci`: what commands of the documents write lands in the copy. On a disk: images are large. */
export async function copyCheckout(): Promise<CheckoutCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-checkout-'));
  await cp(ROOT, folder, {
    recursive: true,
    filter: (from) => !NOT_SOURCES.has(from.slice(ROOT.length + 1)),
  });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
