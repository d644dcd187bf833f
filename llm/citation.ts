import type { CitedDocument } from './request.ts';

interface Cited {
  /** The cited text as the provider wrote it, and as it is restored. */
  readonly sent: string;
  readonly original: string;
  /** Where the provider says it begins in the document it saw, in characters (code points). */
  readonly at: number;
}

/**
 * Finds a citation of a redacted document in the original. The n-th occurrence of the cited text in the one is the n-th
 * occurrence of the restored text in the other, because each surrogate restores to exactly its own text.
 * @returns offsets in characters, or null when the citation cannot be found again
 */
export function relocate(
  document: CitedDocument,
  cited: Cited,
): { readonly start: number; readonly end: number } | null {
  if (cited.sent === '' || cited.original === '') return null;
  const at = unitsOf(document.sent, cited.at);
  let found = document.original.indexOf(cited.original);
  let before = document.sent.indexOf(cited.sent);
  while (before >= 0 && before < at && found >= 0) {
    before = document.sent.indexOf(cited.sent, before + 1);
    found = document.original.indexOf(cited.original, found + 1);
  }
  if (found < 0 || before !== at) return null;
  const start = lengthOf(document.original.slice(0, found));
  return { start, end: start + lengthOf(cited.original) };
}

/** @returns UTF-16 units of the first `characters` code points */
function unitsOf(text: string, characters: number): number {
  let unit = 0;
  for (let left = characters; left > 0 && unit < text.length; left -= 1)
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  return unit;
}

function lengthOf(text: string): number {
  let count = 0;
  for (let unit = 0; unit < text.length; unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1) count += 1;
  return count;
}
