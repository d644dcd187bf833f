import { GAP as GAPS } from './character.ts';
import { type PhraseKind, phrasesFrom } from './phrase-list.ts';
import { gapBefore, hashAt, type View } from './view.ts';

// Bound here: view.ts says why.
const GAP = GAPS;

/** The longest known phrase that begins at a token. @returns its kind and last token */
export function phraseAt(view: View, at: number): { readonly kind: PhraseKind; readonly last: number } | undefined {
  let best: { readonly kind: PhraseKind; readonly last: number } | undefined;
  for (const phrase of phrasesFrom(hashAt(view, at))) {
    const last = at + phrase.rest.length;
    if ((best === undefined || last > best.last || phrase.kind === 'clinical') && stands(view, at, phrase.rest))
      best = { kind: phrase.kind, last };
  }
  return best;
}

function stands(view: View, at: number, rest: readonly number[]): boolean {
  for (let i = 0; i < rest.length; i++) {
    const gap = gapBefore(view, at + 1 + i);
    if (gap < 0 || hashAt(view, at + 1 + i) !== rest[i]) return false;
    if ((gap & ~(GAP.SPACE | GAP.PERIOD | GAP.HYPHEN | GAP.APOSTROPHE | GAP.NEWLINE)) !== 0) return false;
  }
  return true;
}
