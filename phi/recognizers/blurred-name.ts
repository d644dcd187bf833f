import { BIT as BITS } from '../bit.ts';
import { GAP as GAPS } from '../character.ts';
import { lexiconBits } from '../lexicon.ts';
import {
  emit,
  endOf,
  gapBefore,
  hashAt,
  isCapitalised,
  isMixed,
  startOf,
  type View,
  wordAt,
  flagsAt,
} from '../view.ts';
import { hashWord } from '../word-hash.ts';

// Bound here: view.ts says why.
const [BIT, GAP] = [BITS, GAPS];

/** Names (A) in which a scan read letters as digits: `Mar1a G0nzalez`. */

const SEEMS = /^[a-z015]*$/;
/** Each letter that a digit may have been. */
const READINGS: readonly Readonly<Record<string, string>>[] = [
  { '0': 'o', '1': 'l', '5': 's' },
  { '0': 'o', '1': 'i', '5': 's' },
];

/** Called for tokens of letters and digits. */
export function recognizeBlurredName(view: View, at: number): number {
  if (!isBlurred(view, at)) return at;
  const next =
    gapBefore(view, at + 1) === GAP.SPACE && (isBlurred(view, at + 1) || isNamePart(view, at + 1)) ? at + 1 : at;
  const first = gapBefore(view, at) === GAP.SPACE && isNamePart(view, at - 1) ? at - 1 : at;
  emit(view, 'name', [startOf(view, first), endOf(view, next)], 0.6);
  return next;
}

function isNamePart(view: View, at: number): boolean {
  return (
    isCapitalised(view, at) &&
    (flagsAt(view, at) & (BIT.GIVEN | BIT.SURNAME)) !== 0 &&
    (flagsAt(view, at) & (BIT.STOP | BIT.COMMON | BIT.TITLE)) === 0
  );
}

/** Four letters or more, few digits, an upper-case letter first, and a name when the digits are letters. */
function isBlurred(view: View, at: number): boolean {
  if (!isMixed(view, at) || hashAt(view, at) === 0) return false;
  const first = view.text.charCodeAt(startOf(view, at));
  if (first < 65 || first > 90 || endOf(view, at) - startOf(view, at) < 5) return false;
  const word = wordAt(view, at);
  if (!SEEMS.test(word) || word.replaceAll(/[a-z]/g, '').length > 2) return false;
  return READINGS.some((reading) => isName(word.replaceAll(/[015]/g, (digit) => reading[digit] ?? digit)));
}

function isName(word: string): boolean {
  const flags = lexiconBits(hashWord(word));
  return (flags & (BIT.GIVEN | BIT.SURNAME)) !== 0 && (flags & (BIT.COMMON | BIT.STOP | BIT.CLINICAL)) === 0;
}
