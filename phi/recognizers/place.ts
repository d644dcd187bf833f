import { BIT } from '../bit.ts';
import { GAP } from '../character.ts';
import { ALL_CAPS } from '../lexer.ts';
import { phraseAt } from '../phrase.ts';
import {
  emit,
  endOf,
  flagsAt,
  gapBefore,
  hashAt,
  isCapitalised,
  isWord,
  shapeAt,
  startOf,
  type View,
} from '../view.ts';

/** Cities and other places below a state (B). States and countries stay. */

/** Known cities and facilities of several words. Called for a word that begins a phrase. */
export function recognizePhrase(view: View, at: number): number {
  const phrase = phraseAt(view, at);
  if (phrase === undefined) return at;
  const clinical = phrase.kind === 'clinical' || (flagsAt(view, phrase.last + 1) & BIT.EPONYM_HEAD) !== 0;
  if (clinical || phrase.kind === 'state') return phrase.last;
  const capital = isCapitalised(view, at);
  if (!capital && !isAfterPreposition(view, at)) return at;
  emit(view, phrase.kind === 'city' ? 'location' : 'facility', [startOf(view, at), endOf(view, phrase.last)], 0.8);
  return phrase.last;
}

/** Known cities of one word, and facilities by their short names. */
export function recognizePlace(view: View, at: number): number {
  const flags = flagsAt(view, at);
  if ((flagsAt(view, at + 1) & BIT.EPONYM_HEAD) !== 0 && (flags & BIT.CLINICAL) !== 0) return at;
  const capital = isCapitalised(view, at);
  if ((flags & BIT.FACILITY_NAME) !== 0) {
    if (capital && ((flags & (BIT.COMMON | BIT.GIVEN | BIT.SURNAME)) === 0 || isAfterPreposition(view, at)))
      emit(view, 'facility', [startOf(view, at), endOf(view, at)], 0.7);
    return at;
  }
  const certain = capital && (flags & BIT.COMMON) === 0;
  if (
    !certain &&
    !(isAfterPreposition(view, at) && (capital || (flags & BIT.COMMON) === 0)) &&
    !isBeforeState(view, at)
  )
    return at;
  emit(view, 'location', [startOf(view, at), endOf(view, at)], 0.7);
  return at;
}

/** A capitalised word that no list knows as a city: `Brackenford, OH`, `lives in Brackenford`. */
export function recognizeUnlistedPlace(view: View, at: number): number {
  if (isBeforeState(view, at)) {
    let first = at;
    while (
      at - first < 2 &&
      gapBefore(view, first) === GAP.SPACE &&
      isCapitalised(view, first - 1) &&
      (flagsAt(view, first - 1) & BIT.STOP) === 0
    )
      first--;
    emit(view, 'location', [startOf(view, first), endOf(view, at)], 0.75);
    return at;
  }
  return at;
}

export function isAfterPreposition(view: View, at: number): boolean {
  const before = flagsAt(view, at - 1);
  return (before & BIT.PREPOSITION) !== 0 && gapBefore(view, at) === GAP.SPACE;
}

/** `, OH` or `, Ohio` behind. */
function isBeforeState(view: View, at: number): boolean {
  const gap = gapBefore(view, at + 1);
  if (
    gap < 0 ||
    (gap & GAP.COMMA) === 0 ||
    (gap & ~(GAP.COMMA | GAP.SPACE | GAP.NEWLINE)) !== 0 ||
    !isWord(view, at + 1)
  )
    return false;
  const flags = flagsAt(view, at + 1);
  return (
    ((flags & BIT.STATE_CODE) !== 0 && shapeAt(view, at + 1) === ALL_CAPS && hashAt(view, at) !== 0) ||
    ((flags & BIT.STATE) !== 0 && isCapitalised(view, at + 1))
  );
}
