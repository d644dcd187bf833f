import { LIMIT } from '#contract/limit.ts';
import type { SealedSizes } from '#contract/record-build.ts';
import type { SealedKind } from '#contract/seal.ts';
import type { SpoolEntry } from './spool-entry.ts';

/** An entry that seals a piece of content. */
export type PartEntry = SpoolEntry & { readonly kind: 'part' };

/** Cuts content into parts of at most `LIMIT.partBytes`. Empty content is one empty part: that it was empty is evidence too. */
export function partsOf(record: string, kind: SealedKind, bytes: Uint8Array): readonly PartEntry[] {
  const parts: PartEntry[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += LIMIT.partBytes) {
    const plain = [bytes.subarray(at, at + LIMIT.partBytes)];
    parts.push({ kind: 'part', name: { record, kind, part: parts.length }, plain });
  }
  return parts;
}

/** What a record says in clear about its parts: bytes before sealing and how many parts, a kind each. */
export function sizesOf(parts: readonly PartEntry[]): SealedSizes {
  const sizes: Partial<Record<SealedKind, { bytes: number; parts: number }>> = {};
  for (const { name, plain } of parts) {
    const size = (sizes[name.kind] ??= { bytes: 0, parts: 0 });
    size.bytes += plain.reduce((sum, piece) => sum + piece.length, 0);
    size.parts++;
  }
  return sizes;
}
